"""Requests of the Responses API to prompts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harmony.convert.parts import content_text, result_text
from harmony.convert.plain import Dropped, Node, plain
from harmony.convert.requests import RequestReader
from harmony.convert.search_actions import search_arguments
from harmony.messages import Role

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from harmony.convert.history import History
    from harmony.convert.prompt import Prompt
    from harmony.encoding import HarmonyEncoding

ROLES = ("system", "developer", "user", "assistant")
# Fields of items that carry nothing that a prompt would show.
BOOKKEEPING = {"id", "status", "type", "created_by", "call_id", "container_id", "caller", "object"}
READ = {
    "message": {"role", "content", "phase", "name"},
    "reasoning": {"content", "summary"},
    "function_call": {"name", "arguments"},
    "function_call_output": {"output", "name"},
    "web_search_call": {"action"},
    "code_interpreter_call": {"code", "outputs"},
}
# What a model's turn is made of, and what ends it.
ASSISTANT_ITEMS = {"reasoning", "function_call", "web_search_call", "code_interpreter_call"}


def from_responses_request(
    request: Mapping[str, object] | object,
    *,
    date: dt.date | str | None = None,
    encoding: HarmonyEncoding | None = None,
    previous_items: Iterable[object] = (),
) -> Prompt:
    """The prompt for a request of the Responses API. Spec: [conversion].

    Args:
        request: a dict, or an object of the `openai` package or of pydantic. ``input`` is a
            string or items: those of earlier responses among them.
        date: what the model is told is today's date; today if None.
        encoding: the default one if None.
        previous_items: what stands before ``input``: the input and output of the response
            that ``previous_response_id`` names, which the caller looks up.

    Raises:
        InvalidRequest: something cannot be converted; `.path` names it.
    """
    reader = RequestReader(request, encoding)
    fields = reader.request
    before = Node(plain(previous_items, "previous_items"), "previous_items")
    for field in ("previous_response_id", "conversation", "prompt"):
        if fields[field] and not before.value:
            raise fields[field].error(
                "what this names is kept by the server that made it; "
                "look its items up and pass them as `previous_items`"
            )
    instructions = fields["instructions"]
    if instructions:
        text = content_text(instructions, reader.history.dropped)
        reader.instruct(text, Node(None), instructions.path)
    _read_items(reader, list(before.items()))
    given = fields["input"]
    if isinstance(given.value, str):
        reader.history.say(Role.USER, given.value, Node(None))
    elif given:
        _read_items(reader, list(given.items()))
    elif not before.value:
        raise given.expected("a string or a list of items")
    effort = fields["reasoning"]["effort"] if fields["reasoning"] else fields["reasoning_effort"]
    format = fields["text"]["format"] if fields["text"] else fields["text"]
    return reader.prompt("responses", effort, format, date)


def _read_items(reader: RequestReader, items: list[Node]) -> None:
    for index, item in enumerate(items):
        read_item(reader, item, items[index + 1 :])


def read_item(reader: RequestReader, item: Node, following: list[Node]) -> None:
    """Add an item of a Responses request. Raises `InvalidRequest`."""
    history, nobody = reader.history, Node(None)
    kind = _kind(item)
    if kind == "message":
        _read_message(reader, item, following)
    elif kind == "reasoning":
        _read_reasoning(history, item)
    elif kind == "function_call":
        arguments = item["arguments"].text_or_none() or ""
        history.call(item["call_id"].text_or_none(), item["name"], arguments, nobody)
    elif kind == "function_call_output":
        text = result_text(item["output"], history.dropped)
        history.result(history.call_of(item["call_id"], item["name"]), text, item)
    elif kind == "web_search_call":
        _read_search(history, item)
    elif kind == "code_interpreter_call":
        _read_code(history, item)
    else:
        known = ", ".join(map(repr, READ))
        raise item["type"].error(
            f"Harmony has no item of the type {kind!r}; it has: {known}. Leave the item out, "
            "or tell the model of it in a message"
        )
    for field, value in item.fields().items():
        if field not in READ[kind] and field not in BOOKKEEPING and value:
            path = f"{item.path}.{field}"
            history.dropped.append(Dropped(path, "Harmony has no place for it"))


def _kind(item: Node) -> str:
    """The type of an item; a message in its short form has none."""
    kind = item["type"].text_or_none()
    if kind is None:
        kind = "message" if item["role"] else item["type"].text()
    return kind


def _read_message(reader: RequestReader, item: Node, following: list[Node]) -> None:
    role, content, name = item["role"], item["content"], item["name"]
    if role.text() not in ROLES:
        raise role.expected(f"one of {', '.join(map(repr, ROLES))}")
    history = reader.history
    text = content_text(content, history.dropped)
    if role.value in (Role.SYSTEM.value, Role.DEVELOPER.value):
        reader.instruct(text, name, item.path)
    elif role.value == Role.USER.value:
        if text is None:
            raise content.expected("the user's text")
        history.say(Role.USER, text, name)
    elif content.value in (None, []):
        history.dropped.append(Dropped(item.path, "an assistant's message that says nothing"))
    else:
        history.say(Role.ASSISTANT, text or "", name, _channel(history, item["phase"], following))


def _channel(history: History, phase: Node, following: list[Node]) -> str:
    """The channel of an assistant's message: its phase's; without one, a message before a
    call in the same turn is its preamble, as in Chat Completions.
    """
    facts = history.facts
    if phase:
        for channel, name in facts.phases.items():
            if name == phase.text():
                return channel
        raise phase.expected(f"one of {', '.join(map(repr, facts.phases.values()))}")
    for item in following:
        kind = _kind(item)
        if kind == "function_call":
            return facts.calls
        if kind not in ASSISTANT_ITEMS and item["role"].value != Role.ASSISTANT.value:
            break
    return facts.answer


def _read_reasoning(history: History, item: Node) -> None:
    text = content_text(item["content"], history.dropped) or ""
    summary = "\n\n".join(
        content_text(Node([part.value], part.path), history.dropped) or ""
        for part in item["summary"].items()
    )
    if text and summary:
        history.dropped.append(Dropped(f"{item.path}.summary", "the reasoning itself is there"))
    history.reason(text or summary, Node(None))
    if not (text or summary):
        reason = "reasoning without text; what is encrypted cannot be read"
        history.dropped.append(Dropped(item.path, reason))


# ---- calls of built-in tools ------------------------------------------------------------------


def _built_in(history: History, namespace: str, tool: str, content: str, item: Node) -> None:
    """A call that a server made itself, though the request may not declare the tool."""
    declared, history.built_in = history.built_in, [*history.built_in, namespace]
    name = Node(f"{namespace}.{tool}" if tool else namespace, item.path)
    history.call(None, name, content, Node(None))
    history.built_in = declared
    # Nothing else answers it.
    history.calls[-1].answered = True


def _read_search(history: History, item: Node) -> None:
    facts, action = history.facts, item["action"]
    if not action:
        history.dropped.append(Dropped(item.path, "it does not say what was searched for"))
        return
    kind = action["type"].text()
    # Earlier versions of the API named them as the browser does: `find`.
    tool = facts.actions.get(kind, kind)
    if tool not in facts.actions.values():
        raise action["type"].expected(f"one of {', '.join(map(repr, facts.actions))}")
    arguments = search_arguments({k: v for k, v in action.fields().items() if v is not None})
    if action["sources"] and action["sources"].value:
        path = f"{action.path}.sources"
        history.dropped.append(Dropped(path, "what a search found is not told"))
    content = json.dumps(arguments, ensure_ascii=False)
    _built_in(history, facts.search, tool, content, item)


def _read_code(history: History, item: Node) -> None:
    facts = history.facts
    _built_in(history, facts.code, "", item["code"].text_or_none() or "", item)
    logs = [_log(output) for output in item["outputs"].items()]
    if logs:
        history.result(history.calls[-1], "\n".join(logs), item)


def _log(output: Node) -> str:
    if output["type"].text() != "logs":
        raise output.error(
            f"an output of the type {output['type'].value!r}; Harmony holds text only. "
            "Leave the output out"
        )
    return output["logs"].text()
