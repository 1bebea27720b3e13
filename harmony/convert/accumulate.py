"""What a client makes of a stream: the object that it adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.convert.converted import Converted
from harmony.convert.plain import plain
from harmony.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterable


def accumulate_chat(chunks: Iterable[object]) -> Converted:
    """The `chat.completion` that the chunks of one completion add up to.

    Args:
        chunks: dicts, or objects of the `openai` package.

    Raises:
        InvalidMessage: there are no chunks.
    """
    total: dict[str, Any] | None = None
    choices: dict[int, dict[str, Any]] = {}
    for item in chunks:
        chunk = plain(item, "chunk")
        if total is None:
            total = {key: chunk[key] for key in ("id", "created", "model")}
            total |= {"object": "chat.completion", "choices": []}
        for piece in chunk["choices"]:
            choice = choices.setdefault(piece["index"], _new_choice(piece["index"]))
            _add(choice["message"], piece["delta"])
            if piece.get("finish_reason") is not None:
                choice["finish_reason"] = piece["finish_reason"]
        if chunk.get("usage") is not None:
            total["usage"] = chunk["usage"]
    if total is None:
        raise InvalidMessage("expected chunks of a completion, got none")
    total["choices"] = [choices[index] for index in sorted(choices)]
    return Converted.of("chat_completion", total)


def _new_choice(index: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "refusal": None}
    return {"index": index, "message": message, "finish_reason": None, "logprobs": None}


def _add(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for field, value in delta.items():
        if value is None or field == "role":
            continue
        if field == "tool_calls":
            for piece in value:
                _add_call(message.setdefault(field, []), piece)
        else:
            message[field] = (message.get(field) or "") + value


def _add_call(calls: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    while len(calls) <= piece["index"]:
        calls.append({"id": None, "type": "function", "function": {"name": "", "arguments": ""}})
    call = calls[piece["index"]]
    for field in ("id", "type"):
        if piece.get(field) is not None:
            call[field] = piece[field]
    for field, text in (piece.get("function") or {}).items():
        call["function"][field] += text or ""


def accumulate_response(events: Iterable[object]) -> Converted:
    """The `response` that the events of one response add up to.

    The output is put together from the events of its items, as a client does that shows them
    as they come; the rest is what the last event says.

    Args:
        events: dicts, or objects of the `openai` package.

    Raises:
        InvalidMessage: there are no events.
    """
    response: dict[str, Any] | None = None
    items: list[dict[str, Any]] = []
    for one in events:
        event = plain(one, "event")
        kind = event["type"]
        if "response" in event:
            response = event["response"]
        elif kind == "response.output_item.added":
            items.append(event["item"])
        elif kind == "response.content_part.added":
            items[event["output_index"]]["content"].append(event["part"])
        elif kind.endswith(".delta"):
            _add_text(items[event["output_index"]], event)
        elif kind == "response.output_item.done":
            items[event["output_index"]] = _settled(items[event["output_index"]], event["item"])
    if response is None:
        raise InvalidMessage("expected events of a response, got none")
    return Converted.of("response", {**response, "output": items})


def _add_text(item: dict[str, Any], event: dict[str, Any]) -> None:
    if "content_index" in event:
        item["content"][event["content_index"]]["text"] += event["delta"]
    else:
        item["arguments" if "arguments" in item else "code"] += event["delta"]


def _settled(added: dict[str, Any], done: dict[str, Any]) -> dict[str, Any]:
    """The item as it is done, with the text that its deltas gave."""
    texts = {"arguments", "code", "content"} & set(added)
    return {**done, **{key: added[key] for key in texts}}
