"""What a stream parser lets its user see of the current message and of what is finished."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harmony.matcher import Header
    from harmony.messages import Message


class StreamState(Enum):
    """What the parser waits for."""

    EXPECT_START = "ExpectStart"
    """A message, or the end."""
    HEADER = "Header"
    """The rest of a header."""
    CONTENT = "Content"
    """Content, or a terminator."""


class StreamSurface:
    """The properties that follow from a parser's state. Names are those of `openai_harmony`."""

    _tokens: list[int]
    _messages: list[Message]

    @property
    def state(self) -> StreamState:
        """What the parser waits for."""
        raise NotImplementedError

    def _current(self) -> Header | None:
        """The header of the current message, once it is complete."""
        raise NotImplementedError

    def _header_tokens(self) -> list[int]:
        """The tokens of the header that gathers."""
        raise NotImplementedError

    def _content_tokens(self) -> list[int]:
        """The tokens of the current content."""
        raise NotImplementedError

    @property
    def current_channel(self) -> str | None:
        """The channel of the current message, once its header is complete."""
        header = self._current()
        return None if header is None else header.channel

    @property
    def current_recipient(self) -> str | None:
        """The recipient of the current message, once its header is complete."""
        header = self._current()
        return None if header is None else header.recipient

    @property
    def current_content_type(self) -> str | None:
        """The content type of the current message, once its header is complete."""
        header = self._current()
        return None if header is None else header.content_type

    @property
    def current_extra(self) -> dict[str, str]:
        """The fields that a user's own grammar adds to the header of the current message."""
        header = self._current()
        return {} if header is None else dict(header.extra or ())

    @property
    def messages(self) -> list[Message]:
        """The messages that are finished."""
        return list(self._messages)

    @property
    def tokens(self) -> list[int]:
        """All tokens taken so far."""
        return list(self._tokens)

    @property
    def state_data(self) -> dict[str, Any]:
        """The state as plain data.

        ``state``; in a header ``header_tokens``; in content ``header`` and ``content_tokens``.
        """
        state, header = self.state, self._current()
        data: dict[str, Any] = {"state": state.value}
        if state is StreamState.HEADER:
            data["header_tokens"] = self._header_tokens()
        elif header is not None:
            author = {"role": header.role.value}
            if header.name is not None:
                author["name"] = header.name
            data["header"] = {
                "author": author,
                "recipient": header.recipient,
                "channel": header.channel,
                "content_type": header.content_type,
            }
            if header.extra:
                data["header"]["extra"] = dict(header.extra)
            data["content_tokens"] = self._content_tokens()
        return data
