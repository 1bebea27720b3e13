"""Completions as streams of the Chat Completions API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.convert.answer_stream import AnswerStream
from harmony.convert.answers import usage_numbers
from harmony.convert.chat_answer import (
    SEPARATOR,
    ChatStyle,
    chat_frame,
    chat_usage,
    finish_reason_of,
    tool_call,
)
from harmony.convert.converted import Converted

if TYPE_CHECKING:
    from harmony.convert.answer_stream import Source
    from harmony.convert.answers import Answer
    from harmony.convert.identifiers import Identifiers
    from harmony.convert.prompt import Prompt
    from harmony.convert.routing import Route
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding


class ChatStream(AnswerStream):
    """Token ids to `chat.completion.chunk` objects, as they come.

    Accumulated (`accumulate_chat`) they are what `to_chat_completion` makes of the tokens,
    however those were cut into pieces.

    Args:
        prompt: what the completion answers, or an encoding.
        source: tokens, if the stream is to be iterated.
        model: the model's name; the request's if None.
        id: the id of all chunks; a new one if None.
        created: seconds since 1970; now if None.
        include_usage: whether a last chunk, without a choice, has the usage; as the
            request's ``stream_options`` say if None.
        encoding: the prompt's, or the default one, if None.
        tools: the declared tools; the prompt's if None.
        reasoning_field: the name of the field that holds the reasoning.
        builtin_calls: where calls of built-in tools go; see `to_chat_message`.

    Raises:
        InvalidMessage: an option is of another type.
    """

    def __init__(  # noqa: PLR0913 (an option a field)
        self,
        prompt: Prompt | HarmonyEncoding | None = None,
        source: Source = None,
        *,
        model: str | None = None,
        id: str | None = None,
        created: int | None = None,
        include_usage: bool | None = None,
        encoding: HarmonyEncoding | None = None,
        tools: Tools = None,
        reasoning_field: str = "reasoning",
        builtin_calls: str = "reasoning",
    ) -> None:
        super().__init__(prompt, encoding, tools, source)
        self._style = ChatStyle(reasoning_field, builtin_calls)
        self._frame = chat_frame(self._context, "chat.completion.chunk", model, id, created)
        if include_usage is None:
            options = {} if self._context.prompt is None else self._context.prompt.request
            options = options.get("stream_options") or {}
            include_usage = isinstance(options, dict) and options.get("include_usage") is True
        self._include_usage = include_usage
        # The text of each field before the open message, and whether that has begun.
        self._filled: dict[str, bool] = {}
        self._joint = ""
        self._calls = 0

    def _open(self) -> None:
        self._delta({"role": "assistant", "content": None})

    def _begin(self, route: Route, ids: Identifiers) -> None:
        field = self._style.field(route)
        if field == "tool_calls":
            self._delta({field: [{"index": self._calls, **tool_call(ids, route, "")}]})
            self._calls += 1
        elif field is not None:
            if field == "content" and field not in self._filled:
                # A content without text is none too: null says that there is no content.
                self._delta({field: ""})
            self._joint = SEPARATOR if self._filled.setdefault(field, False) else ""

    def _more(self, route: Route, text: str) -> None:
        field = self._style.field(route)
        if field == "tool_calls":
            call = {"index": self._calls - 1, "function": {"arguments": text}}
            self._delta({field: [call]})
        elif field is not None:
            self._delta({field: self._joint + text})
            self._joint = ""
            self._filled[field] = True

    def _end(self, route: Route, text: str, *, complete: bool) -> None:
        """Nothing: a message of Chat Completions has one end."""

    def _close(self, answer: Answer, finish_reason: str | None) -> None:
        reason = finish_reason_of(
            has_calls=self._calls > 0, complete=answer.complete, given=finish_reason
        )
        self._delta({}, reason)
        if self._include_usage:
            usage = usage_numbers(answer)
            assert usage is not None
            self._chunk([], chat_usage(usage))

    def _delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        self._chunk([choice], None)

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> None:
        chunk = {**self._frame, "choices": choices}
        if self._include_usage:
            chunk["usage"] = usage
        self._out.append(Converted.of("chat_chunk", chunk))
