"""Messages and prompts that are too long. Spec: [limits]."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harmony.check.findings import Finding, reports
from harmony.contents import TextContent
from harmony.errors import InvalidSchema, RenderError
from harmony.messages import Conversation
from harmony.transcript import TokenRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.subject import Subject
    from harmony.messages import Message

# No character is more tokens than its bytes, of which it has at most four; no header that is
# worth counting has more tokens than this.
_BYTES, _HEADER = 4, 64


@reports("HAR701")
def actions(subject: Subject) -> Iterator[Finding]:
    """What the assistant says up to a call, an answer or another speaker."""
    facts = subject.facts
    limit = facts.action_tokens
    most = 0
    run: list[int] = []
    for index, message in enumerate(subject.messages):
        if message.author.role is not facts.speaker:
            most, run = 0, []
            continue
        run.append(index)
        most += _most(message) if subject.tokens is None else _count(subject, index)
        if most > limit and (count := sum(_count(subject, each) for each in run)) > limit:
            values: dict[str, object] = {"count": count, "limit": limit}
            yield Finding("HAR701", index, values, subject.whole(index))
            most, run = 0, []
        if facts.is_call(message) or facts.is_answer(message):
            most, run = 0, []


@reports("HAR702", "HAR703")
def contexts(subject: Subject) -> Iterator[Finding]:
    """All together."""
    limit, context = subject.facts.context_tokens, subject.given.context
    least = limit if context is None else min(limit, context)
    if subject.tokens is not None:
        count = len(subject.tokens.ids)
    else:
        if sum(map(_most, subject.messages)) + _HEADER <= least:
            return
        count = _prompt_tokens(subject)
    for code, bound in (("HAR702", limit), ("HAR703", context)):
        if bound is not None and count > bound:
            values: dict[str, object] = {"count": count, "limit": bound}
            place = TokenRange(bound, count) if subject.tokens is not None else None
            yield Finding(code, None, values, place)


def _most(message: Message) -> int:
    """More tokens than a message has."""
    size = _HEADER
    for part in (message.channel, message.recipient, message.content_type, message.author.name):
        size += len(part or "") * _BYTES
    for content in message.content:
        if isinstance(content, TextContent):
            size += len(content.text) * _BYTES
        else:
            # A schema is shorter as a type; the template's own words come on top.
            size += 4096 + len(repr(content)) * _BYTES
    return size


def _count(subject: Subject, index: int) -> int:
    place = subject.whole(index)
    if place is not None:
        return place.stop - place.start
    return len(subject.encoding.render(subject.messages[index]))


def _prompt_tokens(subject: Subject) -> int:
    encoding, facts = subject.encoding, subject.facts
    conversation = Conversation.from_messages(subject.messages)
    try:
        return len(encoding.render_conversation_for_completion(conversation, facts.speaker))
    except (RenderError, InvalidSchema):
        # A tool without a name, a schema that is none: other rules say so.
        count = 0
        for index in range(len(subject.messages)):
            with contextlib.suppress(RenderError, InvalidSchema):
                count += _count(subject, index)
        return count
