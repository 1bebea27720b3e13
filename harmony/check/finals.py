"""Answers to the user. Spec: [[channels]], [normal_form], [developer_message]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.check.findings import Finding, reports
from harmony.check.json_reading import NotJson, read_json
from harmony.check.subject import OTHERS
from harmony.errors import InvalidSchema
from harmony.messages import Role
from harmony.transcript import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.schemas import Violation
    from harmony.check.subject import Subject


@reports("HAR401")
def several(subject: Subject) -> Iterator[Finding]:
    """One answer between two messages of the user."""
    first: int | None = None
    for index, message in enumerate(subject.messages):
        if message.author.role in OTHERS:
            first = None
        elif subject.facts.is_answer(message):
            if first is not None:
                yield Finding("HAR401", index, {"first": first}, subject.whole(index))
            else:
                first = index


@reports("HAR402")
def missing(subject: Subject) -> Iterator[Finding]:
    """A turn ends with an answer or a call."""
    facts, messages = subject.facts, subject.messages
    for index, message in enumerate(messages):
        is_last = index + 1 == len(messages)
        if not is_last and messages[index + 1].author.role not in OTHERS:
            continue
        if message.author.role in OTHERS or facts.is_call(message):
            continue
        if message.author.role is Role.TOOL:
            if is_last:
                continue
            found = "the result of a tool"
        elif message.author.role is not facts.speaker or facts.is_answer(message):
            continue
        elif message.channel not in subject.channels:
            continue  # Another rule says that the channel is missing, or unknown.
        elif is_last and subject.is_open:
            continue
        else:
            found = message.channel or ""
        yield Finding("HAR402", index, {"found": found}, subject.whole(index))


@reports("HAR403")
def returns(subject: Subject) -> Iterator[Finding]:
    """The terminator of training ends the assistant's last message only."""
    facts = subject.facts
    last = len(subject.messages) - 1
    for index, message in enumerate(subject.messages):
        if subject.ending(index) != facts.stop.id or facts.is_call(message):
            continue
        if index == last and message.author.role is facts.speaker and not subject.is_open:
            continue
        fix = Fix("render the conversation anew")
        values: dict[str, object] = {"found": facts.stop.text}
        yield Finding("HAR403", index, values, subject.terminator(index), facts.stop.text, fix=fix)


@reports("HAR404")
def response_format(subject: Subject) -> Iterator[Finding]:
    """Answers keep to the declared format; of several, to one of them."""
    schemas = [format.schema for format, _, _ in subject.formats]
    if subject.given.response_format is not None:
        schemas = list(subject.given.response_format)
    if not schemas:
        return
    for index, message in enumerate(subject.messages):
        text = subject.text(index)
        if text is None or not subject.facts.is_answer(message):
            continue
        if not text and subject.is_cut(index):
            continue
        try:
            value = read_json(text)
        except NotJson as error:
            if error.is_cut and subject.goes_on(index):
                continue  # The model is to go on with it.
            if subject.facts.is_json(message.content_type):
                continue  # HAR504 says so.
            values: dict[str, object] = {"path": "$", "reason": f"not JSON: {error.message}"}
            place = subject.content(index, error.offset)
            found = text[error.offset :] or text
            yield Finding("HAR404", index, values, place, found, "$")
            continue
        for path, reason in _violations(subject, schemas, value):
            values = {"path": path, "reason": reason}
            yield Finding("HAR404", index, values, subject.content(index), text, path)


def _violations(subject: Subject, schemas: list[Any], value: object) -> list[Violation]:
    """Those of the schema that the value comes nearest to; none if it validates."""
    found: list[list[Violation]] = []
    for schema in schemas:
        try:
            found.append(list(subject.schemas.violations(schema, value)))
        except InvalidSchema:
            return []  # HAR801 says so.
    return min(found, key=len)
