"""Bytes to text, as they come. Spec: [content]."""

from __future__ import annotations


class ContentDecoder:
    """Bytes to text, as they come: a character split over tokens comes out whole.

    Where bytes are not UTF-8, one step gives the text before the fault and one U+FFFD, and
    what follows waits for the next step, as the reference does it: the deltas are equal
    token by token, and joined they are what decoding all at once gives.
    """

    __slots__ = ("carry", "last", "pieces")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        """The text given out so far."""
        self.carry = b""
        """Bytes that wait for the rest of their character."""
        self.last: str | None = None
        """What the last step gave out."""

    def step(self, data: bytes) -> str | None:
        """Take the bytes of one token; the text that it completes, or None."""
        data = self.carry + data
        try:
            text = data.decode()
            self.carry = b""
        except UnicodeDecodeError as error:
            text = data[: error.start].decode()
            if error.reason == "unexpected end of data":
                self.carry = data[error.start :]
            else:
                text += "\ufffd"
                self.carry = data[error.end :]
        self.last = text or None
        if text:
            self.pieces.append(text)
        return self.last

    def take(self, data: bytes, *, gently: bool = False) -> str:
        """Take the bytes of many tokens; all the text that they complete.

        With ``gently``, bytes that are not UTF-8 are left to `step`: nothing is taken, and
        UnicodeDecodeError is raised.
        """
        data = self.carry + data
        try:
            text, carry = data.decode(), b""
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                text, carry = data[: error.start].decode(), data[error.start :]
            elif gently:
                raise
            else:
                whole = data.decode("utf-8", "replace")
                carry = _incomplete(data)
                text = whole[: len(whole) - bool(carry)]
        self.carry = carry
        self.last = text or None
        if text:
            self.pieces.append(text)
        return text

    def end(self) -> str:
        """What is left when the content ends; an incomplete character is one U+FFFD."""
        rest = self.carry.decode("utf-8", "replace")
        self.carry = b""
        return rest


def _incomplete(data: bytes) -> bytes:
    """The bytes at the end of ``data`` that may begin a character; at most three."""
    for size in (3, 2, 1):
        tail = data[-size:]
        try:
            tail.decode()
        except UnicodeDecodeError as error:
            if error.start == 0 and error.reason == "unexpected end of data":
                return tail
    return b""
