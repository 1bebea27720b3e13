"""What streams of both APIs have in common: tokens in, messages seen as parts, objects out."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from harmony.convert.answers import (
    ENDED,
    Answer,
    Context,
    check_finish_reason,
    checked_ids,
    identifiers,
    message_text,
    read_answer,
    stray_text,
)
from harmony.convert.identifiers import Identifiers
from harmony.convert.routing import Kind, Route
from harmony.errors import HarmonyError, InvalidMessage
from harmony.events import ContentDelta, HeaderParsed, MessageFinished
from harmony.messages import Role
from harmony.stream import StreamableParser
from harmony.validation import type_name
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from harmony.convert.converted import Converted
    from harmony.convert.prompt import Prompt
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding
    from harmony.events import Event
    from harmony.transcript import Diagnostic

# Ids as a server hands them on: one by one, or some at a time.
Tokens: TypeAlias = "int | Sequence[int]"
Source: TypeAlias = "Iterable[Tokens] | AsyncIterable[Tokens] | None"


class AnswerStream:
    """Takes the tokens that a model samples, and gives the objects of an API's stream.

    `feed` and `finish` take tokens and their end. Or the stream is given a ``source`` of
    tokens, and iterated: with ``for`` over an iterable, with ``async for`` over either kind.
    What is malformed is read all the same; `diagnostics` says what was wrong.
    """

    def __init__(
        self,
        prompt: Prompt | HarmonyEncoding | None,
        encoding: HarmonyEncoding | None,
        tools: Tools,
        source: Source,
    ) -> None:
        self._context = Context.of(prompt, encoding, tools)
        self._source = source
        self._before = self._context.before()
        self._ids = identifiers(self._before)
        self._parser = StreamableParser(
            self._context.encoding, Role.ASSISTANT, strict=False, tools=self._context.tools
        )
        # The message that is open, and what was said so far.
        self._route: Route | None = None
        self._found: list[tuple[Kind, str]] = []
        self._out: list[Converted] = []
        self._started = False
        self._finished = False

    # ---- tokens in -------------------------------------------------------------------------

    def feed(self, tokens: Tokens) -> list[Converted]:
        """Take a token or several; returns what they brought.

        Raises:
            InvalidToken: they are no ids.
            HarmonyError: the stream has ended.
        """
        if self._finished:
            raise HarmonyError("the stream has ended; make another for the next completion")
        given = [tokens] if hasattr(tokens, "__index__") else ids_of(tokens)
        ids = checked_ids(given)
        self._begin_once()
        for event in self._parser.feed(ids):
            self._take(event, complete=True)
        return self._taken()

    def finish(self, finish_reason: str | None = None) -> list[Converted]:
        """Take the end of the completion; returns what it brought. A second time it is nothing.

        Args:
            finish_reason: why the model stopped, where the server knows: ``"stop"`` also if
                it took the terminator away, ``"length"``. By the tokens if None.

        Raises:
            InvalidMessage: there is no such reason.
        """
        check_finish_reason(finish_reason)
        if self._finished:
            return []
        self._begin_once()
        events = self._parser.finish()
        ends = [event for event in events if isinstance(event, MessageFinished)]
        for event in events:
            cut = bool(ends) and event is ends[-1] and ends[-1].terminator is None
            self._take(event, complete=not cut or finish_reason in ENDED)
        self._finished = True
        answer = read_answer(self._parser.tokens, self._context, finish_reason, self._before)
        text = stray_text(self._found, answer.diagnostics)
        if text:
            route = Route(Kind.TEXT)
            self._begin(route, Identifiers.of(text))
            self._more(route, text)
            self._end(route, text, complete=not answer.cut)
        self._close(answer, finish_reason)
        return self._taken()

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong so far, and read all the same."""
        return list(self._parser.diagnostics)  # type: ignore[attr-defined]  # the lenient parser

    @property
    def tokens(self) -> list[int]:
        """All tokens taken so far."""
        return self._parser.tokens

    # ---- iteration -------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Converted]:
        """What the source's tokens bring, as they come."""
        if not isinstance(self._source, Iterable):
            raise InvalidMessage(
                f"source: expected an iterable of token ids, got {type_name(self._source)}"
            )
        for tokens in self._source:
            yield from self.feed(tokens)
        yield from self.finish()

    async def __aiter__(self) -> AsyncIterator[Converted]:
        """As `__iter__`; the source may be asynchronous."""
        if isinstance(self._source, AsyncIterable):
            async for tokens in self._source:
                for made in self.feed(tokens):
                    yield made
            for made in self.finish():
                yield made
        else:
            for made in self:
                yield made

    # ---- messages --------------------------------------------------------------------------

    def _begin_once(self) -> None:
        if not self._started:
            self._started = True
            self._open()

    def _take(self, event: Event, *, complete: bool) -> None:
        if isinstance(event, HeaderParsed):
            self._route = self._context.routes.of(
                event.role, event.name, event.recipient, event.channel
            )
            self._begin(self._route, self._ids.copy())
            return
        assert self._route is not None
        if isinstance(event, ContentDelta):
            self._more(self._route, event.text)
            return
        message, route = event.message, self._route
        text = message_text(message)
        author = message.author
        routing = (author.name, message.recipient, message.channel, message.content_type)
        self._ids.pass_over(author.role, routing, text)
        self._found.append((route.kind, text))
        self._end(route, text, complete=complete)
        self._route = None

    def _taken(self) -> list[Converted]:
        out, self._out = self._out, []
        return out

    # ---- what a stream of one API says -----------------------------------------------------

    def _open(self) -> None:
        """The stream begins."""
        raise NotImplementedError

    def _begin(self, route: Route, ids: Identifiers) -> None:
        """A message begins."""
        raise NotImplementedError

    def _more(self, route: Route, text: str) -> None:
        """More of its text."""
        raise NotImplementedError

    def _end(self, route: Route, text: str, *, complete: bool) -> None:
        """The message ends."""
        raise NotImplementedError

    def _close(self, answer: Answer, finish_reason: str | None) -> None:
        """The completion ends."""
        raise NotImplementedError
