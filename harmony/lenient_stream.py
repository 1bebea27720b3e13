"""Tokens to messages one by one, whatever the tokens are: ``StreamableParser(strict=False)``.

The machine of recovery_reader.py reads, as it does for a batch, so that after `process_eos`
the messages and diagnostics are those of ``HarmonyEncoding.parse(tokens, role,
strict=False)``, for every way to cut the tokens into pieces. What differs from a strict
stream is when text comes. The machine never takes back what it handed out; it waits instead:

- after `<|start|>` in content, until the words behind it are a header or are none; a delta
  is late by at most the words and bytes of the spec's [recovery] table;
- in a header, until `<|message|>` or its end; where more words come than a header has,
  `<|message|>` is missing, and they come as content;
- with a role given, at the first words, until they cannot go on the prompt's header.

What a batch can do and a stream cannot: nothing. These bounds hold in both.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Self

from harmony.content_decoder import ContentDecoder
from harmony.events import ContentDelta, HeaderParsed, MessageFinished
from harmony.header_choice import Note
from harmony.messages import Role
from harmony.parser import message_of
from harmony.recovery_parts import State
from harmony.recovery_reader import RecoveryReader
from harmony.stream import StreamableParser
from harmony.stream_surface import StreamState
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding
    from harmony.events import Event
    from harmony.matcher import Header
    from harmony.messages import Message
    from harmony.transcript import Diagnostic

_STATES = {
    State.GAP: StreamState.EXPECT_START,
    State.HEADER: StreamState.HEADER,
    State.CONTENT: StreamState.CONTENT,
    State.HELD: StreamState.CONTENT,
}


class LenientStreamableParser(StreamableParser):
    """Reads the tokens that a model samples, as they come, and never raises.

    Args:
        encoding: what `load_harmony_encoding` returned.
        role: the role that the prompt ended with, after `<|start|>`; None if the tokens hold
            whole messages.
        strict: False.
        tools: the declared tools, on which some readings depend; see `tool_names`.
    """

    def __init__(
        self,
        encoding: HarmonyEncoding,
        role: Role | None,
        *,
        strict: bool = False,  # noqa: ARG002 (what StreamableParser is called with)
        tools: Tools = None,
    ) -> None:
        self._recovery = encoding.recovery
        self._vocabulary = encoding.vocabulary
        lexicon = self._recovery.openings(tools).lexicon
        self._reader = RecoveryReader(lexicon, None if role is None else Role(role), self)
        self._tokens: list[int] = []
        # Where each token starts in the lexed bytes, and where the last one ends.
        self._starts = [0]
        self._messages: list[Message] = []
        self._notes: list[Note] = []
        self._header: Header | None = None
        self._content_starts = 0
        self._received: list[bytes] = []
        self._utf8 = ContentDecoder()
        self._delta = ""
        self._events: list[Event] = []
        # Whether bytes that are not UTF-8 come out as the reference gives them, by the token.
        self._stepping = False

    # ---- tokens in -----------------------------------------------------------------------

    def process(self, token: int) -> Self:
        """Take one token; returns the parser."""
        self._stepping = self._reader.state is State.CONTENT
        self._take_all([token])
        self._stepping = False
        self._events.clear()
        return self

    def feed(self, tokens: Sequence[int]) -> list[Event]:
        """Take any number of tokens; returns what they brought, in order.

        The text of one message in one call is one `ContentDelta`; the deltas of all calls,
        joined, are the message's content.
        """
        self._take_all(ids_of(tokens))
        return self._taken()

    def process_eos(self) -> Self:
        """Take the end of the input: what was waited for is read as it stands."""
        self.finish()
        return self

    def finish(self) -> list[Event]:
        """As `process_eos`; returns what the end of the input brought, as `feed` does."""
        self._delta = ""
        self._reader.end(self._starts[-1])
        return self._taken()

    def _taken(self) -> list[Event]:
        if self._header is not None and self._delta:
            self._events.append(ContentDelta(self._delta))
            self._delta = ""
        events, self._events = self._events, []
        return events

    def _take_all(self, tokens: Iterable[int]) -> None:
        self._delta = ""
        reader, recovery, vocabulary = self._reader, self._recovery, self._vocabulary
        text: list[bytes] = []
        text_at = end = self._starts[-1]
        for token in tokens:
            known = vocabulary.has(token)
            piece = recovery.piece(token)
            at, end = end, end + len(piece)
            self._tokens.append(token)
            self._starts.append(end)
            if not known:
                self._notes.append(Note("unknown-token", at, end, str(token)))
            elif token >= vocabulary.first_special:
                if text:
                    reader.text(b"".join(text), text_at)
                    text.clear()
                reader.special(recovery.special(token, at))
                continue
            if not text:
                text_at = at
            text.append(piece)
        if text:
            reader.text(b"".join(text), text_at)

    # ---- what the machine says (see recovery_reader.Sink) --------------------------------

    def opened(self, header: Header, start: int, content: int) -> None:  # noqa: ARG002
        """A message begins."""
        self._header = header
        self._content_starts = content
        self._received = []
        self._utf8 = ContentDecoder()
        self._delta = ""
        self._events.append(HeaderParsed(*header))

    def content(self, data: bytes) -> None:
        """More content."""
        self._received.append(data)
        text = self._utf8.step(data) if self._stepping else self._utf8.take(data)
        self._delta += text or ""

    def closed(self, content: int, stop: int, terminator: int | None) -> None:  # noqa: ARG002
        """The message ends."""
        assert self._header is not None
        if delta := self._delta + self._utf8.end():
            self._events.append(ContentDelta(delta))
        text = b"".join(self._received).decode("utf-8", "replace")
        message = message_of(self._header, text)
        self._messages.append(message)
        special = None if terminator is None else self._vocabulary.special_texts[terminator]
        self._events.append(MessageFinished(message, special))
        self._header = None
        self._delta = ""

    def noted(self, note: Note) -> None:
        """A leniency was used."""
        self._notes.append(note)

    # ---- what is known now ---------------------------------------------------------------

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong so far, in the order of the tokens."""
        return self._recovery.diagnostics(self._notes, self._starts)

    @property
    def current_content(self) -> str:
        """The content of the current message so far; ``""`` outside content."""
        return "".join(self._utf8.pieces) if self._header is not None else ""

    @property
    def last_content_delta(self) -> str | None:
        """The text that the last token completed, if it completed any."""
        return self._delta or None if self._header is not None else None

    def _current(self) -> Header | None:
        pending = self._reader.pending
        return self._header if pending is None else pending[0]

    @property
    def current_role(self) -> Role | None:
        """The role of the current message; before its header is complete, the one given."""
        header, opening = self._current(), self._reader.opening
        if header is not None:
            return header.role
        given = opening is not None and opening.pieces[0].kind is None
        return opening.speaker.role if opening is not None and given else None

    @property
    def state(self) -> StreamState:
        """What the parser waits for."""
        return _STATES[self._reader.state]

    def _header_tokens(self) -> list[int]:
        opening = self._reader.opening
        if opening is None:
            return []
        first = opening.pieces[0]
        return self._tokens_from(first.start + len(first.marker))

    def _content_tokens(self) -> list[int]:
        pending = self._reader.pending
        return self._tokens_from(self._content_starts if pending is None else pending[2])

    def _tokens_from(self, at: int) -> list[int]:
        return self._tokens[bisect_left(self._starts, at) :]
