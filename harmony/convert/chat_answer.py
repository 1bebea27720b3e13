"""Completions as messages and objects of the Chat Completions API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import attrs

from harmony.convert.answers import Context, read_answer, usage_numbers
from harmony.convert.converted import Converted
from harmony.convert.identifiers import fresh
from harmony.convert.plain import Dropped
from harmony.convert.routing import Kind
from harmony.errors import InvalidMessage

if TYPE_CHECKING:
    from harmony.convert.answers import Answer, Completion, Part, Usage
    from harmony.convert.identifiers import Identifiers
    from harmony.convert.prompt import Prompt
    from harmony.convert.routing import Route
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding

# Between two messages that go to one field.
SEPARATOR = "\n"
TAKEN = {"role", "content", "refusal", "tool_calls"}
BUILT_IN_CALLS = ("reasoning", "tool_calls")
TOLD_AS_REASONING = "Chat Completions has no calls of built-in tools; it is told as reasoning"
NO_PLACE = "an assistant's message has no place for it"


@attrs.frozen
class ChatStyle:
    """What a caller may choose about messages of Chat Completions."""

    reasoning_field: str = "reasoning"
    """The name of the field that holds the reasoning."""
    builtin_calls: str = "reasoning"
    """Where calls of built-in tools go: ``"reasoning"`` or ``"tool_calls"``."""

    def __attrs_post_init__(self) -> None:
        field = self.reasoning_field
        if not isinstance(field, str) or not field or field in TAKEN:
            raise InvalidMessage(
                f"reasoning_field: expected the name of a field of its own, got {field!r}"
            )
        if self.builtin_calls not in BUILT_IN_CALLS:
            known = ", ".join(map(repr, BUILT_IN_CALLS))
            raise InvalidMessage(
                f"builtin_calls: expected one of {known}, got {self.builtin_calls!r}"
            )

    def field(self, route: Route) -> str | None:
        """The field that a message goes to; None if it has none."""
        if route.kind is Kind.TEXT:
            return "content"
        if route.kind is Kind.REASONING:
            return self.reasoning_field
        if route.kind is Kind.FUNCTION:
            return "tool_calls"
        if route.kind in (Kind.SEARCH, Kind.CODE):
            return "tool_calls" if self.builtin_calls == "tool_calls" else self.reasoning_field
        return None


def to_chat_message(
    completion: Completion,
    prompt: Prompt | HarmonyEncoding | None = None,
    *,
    encoding: HarmonyEncoding | None = None,
    tools: Tools = None,
    reasoning_field: str = "reasoning",
    builtin_calls: str = "reasoning",
) -> Converted:
    """The assistant's message of a completion. Spec: [conversion].

    Args:
        completion: messages, a `Transcript`, token ids (as the model sampled them after the
            prompt) or text. What is malformed is read all the same, see `.diagnostics`.
        prompt: what it answers: it declares the tools, and makes the ids of calls unlike
            those of earlier turns.
        encoding: the prompt's, or the default one, if None.
        tools: the declared tools, as for `HarmonyEncoding.parse`; the prompt's if None.
        reasoning_field: the name of the field that holds the reasoning.
        builtin_calls: where calls of built-in tools go: ``"reasoning"``, or ``"tool_calls"``
            for clients that run those tools themselves.

    Returns:
        A dict: ``role``, ``content``, ``refusal``, and as they are needed the reasoning and
        ``tool_calls``. Texts of several messages are joined by a line break. `.dropped` names
        what the message cannot hold; `.typed()` is a `ChatCompletionMessage`.

    Raises:
        InvalidMessage: the completion or an option is of another type.
    """
    style = ChatStyle(reasoning_field, builtin_calls)
    context = Context.of(prompt, encoding, tools)
    answer = read_answer(completion, context)
    message, dropped = chat_message(answer, style)
    return Converted.of("chat_message", message, answer.transcript, dropped)


def to_chat_completion(  # noqa: PLR0913 (an option a field)
    completion: Completion,
    prompt: Prompt | HarmonyEncoding | None = None,
    *,
    model: str | None = None,
    id: str | None = None,
    created: int | None = None,
    finish_reason: str | None = None,
    encoding: HarmonyEncoding | None = None,
    tools: Tools = None,
    reasoning_field: str = "reasoning",
    builtin_calls: str = "reasoning",
) -> Converted:
    """The `chat.completion` object of a completion; arguments as for `to_chat_message`.

    Args:
        completion: messages, a `Transcript`, token ids or text.
        prompt: what it answers.
        model: the model's name; the request's if None.
        id: the id of the object; a new one if None.
        created: seconds since 1970; now if None.
        finish_reason: why the model stopped, where the server knows: ``"stop"`` also if it
            took the terminator away, ``"length"``. By the tokens if None: without a
            terminator at their end they were cut short.
        encoding: the prompt's, or the default one, if None.
        tools: the declared tools; the prompt's if None.
        reasoning_field: the name of the field that holds the reasoning.
        builtin_calls: where calls of built-in tools go.

    Returns:
        A dict with one choice, and the usage if the completion is given as tokens or as a
        transcript. `.typed()` is a `ChatCompletion`.

    Raises:
        InvalidMessage: the completion or an option is of another type.
    """
    style = ChatStyle(reasoning_field, builtin_calls)
    context = Context.of(prompt, encoding, tools)
    answer = read_answer(completion, context, finish_reason)
    message, dropped = chat_message(answer, style)
    reason = finish_reason_of(
        has_calls="tool_calls" in message, complete=answer.complete, given=finish_reason
    )
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    data = {
        **chat_frame(context, "chat.completion", model, id, created),
        "choices": [choice],
    }
    usage = usage_numbers(answer)
    if usage is not None:
        data["usage"] = chat_usage(usage)
    return Converted.of("chat_completion", data, answer.transcript, dropped)


def chat_frame(
    context: Context, object: str, model: str | None, id: str | None, created: int | None
) -> dict[str, Any]:
    """The fields that a completion and its chunks share."""
    return {
        "id": fresh("chatcmpl-") if id is None else id,
        "object": object,
        "created": int(time.time()) if created is None else created,
        "model": model_name(context, model),
    }


def model_name(context: Context, model: str | None) -> str:
    """The model's name: as it is given, as the request has it, or the encoding's."""
    if model is None and context.prompt is not None:
        model = context.prompt.request.get("model")
    return model if isinstance(model, str) else context.encoding.name


def chat_usage(usage: Usage) -> dict[str, Any]:
    """Numbers of tokens, as Chat Completions has them."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def finish_reason_of(*, has_calls: bool, complete: bool, given: str | None) -> str:
    """Why the completion ended."""
    if given == "content_filter":
        return given
    if not complete:
        return "length"
    return "tool_calls" if has_calls else "stop"


