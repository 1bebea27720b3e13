"""Which result belongs to which call. Spec: [recipients]."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from harmony.check.findings import Finding, reports
from harmony.check.fixes import NAME
from harmony.check.subject import OTHERS
from harmony.messages import Role
from harmony.transcript import Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.facts import Facts
    from harmony.check.subject import Subject


@reports("HAR307", "HAR308", "HAR309")
def results(subject: Subject) -> Iterator[Finding]:
    """Each call has its result, each result its call.

    Results may come in any order, and late. First those are paired that name the tool of a
    call; what is left of both is paired within a turn, and is wrong.
    """
    facts, messages = subject.facts, subject.messages
    waiting: dict[str, deque[int]] = {}
    left: list[int] = []
    for index, message in enumerate(messages):
        if facts.is_call(message):
            waiting.setdefault(message.recipient or "", deque()).append(index)
        elif message.author.role is Role.TOOL:
            call = _answered(message.author.name, waiting, facts)
            if call is None:
                left.append(index)
            else:
                waiting[call].popleft()
    open_calls = sorted((index, name) for name, calls in waiting.items() for index in calls)
    turn = 0
    turns = [turn := turn + (message.author.role in OTHERS) for message in messages]
    for index in left:
        name = messages[index].author.name
        shown = "a tool without a name" if name is None else name
        candidates = [c for c in open_calls if c[0] < index and turns[c[0]] == turns[index]]
        if not candidates:
            values: dict[str, object] = {"found": shown}
            yield Finding("HAR308", index, values, subject.whole(index), name or "")
            continue
        called = next((c for c in candidates if c[1].partition(".")[2] == name), candidates[0])
        open_calls.remove(called)
        fix = None
        if name is None or called[1].partition(".")[2] == name:
            fix = Fix(f"name the tool {called[1]!r}", (Edit(index, NAME, called[1]),))
        values = {"found": shown, "called": called[1]}
        yield Finding("HAR309", index, values, subject.header(index), name or "", fix=fix)
    closings = [
        index
        for index, message in enumerate(messages)
        if message.author.role in OTHERS or facts.is_answer(message)
    ]
    last = closings[-1] if closings else -1
    for index, recipient in open_calls:
        if index < last:
            yield Finding("HAR307", index, {"found": recipient}, subject.whole(index), recipient)


def _answered(name: str | None, waiting: dict[str, deque[int]], facts: Facts) -> str | None:
    """The recipient of the waiting call that a result by ``name`` answers."""
    if name is None:
        return None
    if waiting.get(name):
        return name
    if not facts.is_built_in(name.partition(".")[0]):
        return None
    found = [
        (calls[0], call) for call, calls in waiting.items() if calls and facts.answers(name, call)
    ]
    return min(found)[1] if found else None
