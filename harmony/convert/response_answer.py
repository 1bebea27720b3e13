"""Completions as items and objects of the Responses API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from harmony.convert.answers import Context, read_answer, usage_numbers
from harmony.convert.chat_answer import model_name
from harmony.convert.converted import Converted, ConvertedItems
from harmony.convert.identifiers import fresh
from harmony.convert.items import COMPLETED, IN_PROGRESS, INCOMPLETE, ItemMaker, log
from harmony.convert.request_tools import MODES

if TYPE_CHECKING:
    from harmony.convert.answers import Answer, Completion, Usage
    from harmony.convert.plain import Dropped
    from harmony.convert.prompt import Prompt
    from harmony.convert.routing import Route
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding

# Fields of a request that its response repeats, and what they are where it does not say.
REPEATED: dict[str, Any] = {
    "metadata": {},
    "temperature": None,
    "top_p": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "previous_response_id": None,
    "background": None,
    "service_tier": None,
    "top_logprobs": None,
    "truncation": None,
    "user": None,
}


def to_response_items(
    completion: Completion,
    prompt: Prompt | HarmonyEncoding | None = None,
    *,
    encoding: HarmonyEncoding | None = None,
    tools: Tools = None,
    container_id: str | None = None,
    finish_reason: str | None = None,
) -> ConvertedItems:
    """The output items of a completion, one for each message. Spec: [conversion].

    Args:
        completion: messages, a `Transcript`, token ids or text; results of tools among the
            messages become outputs of their calls.
        prompt: what it answers: it declares the tools, and makes the ids of items unlike
            those of earlier turns.
        encoding: the prompt's, or the default one, if None.
        tools: the declared tools; the prompt's if None.
        container_id: what code interpreter calls name as their container; the request's,
            or ``"auto"``, if None.
        finish_reason: why the model stopped, where the server knows; see
            `to_chat_completion`.

    Returns:
        A list of dicts. An item that was cut short has the status ``incomplete``. `.dropped`
        names what no item holds; `.typed()` are `ResponseOutputItem`s.

    Raises:
        InvalidMessage: the completion or an option is of another type.
    """
    context = Context.of(prompt, encoding, tools)
    answer = read_answer(completion, context, finish_reason)
    items, dropped = response_items(answer, item_maker(context, container_id))
    return ConvertedItems.of("response_item", items, answer.transcript, dropped)


def to_response(  # noqa: PLR0913 (an option a field)
    completion: Completion,
    prompt: Prompt | HarmonyEncoding | None = None,
    *,
    model: str | None = None,
    id: str | None = None,
    created_at: float | None = None,
    finish_reason: str | None = None,
    encoding: HarmonyEncoding | None = None,
    tools: Tools = None,
    container_id: str | None = None,
) -> Converted:
    """The `response` object of a completion; arguments as for `to_response_items`.

    Args:
        completion: messages, a `Transcript`, token ids or text.
        prompt: what it answers; the response repeats the request's settings.
        model: the model's name; the request's if None.
        id: the id of the object; a new one if None.
        created_at: seconds since 1970; now if None.
        finish_reason: why the model stopped, where the server knows.
        encoding: the prompt's, or the default one, if None.
        tools: the declared tools; the prompt's if None.
        container_id: what code interpreter calls name as their container.

    Returns:
        A dict. The status is ``completed``, or ``incomplete`` with the reason, and the usage
        is there if the completion is given as tokens or as a transcript. `.typed()` is a
        `Response`.

    Raises:
        InvalidMessage: the completion or an option is of another type.
    """
    context = Context.of(prompt, encoding, tools)
    answer = read_answer(completion, context, finish_reason)
    items, dropped = response_items(answer, item_maker(context, container_id))
    frame = response_frame(context, model, id, created_at)
    usage = usage_numbers(answer)
    data = finished(frame, items, usage, complete=answer.complete, given=finish_reason)
    return Converted.of("response", data, answer.transcript, dropped)


def item_maker(context: Context, container_id: str | None) -> ItemMaker:
    """What makes the items of a completion."""
    if container_id is None and context.prompt is not None:
        for tool in _listed(context.prompt.request.get("tools")):
            container = tool.get("container")
            if isinstance(container, str):
                container_id = container
    return ItemMaker(context.facts, "auto" if container_id is None else container_id)


def _listed(tools: Any) -> list[dict[str, Any]]:
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def response_items(answer: Answer, maker: ItemMaker) -> tuple[list[dict[str, Any]], list[Dropped]]:
    """The items of a completion, and what they cannot hold."""
    items: list[dict[str, Any]] = []
    dropped: list[Dropped] = []
    before: Route | None = None
    for index, part in enumerate(answer.parts):
        route, text = part.route, part.text
        if maker.is_output(before, route):
            items[-1]["outputs"] = [log(text)]
            before = None
            continue
        item = maker.begin(route, part.ids)
        if item is not None:
            is_whole = index < answer.last or not answer.cut
            maker.end(route, item, text, complete=is_whole)
            items.append(item)
        dropped += maker.lost(route, text, item, f"messages[{index}]")
        before = route
    return items, dropped


def response_frame(
    context: Context, model: str | None, id: str | None, created_at: float | None
) -> dict[str, Any]:
    """The response as it is created, without any output."""
    prompt = context.prompt
    # What a request of Chat Completions says has other names here.
    request = prompt.request if prompt is not None and prompt.api == "responses" else {}
    repeated = {
        field: default if request.get(field) is None else request[field]
        for field, default in REPEATED.items()
    }
    effort = None if prompt is None else prompt.reasoning_effort
    return {
        "id": fresh("resp_") if id is None else id,
        "object": "response",
        "created_at": int(time.time()) if created_at is None else created_at,
        "status": IN_PROGRESS,
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "model": model_name(context, model),
        "output": [],
        "parallel_tool_calls": True if prompt is None else prompt.parallel_tool_calls,
        "tool_choice": tool_choice(prompt),
        "tools": [] if prompt is None else response_tools(prompt),
        "reasoning": {"effort": effort, "summary": None},
        "text": {"format": answer_format(prompt)},
        **repeated,
        "usage": None,
    }


def finished(
    frame: dict[str, Any],
    items: list[dict[str, Any]],
    usage: Usage | None,
    *,
    complete: bool,
    given: str | None,
) -> dict[str, Any]:
    """The response as it ends."""
    status = COMPLETED if complete else INCOMPLETE
    reason = "content_filter" if given == "content_filter" else "max_output_tokens"
    return frame | {
        "status": status,
        "incomplete_details": None if complete else {"reason": reason},
        "output": items,
        "usage": None if usage is None else response_usage(usage),
    }


def response_usage(usage: Usage) -> dict[str, Any]:
    """Numbers of tokens, as the Responses API has them."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.completion,
    }