def chat_message(answer: Answer, style: ChatStyle) -> tuple[dict[str, Any], list[Dropped]]:
    """The message of a completion, and what it cannot hold."""
    texts: dict[str, list[str]] = {}
    calls: list[dict[str, Any]] = []
    dropped: list[Dropped] = []
    for index, part in enumerate(answer.parts):
        field = style.field(part.route)
        dropped += dropped_of(part, field, f"messages[{index}]")
        if field == "tool_calls":
            calls.append(tool_call(part.ids, part.route, part.text))
        elif field is not None:
            texts.setdefault(field, []).append(part.text)
    joined = {field: SEPARATOR.join(filter(None, found)) for field, found in texts.items()}
    message: dict[str, Any] = {
        "role": "assistant",
        "content": joined.pop("content", None),
        "refusal": None,
        **{field: text for field, text in joined.items() if text},
    }
    if calls:
        message["tool_calls"] = calls
    return message, dropped


def tool_call(ids: Identifiers, route: Route, arguments: str) -> dict[str, Any]:
    """A call, as Chat Completions has it."""
    return {
        "id": ids.make("call_"),
        "type": "function",
        "function": {"name": route.name, "arguments": arguments},
    }


def dropped_of(part: Part, field: str | None, path: str) -> list[Dropped]:
    """What is lost of a message that goes to ``field``."""
    if field is None:
        return [Dropped(path, f"{NO_PLACE} ({part.message.author.role.value})")]
    if part.route.kind in (Kind.SEARCH, Kind.CODE) and field != "tool_calls":
        return [Dropped(f"{path}.recipient", TOLD_AS_REASONING)]
    return []
