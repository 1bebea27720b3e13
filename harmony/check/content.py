"""What messages hold. Spec: [content], [[channels]]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.check.findings import Finding, reports
from harmony.check.fixes import POSITION
from harmony.check.subject import OTHERS
from harmony.contents import DeveloperContent, SystemContent, TextContent
from harmony.messages import Role
from harmony.transcript import Edit, Fix
from harmony.validation import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.subject import Subject
    from harmony.contents import Content


@reports("HAR501")
def special_tokens(subject: Subject) -> Iterator[Finding]:
    """No text spells special tokens."""
    facts = subject.facts
    for index, message in enumerate(subject.messages):
        for content in message.content:
            for text in _texts(content):
                if facts.special_prefix not in text:
                    continue
                match = facts.specials.search(text)
                if match is None:
                    continue
                place = subject.content(index)
                if text == subject.text(index):
                    place = subject.content(index, *match.span())
                yield Finding("HAR501", index, {"found": match[0]}, place, match[0])
                break


def _texts(content: Content) -> Iterator[str]:
    if isinstance(content, TextContent):
        yield content.text
        return
    assert isinstance(content, (SystemContent, DeveloperContent))
    if isinstance(content, SystemContent):
        yield content.model_identity or ""
    else:
        yield content.instructions or ""
    for namespace in (content.tools or {}).values():
        yield namespace.description or ""
        for tool in namespace.tools:
            yield tool.description


@reports("HAR502")
def empty(subject: Subject) -> Iterator[Finding]:
    """A message says something."""
    facts, messages = subject.facts, subject.messages
    for index, message in enumerate(messages):
        text = subject.text(index)
        if text is None or text.strip() or message.author.role is Role.TOOL:
            continue
        if subject.is_cut(index):
            continue  # A prompt ends inside it, or the model was stopped there.
        if facts.is_call(message) and facts.is_function(message.recipient or ""):
            continue  # Arguments are another rule's.
        # A turn that goes on without a thought misses nothing.
        goes_on = index + 1 < len(messages) and messages[index + 1].author.role is facts.speaker
        spare = message.author.role is facts.speaker and not facts.is_call(message)
        fix = None
        if goes_on and spare and message.channel != facts.answer:
            fix = Fix("take the message out", (Edit(index, POSITION, None),))
        yield Finding("HAR502", index, {}, subject.whole(index), fix=fix)


@reports("HAR503")
def leaks(subject: Subject) -> Iterator[Finding]:
    """The answer shows no reasoning."""
    facts = subject.facts
    thoughts: list[tuple[int, str]] = []
    for index, message in enumerate(subject.messages):
        if message.author.role in OTHERS:
            thoughts = []
        text = subject.text(index)
        if text is None:
            continue
        if message.author.role is facts.speaker and message.channel == facts.reasoning:
            if len(thought := text.strip()) >= facts.leak:
                thoughts.append((index, thought))
        elif facts.is_answer(message):
            found = next((thought for _, thought in thoughts if thought in text), None)
            what = "the whole of an analysis"
            if found is None and (match := facts.stripped_header.search(text)):
                found, what = match[0], "what is left of a header"
            if found is not None:
                start = text.index(found)
                values: dict[str, object] = {"what": what, "found": shortened(found)}
                place = subject.content(index, start, start + len(found))
                yield Finding("HAR503", index, values, place, found)
