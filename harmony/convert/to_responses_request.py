"""Prompts and conversations as requests of the Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.convert.answers import message_text
from harmony.convert.converted import Converted
from harmony.convert.from_responses import from_responses_request
from harmony.convert.identifiers import Identifiers
from harmony.convert.items import ItemMaker, log
from harmony.convert.response_answer import answer_format, response_tools, tool_choice
from harmony.convert.routing import Kind, Route
from harmony.convert.to_request import RequestWriter, instructions_of, is_instruction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.convert.prompt import Prompt
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Conversation, Message


def to_responses_request(
    source: Prompt | Conversation | Sequence[Message] | Iterable[int],
    *,
    encoding: HarmonyEncoding | None = None,
) -> Converted:
    """The request of the Responses API that a prompt stands for.

    Args:
        source: a prompt, a conversation, messages, or the token ids of a prompt.
        encoding: the prompt's, or the default one, if None.

    Returns:
        A dict that `from_responses_request` reads; `.dropped` names what it reads otherwise.

    Raises:
        InvalidMessage: the source is of another type.
    """
    writer = RequestWriter(source, encoding, "responses")
    prompt, data = writer.prompt, writer.data
    data["input"] = _items(writer)
    if prompt.tools or prompt.builtin_tools:
        data["tools"] = response_tools(prompt)
    choice = tool_choice(prompt)
    if choice != "auto":
        data["tool_choice"] = choice
    if not prompt.parallel_tool_calls:
        data["parallel_tool_calls"] = False
    if prompt.answer_format is not None:
        format = {key: value for key, value in answer_format(prompt).items() if value is not None}
        data["text"] = {"format": format}
    if prompt.reasoning_effort is not None:
        data["reasoning"] = {"effort": prompt.reasoning_effort}
    data |= writer.settings()
    dropped = writer.lost(lambda: from_responses_request(data, encoding=prompt.encoding))
    return Converted.of("responses_request", data, dropped=dropped)


def _items(writer: RequestWriter) -> list[dict[str, Any]]:
    maker, ids = ItemMaker(writer.facts), Identifiers()
    items: list[dict[str, Any]] = []
    before: Route | None = None
    for message, route in writer.messages():
        author, text = message.author, message_text(message)
        own = ids.copy()
        routing = (author.name, message.recipient, message.channel, message.content_type)
        ids.pass_over(author.role, routing, text)
        if maker.is_output(before, route):
            items[-1]["outputs"] = [log(text)]
            before = None
            continue
        before = route
        if is_instruction(message) or route.kind is Kind.OTHER:
            said = instructions_of(message) if is_instruction(message) else text
            if said is not None and (said or route.kind is Kind.OTHER):
                items.append(_named(message, {"role": author.role.value, "content": said}))
        elif route.kind is Kind.RESULT:
            id, is_known = writer.answered(route.name)
            item = {"type": "function_call_output", "call_id": id, "output": text}
            items.append(item if is_known else {**item, "name": route.name})
        else:
            item = maker.begin(route, own) or {}
            maker.end(route, item, text, complete=True)
            if route.kind is Kind.FUNCTION:
                item["call_id"] = writer.call_id(message)
            items.append(_named(message, item))
    return items


def _named(message: Message, item: dict[str, Any]) -> dict[str, Any]:
    if message.author.name is not None:
        item["name"] = message.author.name
    return item
