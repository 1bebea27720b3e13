"""Tokens to messages, whatever the tokens are: ``strict=False``.

Well-formed input is read as the strict parser reads it, by the same compiled grammar, and
headers that were seen before cost one look-up. At the first message that is anything else
the machine of recovery_reader.py takes over. Which leniencies there are, and what each does,
stands in spec/harmony.toml, [[leniencies]].
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from harmony.declared_tools import tool_names
from harmony.errors import InvalidToken
from harmony.header_choice import Note, Speaker
from harmony.header_recovery import Piece, read_header
from harmony.header_words import Lexicon
from harmony.matcher import remember
from harmony.parser import message_of
from harmony.recovery_parts import Special
from harmony.recovery_reader import RecoveryReader
from harmony.transcript import Diagnostic, Span, TokenRange, Transcript
from harmony.vocabulary import MARK, text_of
from harmony.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harmony.declared_tools import Tools
    from harmony.grammar import Grammar
    from harmony.matcher import Header, Matcher
    from harmony.messages import Message, Role
    from harmony.transcript import Bounds
    from harmony.vocabulary import Vocabulary

# Sets of declared tools whose headers are remembered.
MOST_TOOL_SETS = 64
# How far back the call is looked for that a tool answers without saying to whom.
MOST_OPEN_CALLS = 8


class TokenRanges:
    """From bytes of the lexed input to its tokens."""

    def __init__(self, starts: list[int]) -> None:
        self.starts = starts
        """Where each token starts, and where the last one ends."""

    def of(self, note: Note) -> TokenRange:
        """The tokens that ``note`` is about; none where it is about something missing."""
        if note.start >= note.stop:
            index = bisect_left(self.starts, note.start)
            return TokenRange(index, index)
        return TokenRange(self._holding(note.start), bisect_left(self.starts, note.stop))

    def span(self, bound: Bounds) -> Span:
        """The tokens of a message. One that is half header, half content counts as content."""
        return Span.between(*map(self._holding, bound))

    def _holding(self, at: int) -> int:
        return bisect_right(self.starts, at) - 1


class OpeningReader:
    """Headers that need no leniency, by their bytes; for one set of declared tools."""

    def __init__(self, lexicon: Lexicon, matcher: Matcher) -> None:
        self.lexicon = lexicon
        self._matcher = matcher
        self._plain: dict[Role | None, dict[bytes, Header]] = {}
        spec = lexicon.spec
        self._kinds = {
            MARK + spec.token(kind).text.encode(): kind
            for kind in ("start", "channel", "constrain")
        }
        self._marker = re.compile(b"(" + b"|".join(map(re.escape, self._kinds)) + b")")

    def plain(self, role: Role | None) -> dict[bytes, Header]:
        """The headers read so far, by their bytes up to `<|message|>`."""
        return self._plain.setdefault(role, {})

    def read(
        self, opening: bytes, role: Role | None, called: Callable[[str], bool]
    ) -> Header | None:
        """The header in ``opening``; None if reading it takes a leniency.

        ``called`` says whether a call to that tool waits for its answer.
        """
        strict = self._matcher.read_header(opening, role)
        if strict is None:
            return None
        asked: list[str] = []

        def is_called(tool: str) -> bool:
            asked.append(tool)
            return called(tool)

        pieces = self._pieces(opening, role)
        if pieces is None:
            return None
        speaker = Speaker(role or self.lexicon.default_role)
        reading = read_header(self.lexicon, pieces, speaker, cut=False, called=is_called)
        if reading.notes or reading.header != strict:
            return None
        if not asked:
            remember(self.plain(role), opening, strict)
        return strict

    def _pieces(self, opening: bytes, role: Role | None) -> list[Piece] | None:
        first, *rest = self._marker.split(opening)
        pieces = [Piece(None, 0, b"", first)]
        at = len(first)
        for marker, text in zip(rest[::2], rest[1::2], strict=True):
            pieces.append(Piece(self._kinds[marker], at, marker, text))
            at += len(marker) + len(text)
        if role is not None:
            # A `<|start|>` that the prompt held already is for the machine to say.
            repeated = any(piece.kind == "start" for piece in pieces)
            text = self.lexicon.continues(first, complete=True)
            return pieces if text and not repeated else None
        return pieces[1:]


class Recovery:
    """Reads any tokens. Spec: [recovery], [[leniencies]]."""

    def __init__(self, grammar: Grammar, matcher: Matcher, vocabulary: Vocabulary) -> None:
        spec = grammar.spec
        self.spec = spec
        self.vocabulary = vocabulary
        self._matcher = matcher
        self._readers: dict[tuple[str, ...], OpeningReader] = {}
        writer = Writer(grammar, spec.dialect(None))
        self._introducers = {
            mark: field for field in spec.extra_fields for mark in writer.introducers(field)
        }
        markers = b"|".join(re.escape(vocabulary.marker(t.id)) for t in spec.stop_set("any"))
        self._body = re.compile(rb"([^\xff]*+)(" + markers + rb"|\Z)")
        self._kinds = {
            spec.token(name).id: name for name in ("start", "message", "channel", "constrain")
        }
        self._kinds.update((token.id, "end") for token in spec.stop_set("any"))
        # Another vocabulary may have no `<|endoftext|>`.
        tokens = map(spec.special_tokens.get, spec.table("recovery")["terminators"])
        self._kinds.update((token.id, "end") for token in tokens if token is not None)
        rows = [*spec.rows("leniencies"), *spec.rows("text_leniencies")]
        self._leniencies = {row["code"]: row for row in rows}
        self._replacement: bytes = spec.table("content")["replacement"].encode()

    def openings(self, tools: Tools) -> OpeningReader:
        """What reads headers where ``tools`` are declared. Raises as `tool_names` does."""
        names = tool_names(tools, self.spec) if tools else ()
        reader = self._readers.get(names)
        if reader is None:
            if len(self._readers) >= MOST_TOOL_SETS:
                self._readers.clear()
            lexicon = Lexicon(self.spec, names, self._introducers)
            reader = self._readers[names] = OpeningReader(lexicon, self._matcher)
        return reader

    def transcript(
        self, tokens: Sequence[int], role: Role | None = None, tools: Tools = None
    ) -> Transcript:
        """The messages in ``tokens``, where they stood, and what was wrong.

        Args:
            tokens: any integers.
            role: the role that the prompt ended with, after `<|start|>`.
            tools: the declared tools, on which some readings depend; see `tool_names`.

        Raises:
            InvalidMessage: ``tools`` holds something else than tools. Nothing else is raised.
        """
        openings = self.openings(tools)
        notes: list[Note] = []
        pieces: list[bytes] | None = None
        try:
            data = self.vocabulary.lex(tokens)
        except InvalidToken:
            pieces = [self.piece(token) for token in tokens]
            data = b"".join(pieces)
        messages, bounds, at = self._well_formed(data, role, openings)
        if at is None and pieces is None:
            return Transcript(messages, tokens, bounds, self.vocabulary)
        if pieces is None:
            pieces = [self.vocabulary.table[token] for token in tokens]
        ranges = TokenRanges(list(accumulate(map(len, pieces), initial=0)))
        if at is not None:
            batch = _Batch(messages, bounds, notes)
            reader = RecoveryReader(openings.lexicon, role, batch, at, messages)
            self._drive(reader, tokens, data, ranges.starts, bisect_left(ranges.starts, at))
        notes += self._unknown(tokens, ranges.starts)
        return Transcript(
            messages,
            tokens,
            bounds,
            self.vocabulary,
            self.diagnostics(notes, ranges.starts),
            spans=[ranges.span(bound) for bound in bounds],
        )

    def _well_formed(
        self, data: bytes, role: Role | None, openings: OpeningReader
    ) -> tuple[list[Message], list[Bounds], int | None]:
        """The messages up to the first that is not well formed, and where that starts."""
        find, end, body = data.find, self._matcher.end, self._body.match
        plain = openings.plain(role)
        messages: list[Message] = []
        bounds: list[Bounds] = []
        start, size = 0, len(data)
        while start < size or role is not None:
            stop = find(end, start)
            if stop < 0:
                return messages, bounds, start
            opening = data[start:stop]
            header = plain.get(opening) or openings.read(
                opening, role, lambda tool: _is_open(messages, tool)
            )
            content = stop + len(end)
            match = None if header is None else body(data, content)
            if header is None or match is None:
                return messages, bounds, start
            messages.append(message_of(header, text_of(match[1])))
            bounds.append((start, content, match.end(1), start := match.end()))
            if role is not None:
                role, plain = None, openings.plain(None)
        return messages, bounds, None

    def _drive(
        self,
        reader: RecoveryReader,
        tokens: Sequence[int],
        data: bytes,
        starts: list[int],
        first: int,
    ) -> None:
        """Hand the tokens from the index ``first`` on to ``reader``."""
        special, has = self.vocabulary.first_special, self.vocabulary.has
        for index in range(first, len(tokens)):
            # What is no integer at all reads as an id that the vocabulary lacks.
            if not has(tokens[index]) or tokens[index] < special:
                continue
            if first < index:
                reader.text(data[starts[first] : starts[index]], starts[first])
            reader.special(self.special(tokens[index], starts[index]))
            first = index + 1
        if first < len(tokens):
            reader.text(data[starts[first] :], starts[first])
        reader.end(len(data))

    def special(self, token: int, at: int) -> Special:
        """The special token ``token``, which stands at the byte ``at``."""
        return Special(self._kinds.get(token, "other"), token, self.vocabulary.table[token], at)

    def piece(self, token: int) -> bytes:
        """What the lexer makes of ``token``; U+FFFD of an id that the vocabulary lacks."""
        return self.vocabulary.table[token] if self.vocabulary.has(token) else self._replacement

    def _unknown(self, tokens: Sequence[int], starts: list[int]) -> Iterator[Note]:
        has = self.vocabulary.has
        for index, token in enumerate(tokens):
            if not has(token):
                yield Note("unknown-token", starts[index], starts[index + 1], str(token))

    def diagnostics(self, notes: Sequence[Note], starts: list[int]) -> list[Diagnostic]:
        """What ``notes`` say, in the spec's words and in the order of the tokens.

        ``starts`` says where each token starts in the lexed bytes, and where the last one
        ends. Spec: [[leniencies]].
        """
        ranges = TokenRanges(starts)
        diagnostics = [self.diagnostic(note, ranges.of(note)) for note in notes]
        return sorted(diagnostics, key=lambda diagnostic: (diagnostic.tokens, diagnostic.code))

    def diagnostic(self, note: Note, tokens: TokenRange) -> Diagnostic:
        """What ``note`` says about ``tokens``."""
        row = self._leniencies[note.code]
        message = row["sentence"].replace("{found}", repr(note.text))
        return Diagnostic(note.code, message, tokens, row["severity"], note.text)


def _is_open(messages: list[Message], tool: str) -> bool:
    """Whether the last of ``messages`` to do with ``tool`` is a call to it."""
    for message in messages[: -MOST_OPEN_CALLS - 1 : -1]:
        if message.recipient == tool:
            return True
        if message.author.name == tool:
            return False
    return False


class _Batch:
    """Gathers messages from a `RecoveryReader`."""

    def __init__(self, messages: list[Message], bounds: list[Bounds], notes: list[Note]) -> None:
        self._messages = messages
        self._bounds = bounds
        self._header: tuple[Header, int, int] | None = None
        self._content: list[bytes] = []
        self._notes = notes

    def opened(self, header: Header, start: int, content: int) -> None:
        self._header = header, start, content
        self._content = []

    def content(self, data: bytes) -> None:
        self._content.append(data)

    def closed(self, content: int, stop: int, terminator: int | None) -> None:  # noqa: ARG002
        assert self._header is not None
        header, start, begins = self._header
        text = b"".join(self._content).decode("utf-8", "replace")
        self._messages.append(message_of(header, text))
        self._bounds.append((start, begins, content, stop))

    def noted(self, note: Note) -> None:
        self._notes.append(note)
