"""Who speaks when. Spec: [[roles]], [system_message], [developer_message]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.check.findings import Finding, reports
from harmony.check.fixes import POSITION
from harmony.check.subject import OPENING
from harmony.messages import Role
from harmony.transcript import Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.subject import Subject


@reports("HAR101", "HAR102")
def system_messages(subject: Subject) -> Iterator[Finding]:
    """One, at the front."""
    indices = [i for i, m in enumerate(subject.messages) if m.author.role is Role.SYSTEM]
    if indices and indices[0]:
        first = indices[0]
        fix = Fix("move it to the front", (Edit(first, POSITION, 0),))
        yield Finding("HAR101", first, {"count": first}, subject.whole(first), fix=fix)
    for number, index in enumerate(indices[1:], 2):
        yield Finding("HAR102", index, {"number": number}, subject.whole(index))


@reports("HAR103")
def developer_messages(subject: Subject) -> Iterator[Finding]:
    """Behind the system message and before all others."""
    before: str | None = None
    place = 0
    for index, message in enumerate(subject.messages):
        role = message.author.role
        if role is Role.DEVELOPER and before is not None:
            fix = Fix("move it before the conversation", (Edit(index, POSITION, place),))
            values = {"role": before}
            yield Finding("HAR103", index, values, subject.whole(index), fix=fix)
        elif role not in OPENING:
            before = before or role.value
        elif before is None:
            place = index + 1


@reports("HAR104")
def turns(subject: Subject) -> Iterator[Finding]:
    """The user before the assistant, where the conversation is whole."""
    roles = [message.author.role for message in subject.messages]
    if not roles or roles[0] not in OPENING or Role.USER not in roles:
        return
    speaker = subject.facts.speaker
    if speaker in roles and roles.index(speaker) < roles.index(Role.USER):
        index = roles.index(speaker)
        yield Finding("HAR104", index, {}, subject.whole(index))
