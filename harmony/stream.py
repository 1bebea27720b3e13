"""Tokens to messages, one by one or in pieces of any size.

The same machine as the batch parser: the bytes of a header gather until `<|message|>` and go
through the header matcher; content goes through an incremental UTF-8 decoder. Every way to
cut the tokens into pieces gives the messages that the batch parser gives.

`StreamableParser` has the names and results of `openai_harmony`; `feed` stands beside them.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import attrs

from harmony.errors import ParseError
from harmony.faults import Faults
from harmony.messages import Message, Role
from harmony.parser import message_of
from harmony.tree import parse_tree, read_tree
from harmony.vocabulary import literal, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.encoding import HarmonyEncoding
    from harmony.matcher import Header


class StreamState(Enum):
    """What the parser waits for."""

    EXPECT_START = "ExpectStart"
    """A message, or the end."""
    HEADER = "Header"
    """The rest of a header."""
    CONTENT = "Content"
    """Content, or a terminator."""


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


class StreamableParser:
    """Reads the tokens that a model samples, as they come.

    Args:
        encoding: what `load_harmony_encoding` returned.
        role: the role that the prompt ended with, after `<|start|>`; None if the tokens hold
            whole messages.
        strict: refuse what is not in the format; with False, read it all the same and say
            what was wrong in `diagnostics`.

    After a `ParseError` the messages read so far are still there, and the parser waits for
    the next `<|start|>`.
    """

    __slots__ = (
        "_chunks",
        "_content_at",
        "_decoded",
        "_decoder",
        "_encoding",
        "_first_special",
        "_header",
        "_in_content",
        "_messages",
        "_opening",
        "_role",
        "_state",
        "_tokens",
        "_unread",
    )

    def __new__(
        cls,
        encoding: HarmonyEncoding,  # noqa: ARG004 (for __init__)
        role: Role | None,  # noqa: ARG004 (for __init__)
        *,
        strict: bool = True,
    ) -> Self:
        """A parser that refuses, or with ``strict=False`` one that reads whatever comes."""
        if not strict and cls is StreamableParser:
            from harmony.lenient_stream import LenientStreamableParser

            return super().__new__(LenientStreamableParser)  # type: ignore[return-value]
        return super().__new__(cls)

    def __init__(
        self,
        encoding: HarmonyEncoding,
        role: Role | None,
        *,
        strict: bool = True,  # noqa: ARG002 (for __new__)
    ) -> None:
        self._encoding = encoding
        self._first_special = encoding.vocabulary.first_special
        self._role = None if role is None else Role(role)
        self._state = StreamState.EXPECT_START if role is None else StreamState.HEADER
        self._tokens: list[int] = []
        self._messages: list[Message] = []
        # The header so far, lexed, in pieces; or the content: `_chunks`, and the tokens from
        # `_unread` on, which are lexed only when somebody asks.
        self._opening: list[bytes] = []
        self._in_content = False
        self._header: Header | None = None
        self._chunks: list[bytes] = []
        self._unread = 0
        # The decoder has seen the tokens before `_decoded`.
        self._decoder = ContentDecoder()
        self._decoded = 0
        # Where the content begins: a token index, and bytes from the start of that token.
        self._content_at = (0, 0)

    # ---- one token -----------------------------------------------------------------------

    def process(self, token: int) -> Self:
        """Take one token; returns the parser.

        Raises:
            ParseError: the token cannot stand here.
            InvalidToken: the vocabulary has no such id.
        """
        try:
            if self._in_content and 0 <= token < self._first_special:
                self._tokens.append(token)
                return self
        except TypeError:
            pass
        self._structure(token)
        return self

    def _structure(self, token: int) -> None:
        """Take a token that may be structure."""
        encoding = self._encoding
        vocabulary = encoding.vocabulary
        if not vocabulary.has(token):
            raise vocabulary.invalid_token([token], len(self._tokens))
        self._tokens.append(token)
        if self._in_content:
            if token in encoding.terminator_ids:
                self._finish(text_of(self._content_bytes(len(self._tokens) - 1)))
            return
        piece = vocabulary.table[token]
        role = self._role
        if self._state is StreamState.EXPECT_START:
            if token != encoding.start_id:
                raise self._fault([piece], role)
            self._state = StreamState.HEADER
            self._opening = [piece]
        elif token == encoding.message_id:
            opening = self._reset()
            header = encoding.matcher.read_header(b"".join(opening), role)
            if header is None:
                raise self._fault([*opening, piece], role)
            self._enter(header, len(self._tokens), 0)
        elif token in encoding.terminator_ids:
            raise self._fault([*self._reset(), piece], role)
        else:
            self._opening.append(piece)

    def _reset(self) -> list[bytes]:
        """Back to waiting for a message; returns the header that had gathered."""
        opening = self._opening
        self._state, self._in_content, self._opening = StreamState.EXPECT_START, False, []
        self._header = self._role = None
        return opening

    def _enter(self, header: Header, token: int, offset: int) -> None:
        """Begin the content, ``offset`` bytes after the start of the token ``token``."""
        self._header, self._role = header, None
        self._state, self._in_content, self._opening = StreamState.CONTENT, True, []
        self._chunks = []
        self._unread = self._decoded = len(self._tokens)
        self._decoder = ContentDecoder()
        self._content_at = (token, offset)

    def _content_bytes(self, stop: int) -> bytes:
        """The lexed content, whose tokens end before the index ``stop``."""
        data = self._encoding.vocabulary.lex(self._tokens[self._unread : stop])
        return b"".join([*self._chunks, data]) if self._chunks else data

    def _finish(self, text: str) -> Message:
        assert self._header is not None
        message = message_of(self._header, text)
        self._messages.append(message)
        self._reset()
        return message

    def process_eos(self) -> Self:
        """Take the end of the input: an unterminated message is finished.

        Raises:
            ParseError: the input ends inside a header.
        """
        if self._in_content:
            self._finish(text_of(self._content_bytes(len(self._tokens))))
        elif self._state is StreamState.HEADER:
            raise self._fault(self._opening, self._role)
        return self

    def _fault(self, opening: list[bytes], role: Role | None) -> ParseError:
        """The error for a message that begins with ``opening``, the last tokens taken.

        The LALR parser is asked, since it is the authority.
        """
        encoding = self._encoding
        data = encoding.vocabulary.lex(self._tokens)
        piece = b"".join(opening)
        start = len(data) - len(piece)
        faults = Faults(encoding.spec, encoding.vocabulary, data, self._tokens, self._messages)
        try:
            tree = parse_tree(encoding.grammar, piece, role, faults, start)
            list(read_tree(tree, role, faults, start))
        except ParseError as error:
            return error
        raise AssertionError(f"the matcher refuses what the grammar takes: {piece!r}")

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
        data = vocabulary.lex(tokens)
        end, body = matcher.end, matcher.body.pattern.match
        base = len(self._tokens)
        if self._in_content:
            self._read_pending()
        events: list[Event] = []
        at, size = 0, len(data)
        while at < size:
            if not self._in_content:
                stop = data.find(end, at)
                header = None
                if stop >= 0:
                    opening = b"".join([*self._opening, data[at:stop]])
                    header = matcher.read_header(opening, self._role)
                if header is None:
                    # A header that goes on in the next call, or a fault: token by token.
                    first = vocabulary.index_at(tokens, at)
                    self._tokens.extend(tokens[:first])
                    for token in tokens[first:]:
                        self._structure(token)
                    return events
                at = stop + len(end)
                self._enter(header, base, at)
                events.append(HeaderParsed(*header))
            match = body(data, at)
            assert match is not None
            stop, at = match.end(1), match.end()
            self._take(data[match.start(1) : stop], data[stop:at], events)
        self._tokens.extend(tokens)
        self._unread = self._decoded = len(self._tokens)
        return events

    def _take(self, content: bytes, terminator: bytes, events: list[Event]) -> None:
        """Take content, and the terminator if there is one."""
        decoder = self._decoder
        if not terminator:
            self._chunks.append(content)
            if text := decoder.take(literal(content)):
                events.append(ContentDelta(text))
            return
        if self._chunks:
            delta = decoder.take(literal(content)) + (rest := decoder.end())
            text = "".join(decoder.pieces) + rest
        else:
            text = delta = text_of(content)
        if delta:
            events.append(ContentDelta(delta))
        events.append(MessageFinished(self._finish(text), text_of(terminator)))

    def _read_pending(self) -> None:
        """Lex and decode the content that `process` took."""
        self._catch_up()
        self._chunks.append(self._encoding.vocabulary.lex(self._tokens[self._unread :]))
        self._unread = len(self._tokens)

    def _catch_up(self) -> None:
        """Decode the content tokens that nobody has asked for yet."""
        first, last = self._decoded, len(self._tokens) - 1
        if first > last:
            return
        self._decoded = last + 1
        vocabulary, decoder = self._encoding.vocabulary, self._decoder
        if first < last:
            try:
                decoder.take(vocabulary.decode_bytes(self._tokens[first:last]), gently=True)
            except UnicodeDecodeError:
                for token in self._tokens[first:last]:
                    decoder.step(literal(vocabulary.table[token]))
        decoder.step(literal(vocabulary.table[self._tokens[last]]))

    # ---- what is known now ---------------------------------------------------------------

    @property
    def current_content(self) -> str:
        """The content of the current message so far; ``""`` outside content."""
        if not self._in_content:
            return ""
        self._catch_up()
        return "".join(self._decoder.pieces)

    @property
    def last_content_delta(self) -> str | None:
        """The text that the last token completed, if it completed any."""
        if not self._in_content:
            return None
        self._catch_up()
        return self._decoder.last

    @property
    def current_role(self) -> Role | None:
        """The role of the current message; before its header is complete, the one given."""
        return self._header.role if self._header is not None else self._role

    @property
    def current_channel(self) -> str | None:
        """The channel of the current message, once its header is complete."""
        return self._header.channel if self._header is not None else None

    @property
    def current_recipient(self) -> str | None:
        """The recipient of the current message, once its header is complete."""
        return self._header.recipient if self._header is not None else None

    @property
    def current_content_type(self) -> str | None:
        """The content type of the current message, once its header is complete."""
        return self._header.content_type if self._header is not None else None

    @property
    def messages(self) -> list[Message]:
        """The messages that are finished."""
        return list(self._messages)

    @property
    def tokens(self) -> list[int]:
        """All tokens taken so far."""
        return list(self._tokens)

    @property
    def state(self) -> StreamState:
        """What the parser waits for."""
        return self._state

    @property
    def state_data(self) -> dict[str, Any]:
        """The state as plain data.

        ``state``; in a header ``header_tokens``; in content ``header`` and ``content_tokens``.
        """
        data: dict[str, Any] = {"state": self._state.value}
        if self._state is StreamState.HEADER:
            data["header_tokens"] = self._header_tokens()
        elif self._header is not None:
            header = self._header
            author = {"role": header.role.value}
            if header.name is not None:
                author["name"] = header.name
            data["header"] = {
                "author": author,
                "recipient": header.recipient,
                "channel": header.channel,
                "content_type": header.content_type,
            }
            token, offset = self._content_at
            table = self._encoding.vocabulary.table
            while offset > 0:
                offset -= len(table[self._tokens[token]])
                token += 1
            data["content_tokens"] = self._tokens[token:]
        return data

    def _header_tokens(self) -> list[int]:
        # A header holds no `<|start|>` but the one that opens it, so it begins after the last
        # one; if a role was given and none came, at the first token.
        start = self._encoding.start_id
        for index in range(len(self._tokens) - 1, -1, -1):
            if self._tokens[index] == start:
                return self._tokens[index + 1 :]
        return list(self._tokens)
