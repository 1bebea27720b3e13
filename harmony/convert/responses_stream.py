"""Completions as streams of the Responses API."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from harmony.convert.answer_stream import AnswerStream
from harmony.convert.answers import usage_numbers
from harmony.convert.converted import Converted
from harmony.convert.items import log, output_text
from harmony.convert.response_answer import finished, item_maker, response_frame
from harmony.convert.routing import Kind

if TYPE_CHECKING:
    from harmony.convert.answer_stream import Source
    from harmony.convert.answers import Answer
    from harmony.convert.identifiers import Identifiers
    from harmony.convert.prompt import Prompt
    from harmony.convert.routing import Route
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding

# The events of an item's text: what their names begin with, and the field of the whole text.
TEXT_EVENTS = {
    Kind.REASONING: ("response.reasoning_text", "text"),
    Kind.TEXT: ("response.output_text", "text"),
    Kind.FUNCTION: ("response.function_call_arguments", "arguments"),
    Kind.CODE: ("response.code_interpreter_call_code", "code"),
}


class ResponsesStream(AnswerStream):
    """Token ids to the events of the Responses API, as they come.

    The response of the last event, and what `accumulate_response` makes of all of them, is
    what `to_response` makes of the tokens, however those were cut into pieces.

    Args:
        prompt: what the completion answers, or an encoding.
        source: tokens, if the stream is to be iterated.
        model: the model's name; the request's if None.
        id: the id of the response; a new one if None.
        created_at: seconds since 1970; now if None.
        encoding: the prompt's, or the default one, if None.
        tools: the declared tools; the prompt's if None.
        container_id: what code interpreter calls name as their container.

    Raises:
        InvalidMessage: an option is of another type.
    """

    def __init__(
        self,
        prompt: Prompt | HarmonyEncoding | None = None,
        source: Source = None,
        *,
        model: str | None = None,
        id: str | None = None,
        created_at: float | None = None,
        encoding: HarmonyEncoding | None = None,
        tools: Tools = None,
        container_id: str | None = None,
    ) -> None:
        super().__init__(prompt, encoding, tools, source)
        self._frame = response_frame(self._context, model, id, created_at)
        self._maker = item_maker(self._context, container_id)
        self._items: list[dict[str, Any]] = []
        self._item: dict[str, Any] | None = None
        # The message before the open one, and the interpreter's call that waits for output.
        self._last: Route | None = None
        self._running: dict[str, Any] | None = None
        self._is_output = False
        self._count = 0

    # ---- messages --------------------------------------------------------------------------

    def _open(self) -> None:
        for name in ("response.created", "response.in_progress"):
            self._event(name, response=self._frame)

    def _begin(self, route: Route, ids: Identifiers) -> None:
        self._is_output = self._maker.is_output(self._last, route)
        if self._is_output:
            return
        self._settle()
        self._item = self._maker.begin(route, ids)
        if self._item is None:
            return
        self._items.append(self._item)
        self._event("response.output_item.added", item=self._item, output_index=self._index)
        if route.kind in (Kind.REASONING, Kind.TEXT):
            self._of_part("response.content_part.added", part=_part(route, ""))
        elif route.kind is Kind.SEARCH:
            self._of_item("response.web_search_call.in_progress")
        elif route.kind is Kind.CODE:
            self._of_item("response.code_interpreter_call.in_progress")

    def _more(self, route: Route, text: str) -> None:
        if self._item is not None and not self._is_output and route.kind in TEXT_EVENTS:
            name, _ = TEXT_EVENTS[route.kind]
            self._of_text(route, f"{name}.delta", delta=text)

    def _end(self, route: Route, text: str, *, complete: bool) -> None:
        self._last = None if self._is_output else route
        if self._is_output:
            assert self._running is not None
            self._running["outputs"] = [log(text)]
            self._settle()
            return
        item = self._item
        if item is None:
            return
        self._maker.end(route, item, text, complete=complete)
        if route.kind in TEXT_EVENTS:
            name, field = TEXT_EVENTS[route.kind]
            self._of_text(route, f"{name}.done", **{field: text})
        if route.kind in (Kind.REASONING, Kind.TEXT):
            self._of_part("response.content_part.done", part=_part(route, text))
        elif route.kind is Kind.SEARCH and complete:
            self._of_item("response.web_search_call.searching")
            self._of_item("response.web_search_call.completed")
        elif route.kind is Kind.CODE and complete:
            # Its output may follow; the item is done when another message begins.
            self._of_item("response.code_interpreter_call.interpreting")
            self._running = item
            return
        self._done(item)

    def _settle(self) -> None:
        """The interpreter's call has all that it gets."""
        item, self._running = self._running, None
        if item is not None:
            self._of_item("response.code_interpreter_call.completed")
            self._done(item)

    def _close(self, answer: Answer, finish_reason: str | None) -> None:
        self._settle()
        response = finished(
            self._frame,
            self._items,
            usage_numbers(answer),
            complete=answer.complete,
            given=finish_reason,
        )
        self._event(f"response.{response['status']}", response=response)

    # ---- events ----------------------------------------------------------------------------

    @property
    def _index(self) -> int:
        """The index of the last item."""
        return len(self._items) - 1

    def _done(self, item: dict[str, Any]) -> None:
        self._event("response.output_item.done", item=item, output_index=self._index)
        self._item = None

    def _of_item(self, name: str, **fields: object) -> None:
        """An event about the last item."""
        self._event(name, item_id=self._items[-1]["id"], output_index=self._index, **fields)

    def _of_part(self, name: str, **fields: object) -> None:
        """An event about the one content part of the last item."""
        self._of_item(name, content_index=0, **fields)

    def _of_text(self, route: Route, name: str, **fields: object) -> None:
        if route.kind is Kind.TEXT:
            self._of_part(name, logprobs=[], **fields)
        elif route.kind is Kind.REASONING:
            self._of_part(name, **fields)
        else:
            self._of_item(name, **fields)

    def _event(self, type: str, **fields: object) -> None:
        # Items and responses change later on; an event tells how they were.
        data = {"type": type, "sequence_number": self._count, **copy.deepcopy(fields)}
        self._out.append(Converted.of("response_event", data))
        self._count += 1


def _part(route: Route, text: str) -> dict[str, Any]:
    if route.kind is Kind.TEXT:
        return output_text(text)
    return {"type": "reasoning_text", "text": text}
