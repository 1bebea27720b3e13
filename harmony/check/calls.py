"""Calls of tools: to whom, where, with what. Spec: [[namespaces]], [terminators]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.check.channels import CHANNEL
from harmony.check.findings import Finding, reports
from harmony.check.json_reading import NotJson, read_json
from harmony.errors import InvalidSchema
from harmony.messages import Role
from harmony.transcript import Edit, Fix
from harmony.validation import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.subject import Place, Subject
    from harmony.messages import Message

RECIPIENT = "recipient"
_RENDER = Fix("render the conversation anew")
_NAMED = 5
"""How many declared tools a sentence names."""


def each_call(subject: Subject) -> Iterator[tuple[int, Message, str]]:
    """The calls: index, message, recipient."""
    for index, message in enumerate(subject.messages):
        if subject.facts.is_call(message):
            assert message.recipient is not None
            yield index, message, message.recipient


@reports("HAR301")
def recipients(subject: Subject) -> Iterator[Finding]:
    """A call goes to a declared tool."""
    known = subject.recipients
    for index, _, recipient in each_call(subject):
        if recipient in known or not subject.is_judged(recipient):
            continue
        meant = [name for name in known if name.partition(".")[2] == recipient]
        fix = None
        if len(meant) == 1:
            fix = Fix(f"call {meant[0]!r}", (Edit(index, RECIPIENT, meant[0]),))
        names = [*list(known)[:_NAMED], *(["…"] if len(known) > _NAMED else [])]
        values = {"found": repr(recipient), "declared": ", ".join(names) or "none"}
        yield Finding("HAR301", index, values, subject.header(index), recipient, fix=fix)


@reports("HAR302", "HAR303")
def call_channels(subject: Subject) -> Iterator[Finding]:
    """Functions and built-in tools are called on their channels."""
    facts = subject.facts
    for index, message, recipient in each_call(subject):
        expected = facts.call_channel(recipient)
        channel = message.channel
        # A channel that is missing or unknown is another rule's.
        if expected is None or channel == expected or channel not in facts.channels:
            continue
        code = "HAR302" if recipient.partition(".")[0] == facts.functions else "HAR303"
        fix = Fix(f"set the channel to {expected!r}", (Edit(index, CHANNEL, expected),))
        values: dict[str, object] = {"found": recipient, "channel": channel, "expected": expected}
        yield Finding(code, index, values, subject.header(index), channel, fix=fix)


@reports("HAR304")
def terminators(subject: Subject) -> Iterator[Finding]:
    """Calls, and only calls, end with the terminator of calls."""
    facts = subject.facts
    for index, message in enumerate(subject.messages):
        ending = subject.ending(index)
        is_call = facts.is_call(message)
        if ending is None or is_call == (ending == facts.call.id):
            continue
        text = subject.encoding.decode([ending])
        values: dict[str, object] = {
            "what": "the call" if is_call else "a message that calls nobody",
            "found": text,
            "expected": (facts.call if is_call else facts.end).text,
        }
        yield Finding("HAR304", index, values, subject.terminator(index), text, fix=_RENDER)


def takes_json(subject: Subject, message: Message, recipient: str) -> bool:
    """Whether the arguments of this call have to be JSON."""
    if subject.facts.is_json(message.content_type) or subject.facts.is_function(recipient):
        return True
    place = subject.recipients.get(recipient)
    return place is not None and place.tool.parameters is not None


def _takes_nothing(declared: Place | None) -> bool:
    """Whether the tool is declared, and has no parameters."""
    if declared is None or declared.tool.namespace is None:
        return False
    return declared.tool.parameters is None


@reports("HAR305", "HAR306")
def arguments(subject: Subject) -> Iterator[Finding]:
    """The arguments are JSON, and what the tool takes."""
    validates = "HAR306" in subject.given.selected
    for index, message, recipient in each_call(subject):
        text = subject.text(index)
        if text is None or not takes_json(subject, message, recipient):
            continue
        declared = subject.recipients.get(recipient)
        if not text and (subject.is_cut(index) or _takes_nothing(declared)):
            continue  # A prompt may end where the arguments begin.
        try:
            value = read_json(text)
        except NotJson as error:
            if error.is_cut and subject.goes_on(index):
                continue  # The model is to go on with it.
            place = subject.content(index, error.offset)
            found = text[error.offset :] or text
            yield Finding("HAR305", index, {"reason": error.message}, place, found)
            continue
        if not validates or declared is None or declared.tool.parameters is None:
            continue
        try:
            for path, reason in subject.schemas.violations(declared.tool.parameters, value):
                values: dict[str, object] = {"path": path, "reason": reason}
                yield Finding("HAR306", index, values, subject.content(index), text, path)
        except InvalidSchema:
            continue  # HAR801 says so, of the tool.


@reports("HAR504")
def contents(subject: Subject) -> Iterator[Finding]:
    """What is said in the content type of JSON is JSON, calls aside."""
    facts = subject.facts
    for index, message in enumerate(subject.messages):
        text = subject.text(index)
        if text is None or facts.is_call(message) or not facts.is_json(message.content_type):
            continue
        if not text and subject.is_cut(index):
            continue
        try:
            read_json(text)
        except NotJson as error:
            if error.is_cut and subject.goes_on(index):
                continue  # The model is to go on with it.
            place = subject.content(index, error.offset)
            values: dict[str, object] = {"reason": error.message}
            yield Finding("HAR504", index, values, place, text[error.offset :] or text)


@reports("HAR310")
def result_recipients(subject: Subject) -> Iterator[Finding]:
    """Results go to the assistant."""
    expected = subject.facts.result_recipient
    for index, message in enumerate(subject.messages):
        if message.author.role is not Role.TOOL or message.recipient == expected:
            continue
        fix = Fix(f"address it to {expected!r}", (Edit(index, RECIPIENT, expected),))
        values: dict[str, object] = {
            "found": message.author.name or "a tool",
            "recipient": "nobody" if message.recipient is None else shortened(message.recipient),
            "expected": expected,
        }
        yield Finding("HAR310", index, values, subject.header(index), fix=fix)