def response_tools(prompt: Prompt) -> list[dict[str, Any]]:
    """The declared tools, as the Responses API has them."""
    given = {
        tool["name"]: tool
        for tool in _listed(prompt.request.get("tools"))
        if isinstance(tool.get("name"), str)
    }
    types = {_type_of(tool, prompt): tool for tool in _listed(prompt.request.get("tools"))}
    tools: list[dict[str, Any]] = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description or None,
            "parameters": tool.parameters,
            "strict": given.get(tool.name, {}).get("strict"),
        }
        for tool in prompt.tools
    ]
    facts = prompt.facts
    for namespace in prompt.builtin_tools:
        if namespace in types:
            tools.append({k: v for k, v in types[namespace].items() if v is not None})
        elif namespace == facts.code:
            tools.append({"type": "code_interpreter", "container": {"type": "auto"}})
        else:
            tools.append({"type": "web_search"})
    return tools


def _type_of(tool: dict[str, Any], prompt: Prompt) -> str | None:
    kind = tool.get("type")
    return prompt.facts.tool_types.get(kind) if isinstance(kind, str) else None


def tool_choice(prompt: Prompt | None) -> Any:
    """Which tool is to be called, as the Responses API has it."""
    if prompt is None:
        return "auto"
    given = prompt.request.get("tool_choice")
    if prompt.api == "responses" and given is not None:
        return given
    choice = prompt.tool_choice
    if prompt.allowed_tools is not None:
        named = [{"type": "function", "name": name} for name in prompt.allowed_tools]
        return {"type": "allowed_tools", "mode": choice, "tools": named}
    return choice if choice in MODES else {"type": "function", "name": choice}


def answer_format(prompt: Prompt | None) -> dict[str, Any]:
    """The format of the answer, as the Responses API has it."""
    if prompt is None or prompt.answer_format is None:
        return {"type": "text"}
    wanted = prompt.answer_format
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    return {
        "type": wanted.kind,
        "name": wanted.format.name,
        "description": wanted.format.description,
        "schema": wanted.format.schema,
        "strict": wanted.strict,
    }
