"""Prompts and conversations as requests of the Chat Completions API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.convert.answers import message_text
from harmony.convert.chat_answer import ChatStyle
from harmony.convert.converted import Converted
from harmony.convert.from_chat import from_chat_request
from harmony.convert.request_tools import MODES
from harmony.convert.routing import Kind
from harmony.convert.to_request import RequestWriter, instructions_of, is_instruction
from harmony.messages import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.convert.prompt import Prompt
    from harmony.convert.routing import Route
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Conversation, Message


def to_chat_request(
    source: Prompt | Conversation | Sequence[Message] | Iterable[int],
    *,
    encoding: HarmonyEncoding | None = None,
    reasoning_field: str = "reasoning",
) -> Converted:
    """The request of Chat Completions that a prompt stands for.

    Args:
        source: a prompt, a conversation, messages, or the token ids of a prompt.
        encoding: the prompt's, or the default one, if None.
        reasoning_field: the name of the field that holds the reasoning.

    Returns:
        A dict that `from_chat_request` reads; `.dropped` names what it reads otherwise.

    Raises:
        InvalidMessage: the source or an option is of another type.
    """
    style = ChatStyle(reasoning_field)
    writer = RequestWriter(source, encoding, "chat")
    prompt, data = writer.prompt, writer.data
    data["messages"] = _Messages(writer, style).written()
    if prompt.tools:
        data["tools"] = _tools(prompt)
    if prompt.builtin_tools:
        data["builtin_tools"] = list(prompt.builtin_tools)
    choice = _tool_choice(prompt)
    if choice is not None:
        data["tool_choice"] = choice
    if not prompt.parallel_tool_calls:
        data["parallel_tool_calls"] = False
    if prompt.answer_format is not None:
        data["response_format"] = _response_format(prompt)
    if prompt.reasoning_effort is not None:
        data["reasoning_effort"] = prompt.reasoning_effort
    data |= writer.settings()
    dropped = writer.lost(lambda: from_chat_request(data, encoding=prompt.encoding))
    return Converted.of("chat_request", data, dropped=dropped)


class _Messages:
    """Gathers the messages of a turn into one, as far as its reading gives them back."""

    def __init__(self, writer: RequestWriter, style: ChatStyle) -> None:
        self._writer = writer
        self._style = style
        self._written: list[dict[str, Any]] = []
        # The assistant's message that may get more.
        self._open: dict[str, Any] | None = None

    def written(self) -> list[dict[str, Any]]:
        for message, route in self._writer.messages():
            if is_instruction(message):
                self._close()
                text = instructions_of(message)
                if text:
                    self._add(message, message.author.role, text)
            elif route.kind is Kind.OTHER:
                self._close()
                self._add(message, message.author.role, message_text(message))
            elif route.kind is Kind.RESULT:
                self._close()
                self._result(message, route)
            else:
                self._assistant(message, route)
        return self._written

    def _add(self, message: Message, role: Role, text: str) -> dict[str, Any]:
        name = {} if message.author.name is None else {"name": message.author.name}
        self._written.append({"role": role.value, "content": text, **name})
        return self._written[-1]

    def _result(self, message: Message, route: Route) -> None:
        id, is_known = self._writer.answered(route.name)
        made = {"role": Role.TOOL.value, "tool_call_id": id, "content": message_text(message)}
        self._written.append(made if is_known else {**made, "name": route.name})

    def _assistant(self, message: Message, route: Route) -> None:
        text = message_text(message)
        if route.kind is Kind.REASONING:
            self._turn(message, self._style.reasoning_field, "content", "tool_calls")[
                self._style.reasoning_field
            ] = text
        elif route.kind is Kind.TEXT:
            self._turn(message, "content", "tool_calls")["content"] = text
            if message.channel == self._writer.facts.answer:
                self._close()
        else:
            calls = self._turn(message).setdefault("tool_calls", [])
            function = {"name": route.name, "arguments": text}
            id = self._writer.call_id(message)
            calls.append({"id": id, "type": "function", "function": function})

    def _turn(self, message: Message, *without: str) -> dict[str, Any]:
        """The assistant's message to go on with; a new one if it has one of these fields."""
        turn = self._open
        if turn is None or turn.get("name") != message.author.name or any(map(turn.get, without)):
            turn = self._open = self._add(message, Role.ASSISTANT, "")
            turn["content"] = None
        return turn

    def _close(self) -> None:
        self._open = None


def _tools(prompt: Prompt) -> list[dict[str, Any]]:
    made = []
    for tool in prompt.tools:
        function: dict[str, Any] = {"name": tool.name}
        if tool.description:
            function["description"] = tool.description
        if tool.parameters is not None:
            function["parameters"] = tool.parameters
        made.append({"type": "function", "function": function})
    return made


def _tool_choice(prompt: Prompt) -> Any:
    def named(name: str) -> dict[str, Any]:
        if name in prompt.builtin_tools:
            return {"type": name}
        return {"type": "function", "function": {"name": name}}

    choice = prompt.tool_choice
    if prompt.allowed_tools is not None:
        tools = [named(name) for name in prompt.allowed_tools]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice, "tools": tools}}
    if choice in MODES:
        return None if choice == MODES[0] else choice
    return named(choice)


def _response_format(prompt: Prompt) -> dict[str, Any]:
    wanted = prompt.answer_format
    assert wanted is not None
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    inner = wanted.format.to_dict()
    if wanted.strict is not None:
        inner["strict"] = wanted.strict
    return {"type": wanted.kind, "json_schema": inner}
