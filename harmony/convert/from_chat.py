"""Requests of the Chat Completions API to prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.convert.parts import as_json, content_text, result_text
from harmony.convert.plain import Dropped
from harmony.convert.requests import RequestReader
from harmony.messages import Role

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from harmony.convert.history import History
    from harmony.convert.plain import Node
    from harmony.convert.prompt import Prompt
    from harmony.encoding import HarmonyEncoding

# What servers call the reasoning of an assistant's message, the first that is set counts.
REASONING = ("reasoning_content", "reasoning", "thinking")
# The fields that are read; others that are set are named in `Prompt.dropped`.
FIELDS = {"role", "content", "name"}
ASSISTANT_FIELDS = FIELDS | {"tool_calls", "function_call", "refusal", *REASONING}
TOOL_FIELDS = FIELDS | {"tool_call_id"}
ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def from_chat_request(
    request: Mapping[str, object] | object,
    *,
    date: dt.date | str | None = None,
    encoding: HarmonyEncoding | None = None,
) -> Prompt:
    """The prompt for a request of the Chat Completions API. Spec: [conversion].

    Args:
        request: a dict, or an object of the `openai` package or of pydantic; lists may be
            any iterables. Beside the official fields ``model_identity``,
            ``knowledge_cutoff``, ``builtin_tools`` (``["browser", "python"]``) and
            ``add_generation_prompt`` are read, also within ``chat_template_kwargs``.
        date: what the model is told is today's date; today if None.
        encoding: the default one if None.

    Raises:
        InvalidRequest: something cannot be converted; `.path` names it.
    """
    reader = RequestReader(request, encoding)
    messages = reader.request["messages"]
    if not messages:
        raise messages.expected("a list of messages")
    for message in messages.items():
        read_chat_message(reader, message)
    fields = reader.request
    return reader.prompt("chat", fields["reasoning_effort"], fields["response_format"], date)


def read_chat_message(reader: RequestReader, message: Node) -> None:
    """Add a message of a Chat Completions request. Raises `InvalidRequest`."""
    role = message["role"]
    if role.text() not in ROLES:
        raise role.expected(f"one of {', '.join(map(repr, ROLES))}")
    history, content, name = reader.history, message["content"], message["name"]
    known = FIELDS
    if role.value in (Role.SYSTEM.value, Role.DEVELOPER.value):
        reader.instruct(content_text(content, history.dropped), name, message.path)
    elif role.value == Role.USER.value:
        text = content_text(content, history.dropped)
        if text is None:
            raise content.expected("the user's text")
        history.say(Role.USER, text, name)
    elif role.value == Role.ASSISTANT.value:
        known = ASSISTANT_FIELDS
        _read_assistant(history, message)
    else:
        known = TOOL_FIELDS
        text = result_text(content, history.dropped)
        history.result(history.call_of(message["tool_call_id"], name), text, message)
    for field, value in message.fields().items():
        if field not in known and value:
            path = f"{message.path}.{field}"
            history.dropped.append(Dropped(path, "Harmony has no place for it"))


def _read_assistant(history: History, message: Node) -> None:
    """Reasoning, then the preamble and the calls, or the answer."""
    facts, name, calls = history.facts, message["name"], list(message["tool_calls"].items())
    if message["audio"]:
        raise message["audio"].error("audio; Harmony holds text only. Send its transcript")
    before = len(history.messages)
    history.reason(_reasoning(history, message), name)
    text = content_text(message["content"], history.dropped)
    refusal = message["refusal"].text_or_none()
    if refusal:
        path = f"{message.path}.refusal"
        if text:
            history.dropped.append(Dropped(path, "the message has a content as well"))
        else:
            text = refusal
            history.dropped.append(Dropped(path, "a refusal is plain text to the model"))
    old_call = message["function_call"]
    if text:
        channel = facts.calls if calls or old_call else facts.answer
        history.say(Role.ASSISTANT, text, name, channel)
    for call in calls:
        if call["type"].value not in (None, "function"):
            raise call["type"].error(
                f"a call of the type {call['type'].value!r}; Harmony calls functions with JSON only"
            )
        function = call["function"]
        _read_call(history, call["id"].text_or_none(), function, name)
    if old_call:
        _read_call(history, None, old_call, name)
    if len(history.messages) > before:
        return
    if message["content"].value == "":
        # A turn that ended without a word, as the model may have ended it.
        history.say(Role.ASSISTANT, "", name, facts.answer)
    else:
        history.dropped.append(Dropped(message.path, "an assistant's message that says nothing"))


def _reasoning(history: History, message: Node) -> str:
    found = ""
    for field in REASONING:
        text = content_text(message[field], history.dropped)
        if text and not found:
            found = text
        elif text and text != found:
            path = f"{message.path}.{field}"
            history.dropped.append(Dropped(path, "the message has other reasoning as well"))
    return found


def _read_call(history: History, id: str | None, function: Node, name: Node) -> None:
    arguments = function["arguments"]
    if not arguments:
        text = ""
    elif isinstance(arguments.value, str):
        text = arguments.value
    else:
        text = as_json(arguments)
    history.call(id, function["name"], text, name)
