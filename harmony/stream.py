"""Tokens to messages, one by one or in pieces of any size.

The same machine as the batch parser: the bytes of a header gather until `<|message|>` and go
through the header matcher; content goes through an incremental UTF-8 decoder. Every way to
cut the tokens into pieces gives the messages that the batch parser gives.

`StreamableParser` has the names and results of `openai_harmony`; `feed` stands beside them.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Self

from harmony.content_decoder import ContentDecoder
from harmony.errors import InvalidToken, ParseError
from harmony.events import ContentDelta, Event, HeaderParsed, MessageFinished
from harmony.faults import Faults
from harmony.matcher import remember
from harmony.messages import Message, Role
from harmony.parser import message_of
from harmony.stream_surface import StreamState, StreamSurface
from harmony.tree import parse_tree, read_tree
from harmony.vocabulary import ids_of, literal, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding
    from harmony.matcher import Header


class StreamableParser(StreamSurface):
    """Reads the tokens that a model samples, as they come.

    Args:
        encoding: what `load_harmony_encoding` returned.
        role: the role that the prompt ended with, after `<|start|>`; None if the tokens hold
            whole messages.
        strict: refuse what is not in the format; with False, read it all the same and say
            what was wrong in `diagnostics`. That parser is a `LenientStreamableParser`.
        tools: the declared tools, which a lenient reading may need; see
            `HarmonyEncoding.parse`.

    After a `ParseError` the messages read so far are still there, and the parser waits for
    the next `<|start|>`; after one of `process_eos`, for the rest of the header.
    """

    # What `_enter` sets, for the current content.
    # The decoder has seen the content tokens before `_decoded`. None if there are none yet.
    _decoder: ContentDecoder | None
    _decoded: int
    # Where the content begins: a token index, and bytes from the start of that token.
    _content_at: tuple[int, int]

    def __init__(
        self,
        encoding: HarmonyEncoding,
        role: Role | None,
        *,
        strict: bool = True,
        tools: Tools = None,
    ) -> None:
        self._encoding = encoding
        self._role = role
        self._tokens: list[int] = []
        self._messages: list[Message] = []
        # No defaults in the class: an attribute that the class has too takes the interpreter
        # several times as long to find, at every token.
        # Ids below `_plain` need no look: it is the first special one inside a header or
        # content, and 0 between messages.
        self._plain = 0
        # The header of the current message, in content.
        self._header: Header | None = None
        # The current header or content, lexed: `_chunks`, and the tokens from `_unread` on,
        # which are lexed only when somebody asks or the part is complete.
        self._chunks: list[bytes] | None = None
        self._unread = 0
        if role is not None:
            self._role = Role(role)
            self._plain = encoding.vocabulary.first_special
        if not strict and type(self) is StreamableParser:
            from harmony.lenient_stream import LenientStreamableParser

            # Another class with the same surface, chosen here so that one name serves both.
            self.__class__ = LenientStreamableParser
            assert isinstance(self, LenientStreamableParser)
            LenientStreamableParser.__init__(self, encoding, role, tools=tools)

    # ---- one token -----------------------------------------------------------------------

    def process(self, token: int) -> Self:
        """Take one token; returns the parser.

        Raises:
            ParseError: the token cannot stand here.
            InvalidToken: the vocabulary has no such id.
        """
        # An exact int: 0.5 would pass the comparison, and fail only when it is decoded.
        if type(token) is int and 0 <= token < self._plain:
            self._tokens.append(token)
            return self
        kind = self._encoding.structure.get(token) if type(token) is int else None
        if kind == "part" and self._plain:
            # Of a header, if the grammar takes it, and of a content in any case.
            self._tokens.append(token)
        elif kind is None:
            self._unusual(token)
        else:
            self._structure(token, kind)
        return self

    def _structure(self, token: int, kind: str) -> None:
        """Take a special token, which may open, divide or end a message.

        What `_enter`, `_part` and `_finish` do is written out: at a short message each call
        is a fiftieth of all.
        """
        encoding, tokens = self._encoding, self._tokens
        tokens.append(token)
        if not self._plain:
            self._unread = len(tokens) - 1
            if kind != "start":
                raise self._fault()
            self._plain = encoding.first_special
        elif self._header is not None:
            if kind == "terminator":
                content = encoding.lex_known(tokens[self._unread : -1])
                if self._chunks is not None:
                    content = b"".join([*self._chunks, content])
                try:
                    text = content.decode()
                except UnicodeDecodeError:
                    text = text_of(content)
                self._messages.append(message_of(self._header, text))
                self._header = self._chunks = None
                self._plain = 0
        elif kind == "message":
            # Most headers have been seen before, with the very same ids.
            ids = () if self._chunks else tuple(tokens[self._unread :])
            header = encoding.headers_by_ids[self._role].get(ids) or self._new_header(ids)
            self._header = header
            self._role = self._chunks = self._decoder = None
            self._unread = self._decoded = at = len(tokens)
            self._content_at = (at, 0)
        elif kind == "terminator":
            raise self._fault()

    def _unusual(self, token: int) -> None:
        """Take what is no special token: an ordinary one between messages, or no plain int."""
        if not self._encoding.vocabulary.has(token):
            raise self._invalid_token(token)
        if type(token) is not int:
            # NumPy's integers, say, are taken, but not kept.
            self.process(operator.index(token))
            return
        self._tokens.append(token)
        self._unread = len(self._tokens) - 1
        raise self._fault()

    def _new_header(self, ids: tuple[int, ...]) -> Header:
        """The header that ended with the last token, read for the first time."""
        encoding, role = self._encoding, self._role
        header = encoding.matcher.read_header(self._part(len(self._tokens) - 1), role)
        if header is None:
            header = self._by_authority()
        if ids:
            remember(encoding.headers_by_ids[role], ids, header)
        return header

    def _invalid_token(self, token: object) -> InvalidToken:
        error = self._encoding.vocabulary.invalid_token([token], len(self._tokens))
        error.parsed = self.messages
        return error

    def _part(self, stop: int) -> bytes:
        """The lexed header or content so far, whose tokens end before the index ``stop``."""
        data = self._encoding.vocabulary.lex_known(self._tokens[self._unread : stop])
        return data if self._chunks is None else b"".join([*self._chunks, data])

    def _hold(self, content: bytes) -> None:
        if self._chunks is None:
            self._chunks = [content]
        else:
            self._chunks.append(content)

    def _enter(self, header: Header, token: int, offset: int) -> None:
        """Begin the content, ``offset`` bytes after the start of the token ``token``."""
        self._header = header
        self._role = None
        self._plain = self._encoding.vocabulary.first_special
        self._chunks = None
        self._unread = self._decoded = len(self._tokens)
        self._decoder = None
        self._content_at = (token, offset)

    def _leave(self) -> None:
        """Back to waiting for a message."""
        self._header = self._role = None
        self._plain = 0
        self._chunks = None

    def _finish(self, text: str) -> Message:
        message = message_of(self._header, text)  # type: ignore[arg-type]
        self._messages.append(message)
        self._header = self._chunks = None
        self._plain = 0
        return message

    def process_eos(self) -> Self:
        """Take the end of the input: an unterminated message is finished.

        Raises:
            ParseError: the input ends inside a header.
        """
        if self._header is None:
            self.finish()  # Which refuses a header that is cut short.
        else:
            # No events are asked for, so nothing but the text is decoded.
            self._finish(text_of(self._part(len(self._tokens))))
        return self

    def finish(self) -> list[Event]:
        """As `process_eos`; returns what the end of the input brought, as `feed` does.

        Raises:
            ParseError: the input ends inside a header.
        """
        if self._header is None:
            if self._plain:
                raise self._fault(leave=False)
            return []
        rest = self._catch_up().end()
        message = self._finish(text_of(self._part(len(self._tokens))))
        events: list[Event] = [ContentDelta(rest)] if rest else []
        return [*events, MessageFinished(message, None)]

    def _fault(self, *, leave: bool = True) -> ParseError:
        """The error for the current header, whose last token was taken."""
        try:
            self._by_authority(leave=leave)
        except ParseError as error:
            return error
        raise AssertionError("a header that has not ended is in the grammar")

    def _by_authority(self, *, leave: bool = True) -> Header:
        """The current header, whose last token was taken, as the LALR parser reads it.

        Raises:
            ParseError: it is not in the grammar. With ``leave`` the next message is waited for.
        """
        encoding, role = self._encoding, self._role
        opening = self._part(len(self._tokens))
        data = encoding.vocabulary.lex(self._tokens)
        start = len(data) - len(opening)
        faults = Faults(encoding.spec, encoding.vocabulary, data, self._tokens, self._messages)
        try:
            tree = parse_tree(encoding.grammar, opening, role, faults, start)
            return next(read_tree(tree, role, faults, start))[0]
        except ParseError:
            if leave:
                self._leave()
            raise

    # ---- many tokens ---------------------------------------------------------------------

    def feed(self, tokens: Sequence[int]) -> list[Event]:
        """Take any number of tokens; returns what they brought, in order.

        The text of one message in one call is one `ContentDelta`; the deltas of all calls,
        joined, are the message's content.

        Raises:
            ParseError: a token cannot stand where it stands. What came before it is kept.
            InvalidToken: the vocabulary has no such id. Nothing of this call is kept.
        """
        vocabulary, matcher = self._encoding.vocabulary, self._encoding.matcher
        tokens = ids_of(tokens)
        try:
            data = vocabulary.lex(tokens)
        except InvalidToken as error:
            error.parsed = self.messages
            raise
        end, body = matcher.end, matcher.body.pattern.match
        base = len(self._tokens)
        if self._header is not None:
            self._read_pending()
        events: list[Event] = []
        at, size = 0, len(data)
        while at < size:
            if self._header is None:
                stop = data.find(end, at)
                header = None
                if stop >= 0:
                    opening = data[at:stop] if at or not self._plain else self._held(data[:stop])
                    header = matcher.read_header(opening, self._role)
                if header is None:
                    # A header that goes on in the next call, or a fault: token by token.
                    first = vocabulary.index_at(tokens, at)
                    self._tokens.extend(tokens[:first])
                    for token in tokens[first:]:
                        self.process(token)
                    return events
                at = stop + len(end)
                self._enter(header, base, at)
                events.append(HeaderParsed(*header))
            match = body(data, at)
            assert match is not None
            stop, at = match.end(1), match.end()
            self._take(data[match.start(1) : stop], data[stop:at], events)
        self._tokens.extend(tokens)
        if self._header is not None:
            self._unread = self._decoded = len(self._tokens)
        return events

    def _held(self, more: bytes) -> bytes:
        """The header that gathered before this call, and ``more`` of it."""
        return self._part(len(self._tokens)) + more

    def _take(self, content: bytes, terminator: bytes, events: list[Event]) -> None:
        """Take content, and the terminator if there is one."""
        if not terminator:
            self._hold(content)
            if self._decoder is None:
                self._decoder = ContentDecoder()
            if text := self._decoder.take(literal(content)):
                events.append(ContentDelta(text))
            return
        decoder = self._decoder
        if decoder is not None:
            delta = decoder.take(literal(content)) + (rest := decoder.end())
            text = "".join(decoder.pieces) + rest
        else:
            text = delta = text_of(content)
        if delta:
            events.append(ContentDelta(delta))
        events.append(MessageFinished(self._finish(text), text_of(terminator)))

    def _read_pending(self) -> None:
        """Lex and decode the content that `process` took."""
        if self._unread < len(self._tokens):
            self._catch_up()
            self._hold(self._encoding.vocabulary.lex_known(self._tokens[self._unread :]))
            self._unread = len(self._tokens)

    def _catch_up(self) -> ContentDecoder:
        """Decode the content tokens that nobody has asked for yet."""
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = ContentDecoder()
        first, last = self._decoded, len(self._tokens) - 1
        if first > last:
            return decoder
        self._decoded = last + 1
        vocabulary = self._encoding.vocabulary
        if first < last:
            try:
                decoder.take(vocabulary.decode_bytes(self._tokens[first:last]), gently=True)
            except UnicodeDecodeError:
                for token in self._tokens[first:last]:
                    decoder.step(literal(vocabulary.table[token]))
        decoder.step(literal(vocabulary.table[self._tokens[last]]))
        return decoder

    # ---- what is known now ---------------------------------------------------------------

    @property
    def current_content(self) -> str:
        """The content of the current message so far; ``""`` outside content."""
        return "" if self._header is None else "".join(self._catch_up().pieces)

    @property
    def last_content_delta(self) -> str | None:
        """The text that the last token completed, if it completed any."""
        if self._header is None:
            return None
        decoder, tokens = self._decoder, self._tokens
        if decoder is not None and self._decoded == len(tokens) - 1 and not decoder.carry:
            # What a server reads at every token: one more token, and it is whole characters.
            try:
                text = self._encoding.vocabulary.table[tokens[-1]].decode()
            except UnicodeDecodeError:
                return self._catch_up().last
            self._decoded += 1
            decoder.pieces.append(text)
            decoder.last = text
            return text
        return self._catch_up().last

    @property
    def current_role(self) -> Role | None:
        """The role of the current message; before its header is complete, the one given."""
        return self._header.role if self._header is not None else self._role

    @property
    def state(self) -> StreamState:
        """What the parser waits for."""
        if self._header is not None:
            return StreamState.CONTENT
        return StreamState.HEADER if self._plain else StreamState.EXPECT_START

    def _current(self) -> Header | None:
        return self._header

    def _content_tokens(self) -> list[int]:
        token, offset = self._content_at
        table = self._encoding.vocabulary.table
        while offset > 0:
            offset -= len(table[self._tokens[token]])
            token += 1
        return self._tokens[token:]

    def _header_tokens(self) -> list[int]:
        # A header holds no `<|start|>` but the one that opens it, so it begins after the last
        # one; if a role was given and none came, at the first token.
        start = self._encoding.vocabulary.start_id
        for index in range(len(self._tokens) - 1, -1, -1):
            if self._tokens[index] == start:
                return self._tokens[index + 1 :]
        return list(self._tokens)
