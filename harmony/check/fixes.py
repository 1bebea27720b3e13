"""Changing a conversation as findings propose. Spec: [[rules]]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from harmony.errors import InvalidMessage
from harmony.messages import Conversation, Role
from harmony.transcript import Diagnostic
from harmony.validation import instance, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.messages import Message
    from harmony.transcript import Edit

POSITION = "position"
NAME = "name"
_FIELDS = ("channel", "recipient", "content_type")


def apply_fixes(conversation: Conversation, diagnostics: Iterable[Diagnostic]) -> Conversation:
    """A copy of the conversation in which what the diagnostics propose is done.

    Messages that no fix is about are in it as they are. Where two fixes set the same field
    of a message the first holds. A fix may bring what another rule objects to into sight,
    so check the result again. What only tokens can get wrong, a terminator or a damaged
    header, is gone as soon as the conversation is rendered.

    Args:
        conversation: what was checked; of tokens, what they parse to.
        diagnostics: what `HarmonyEncoding.check` found; those without a fix are passed over.

    Raises:
        InvalidMessage: something is of another type, or a fix is about a message that the
            conversation does not have.
    """
    messages = instance(conversation, Conversation).messages
    return Conversation.from_messages([message for _, message in fixed(messages, diagnostics)])


def fixed(
    messages: Sequence[Message], diagnostics: Iterable[Diagnostic]
) -> list[tuple[int, Message]]:
    """The messages after the fixes, each with its index before them. Raises as `apply_fixes`."""
    fields: dict[tuple[int, str], str | int | None] = {}
    for diagnostic in diagnostics:
        if not isinstance(diagnostic, Diagnostic):
            raise InvalidMessage(f"expected Diagnostics, got {type_name(diagnostic)} among them")
        if diagnostic.fix is not None:
            for edit in diagnostic.fix.edits:
                _check_edit(edit, len(messages))
                fields.setdefault((edit.message_index, edit.field), edit.value)
    changed = list(enumerate(messages))
    for (index, field), value in fields.items():
        if field != POSITION:
            changed[index] = index, _changed(changed[index][1], field, value)
    moves = {index: value for (index, field), value in fields.items() if field == POSITION}
    return _moved(changed, moves)


def _check_edit(edit: Edit, count: int) -> None:
    if not 0 <= edit.message_index < count:
        raise InvalidMessage(
            f"a fix is about message {edit.message_index}, but the conversation has {count} "
            "messages; apply fixes to the conversation that was checked"
        )
    if edit.field not in (POSITION, NAME, *_FIELDS):
        raise InvalidMessage(f"a fix is about the field {edit.field!r}, which it cannot set")
    kind = int if edit.field == POSITION else str
    if edit.value is not None and not isinstance(edit.value, kind):
        raise InvalidMessage(f"a fix sets {edit.field!r} to {edit.value!r}")


def _changed(message: Message, field: str, value: Any) -> Message:
    if field == NAME:
        author = attrs.evolve(message.author, name=value)
        return attrs.evolve(message, author=author)
    return attrs.evolve(message, **{field: value})


def _moved(
    messages: list[tuple[int, Message]], moves: dict[int, str | int | None]
) -> list[tuple[int, Message]]:
    """The messages that stay, each of the others before the one whose place it takes."""
    arriving: dict[int, list[tuple[int, Message]]] = {}
    # The system message goes before a developer message that moves to the same place.
    for index in sorted(
        moves, key=lambda index: (messages[index][1].author.role != Role.SYSTEM, index)
    ):
        place = moves[index]
        if isinstance(place, int):
            arriving.setdefault(place, []).append(messages[index])
    out: list[tuple[int, Message]] = []
    for index, message in enumerate(messages):
        out += arriving.pop(index, ())
        if index not in moves:
            out.append(message)
    return out + [message for place in sorted(arriving) for message in arriving[place]]
