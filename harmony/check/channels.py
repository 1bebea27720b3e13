"""On which channel a message stands. Spec: [[channels]]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.check.findings import Finding, reports
from harmony.check.subject import OTHERS
from harmony.transcript import Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.subject import Subject

CHANNEL = "channel"


@reports("HAR201")
def missing(subject: Subject) -> Iterator[Finding]:
    """The assistant names a channel."""
    facts = subject.facts
    if not subject.channel_required:
        return
    for index, message in enumerate(subject.messages):
        if message.author.role is not facts.speaker or message.channel:
            continue
        channel: str | None = None
        if facts.is_call(message):
            channel = facts.call_channel(message.recipient or "")
        elif _ends_turn(subject, index) and facts.answer in subject.channels:
            channel = facts.answer
        fix = _set(index, channel) if channel is not None else None
        yield Finding("HAR201", index, {}, subject.header(index), fix=fix)


def _ends_turn(subject: Subject, index: int) -> bool:
    if index + 1 == len(subject.messages):
        return not subject.is_open
    return subject.messages[index + 1].author.role in OTHERS


@reports("HAR202", "HAR203")
def known(subject: Subject) -> Iterator[Finding]:
    """A channel is declared, and stands where channels stand."""
    declared = subject.channels
    for index, message in enumerate(subject.messages):
        channel = message.channel
        if channel is None:
            continue
        role = message.author.role
        place = subject.header(index)
        speakers = subject.facts.speakers.get(channel)
        if role in OTHERS if speakers is None else role.value not in speakers:
            values: dict[str, object] = {"role": role.value, "found": repr(channel)}
            fix = None
            if role in OTHERS:
                fix = Fix("take the channel away", (Edit(index, CHANNEL, None),))
            yield Finding("HAR203", index, values, place, channel, fix=fix)
        elif channel and channel not in declared:
            meant = channel.strip().lower()
            values = {"found": repr(channel), "declared": ", ".join(declared)}
            corrected = _set(index, meant) if meant in declared else None
            yield Finding("HAR202", index, values, place, channel, fix=corrected)


def _set(index: int, channel: str) -> Fix:
    return Fix(f"set the channel to {channel!r}", (Edit(index, CHANNEL, channel),))
