"""What a stream parser reports, as it happens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from harmony.messages import Message, Role


@attrs.frozen
class HeaderParsed:
    """A header is complete; content follows. Spec: [header]."""

    role: Role
    """Who speaks."""
    name: str | None
    """A user's name, or the tool's."""
    recipient: str | None
    """To whom; None for everyone."""
    channel: str | None
    """On which channel."""
    content_type: str | None
    """In which content type, as it is spelled."""
    extra: tuple[tuple[str, str], ...] | None = None
    """The fields that a user's own grammar adds, with their texts; None if there are none."""


@attrs.frozen
class ContentDelta:
    """More content of the current message. Spec: [content]."""

    text: str
    """Whole characters only; never empty."""


@attrs.frozen
class MessageFinished:
    """A message is complete. Spec: [terminators]."""

    message: Message
    """All of it."""
    terminator: str | None
    """The special token that ended it, as text; None at the end of the input."""


Event: TypeAlias = HeaderParsed | ContentDelta | MessageFinished


def event_name(kind: type[Event]) -> str:
    """What an event is called as plain data: ``"header_parsed"``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
