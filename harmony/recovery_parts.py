"""What the machine of recovery_reader.py holds in its hands, and whom it tells."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from harmony.header_choice import Note
from harmony.header_recovery import Piece
from harmony.vocabulary import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.header_choice import Speaker
    from harmony.header_words import Lexicon
    from harmony.matcher import Header


class Sink(Protocol):
    """Who is told what was read. All places are bytes of the lexed input."""

    def opened(self, header: Header, start: int, content: int) -> None:
        """A message begins at ``start``, its content at ``content``."""

    def content(self, data: bytes) -> None:
        """More content, as the bytes that it stands for."""

    def closed(self, content: int, stop: int, terminator: int | None) -> None:
        """The message's content ended at ``content``, and the message at ``stop``."""

    def noted(self, note: Note) -> None:
        """A leniency was used."""


class State(Enum):
    """What the machine waits for."""

    GAP = "ExpectStart"
    """A message, or the end."""
    HEADER = "Header"
    """The rest of a header."""
    CONTENT = "Content"
    """Content, or a terminator."""
    HELD = "Held"
    """In content, what `<|start|>` leads to."""


class Special(NamedTuple):
    """A special token."""

    kind: str
    """What the machine does with it: ``"start"``, ``"end"`` (all that end a message)…"""
    id: int
    marker: bytes
    at: int
    """Where it stands."""

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.at + len(self.marker)


class Gathering:
    """A piece of a header whose text is still coming."""

    __slots__ = ("kind", "marker", "start", "text")

    def __init__(
        self, kind: str | None, start: int, marker: bytes = b"", text: bytes = b""
    ) -> None:
        self.kind = kind
        self.start = start
        self.marker = marker
        self.text = bytearray(text)

    def data(self) -> bytes:
        """Token and text as far as they came."""
        return self.marker + bytes(self.text)

    def piece(self) -> Piece:
        """The piece as far as it came."""
        return Piece(self.kind, self.start, self.marker, bytes(self.text))


class Opening:
    """A header that is gathering."""

    def __init__(
        self, first: Gathering, speaker: Speaker, *, explicit: bool, missing: bool
    ) -> None:
        self.pieces = [first]
        self.speaker = speaker
        self.explicit = explicit
        """Whether `<|start|>` stands before it, or stood in the prompt."""
        self.missing = missing
        """Whether a missing `<|start|>` is to be noted."""
        self.undecided = False
        """Whether it may turn out to be text (rule 5)."""
        self.words = 0
        """How many words it has since the last `<|channel|>` or `<|constrain|>`."""
        self.in_word = False
        self.repeated: list[bytes] = []
        """Openings before it that said nothing: `<|start|>assistant<|start|>assistant`."""
        self.repeated_at: int | None = None

    @property
    def start(self) -> int:
        """Where it stands."""
        return self.pieces[0].start

    def data(self) -> bytes:
        """All of it so far."""
        return b"".join(piece.data() for piece in self.pieces)

    def may_continue(self, lexicon: Lexicon, *, complete: bool) -> bool:
        """Whether the words so far can go on the prompt's header; else they are text (rule 5)."""
        if not self.undecided:
            return True
        text = bytes(self.pieces[0].text)
        if not lexicon.continues(text, complete=complete):
            return False
        self.undecided = not complete and not lexicon.is_addressed(text)
        return True

    def is_text(self, lexicon: Lexicon, *, before: str | None) -> bool:
        """Whether what has gathered is text and no header's (rule 5).

        ``before`` is the kind of the special token that follows; None at the end.
        """
        text = bytes(self.pieces[0].text)
        if not self.undecided:
            return False
        if not text:
            return before == "other"
        if lexicon.is_addressed(text):
            return False
        if before == "start":
            # Before `<|start|>` only the role can stand, which the prompt held already.
            words = lexicon.words(text)
            return len(words) > 1 or any(not lexicon.is_role(word.data) for word in words)
        if before in ("end", "other", None):
            return True
        return not self.may_continue(lexicon, complete=True)


class Gap:
    """What stands between two messages (rule 4)."""

    def __init__(self) -> None:
        self.stray: list[tuple[int, bytes]] = []
        """Text and tokens that belong to no message, and where they stand."""
        self.terminators: list[Special] = []
        self.tail = bytearray()
        """The text since the last special token."""
        self.tail_at = 0

    def text(self, data: bytes, at: int) -> None:
        """Take text."""
        if not self.tail:
            self.tail_at = at
        self.tail += data

    def set_aside(self) -> None:
        """The text since the last special token is no header's."""
        if self.tail:
            self.stray.append((self.tail_at, bytes(self.tail)))
            self.tail.clear()

    def notes(self) -> Iterator[Note]:
        """What is to be said about it."""
        self.set_aside()
        if self.terminators:
            first, last = self.terminators[0], self.terminators[-1]
            text = "".join(text_of(token.marker) for token in self.terminators)
            yield Note("repeated-terminator", first.at, last.stop, text)
        if self.stray:
            data = b"".join(part for _, part in self.stray)
            at, part = self.stray[-1]
            code = "stray-text" if data.strip() else "stray-white-space"
            yield Note(code, self.stray[0][0], at + len(part), text_of(data))


class Held:
    """What follows `<|start|>` in content, until it is a header or is none (rule 3)."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.parts: list[list[Gathering]] = []
        """Each `<|start|>` begins another part; a part is the pieces of a header."""

    def begin(self, token: Special) -> None:
        """Take `<|start|>`."""
        self.parts.append([Gathering(token.kind, token.at, token.marker)])

    def constrain(self, token: Special) -> None:
        """Take `<|constrain|>`."""
        self.parts[-1].append(Gathering(token.kind, token.at, token.marker))

    def leads_on(self, *, complete: bool) -> bool:
        """Whether the last part can be, or with ``complete`` is, a header."""
        first, *more = self.parts[-1]
        if more:
            size = sum(len(piece.text) for piece in more)
            words = sum(len(self._lexicon.words(bytes(piece.text))) for piece in more)
            return size <= self._lexicon.most_bytes and words <= 1 + complete
        return self._lexicon.opens(bytes(first.text), complete=complete, prose=True)

    def repeated(self) -> int:
        """The index of the first part that says what the last one says, or nothing."""
        author = self.parts[-1][0].text.strip()
        first = len(self.parts) - 1
        while first:
            text = self.parts[first - 1][0].text.strip()
            if text and text != author:
                break
            first -= 1
        return first
