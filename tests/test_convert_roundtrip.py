"""Histories go through Harmony and come back, but for what is named."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from harmony import Author, Conversation, Message, RenderConversationConfig, Role, TextContent
from harmony.convert import (
    from_chat_request,
    from_harmony,
    from_responses_request,
    to_chat_request,
    to_responses_request,
)
from tests.strategies_convert import chat_messages, response_items

DATE = "2025-06-28"
TOOLS = [{"type": "function", "name": name} for name in ("get_weather", "f", "search_2", "a-b")]
KEEP_ALL = RenderConversationConfig(auto_drop_analysis=False)


def without_ids(items):
    return [{k: v for k, v in item.items() if k != "id"} for item in items]


class TestChat:
    """Issue: "round trips chat → harmony → chat … keep everything that Harmony can hold, and
    name what it cannot"."""

    @given(chat_messages())
    def test_there_and_back(self, messages):
        request = {"model": "m", "messages": messages, "temperature": 0.5, "tools": TOOLS}
        prompt = from_chat_request(request, date=DATE)
        assert prompt.dropped == []
        back = to_chat_request(prompt)
        assert back["messages"] == messages
        assert (back["temperature"], back.dropped) == (0.5, [])
        assert [tool["function"]["name"] for tool in back["tools"]] == [t["name"] for t in TOOLS]
        assert from_chat_request(back).conversation == prompt.conversation

    @given(chat_messages())
    def test_through_tokens(self, messages):
        prompt = from_chat_request({"messages": messages}, date=DATE)
        prompt.config = KEEP_ALL
        back = to_chat_request(prompt.render())
        again = from_chat_request(back, date=DATE)
        again.config = KEEP_ALL
        assert back.dropped == []
        assert again.render() == prompt.render()

    @given(chat_messages())
    def test_over_the_other_api(self, messages):
        prompt = from_chat_request({"messages": messages, "tools": TOOLS}, date=DATE)
        there = to_responses_request(prompt)
        assert there.dropped == []
        again = from_responses_request(json.loads(json.dumps(there)))
        assert again.conversation == prompt.conversation
        back = to_chat_request(again)["messages"]
        assert back == messages

    @given(chat_messages())
    def test_messages_are_of_the_official_types(self, messages):
        from openai.types.chat import ChatCompletionMessageFunctionToolCallParam as CallParam
        from openai.types.chat import ChatCompletionMessageParam

        adapter, calls = TypeAdapter(ChatCompletionMessageParam), TypeAdapter(CallParam)
        for message in to_chat_request(from_chat_request({"messages": messages}))["messages"]:
            # The type's iterables are validated only when they are iterated.
            for call in message.get("tool_calls", []):
                calls.validate_python(call)
            adapter.validate_python({k: v for k, v in message.items() if k != "tool_calls"})


class TestResponses:
    @given(response_items())
    def test_there_and_back(self, items):
        tools = [*TOOLS, {"type": "web_search"}, {"type": "code_interpreter", "container": "x"}]
        request = {"model": "m", "input": items, "tools": tools, "reasoning": {"effort": "high"}}
        prompt = from_responses_request(request, date=DATE)
        assert prompt.dropped == []
        back = to_responses_request(prompt)
        assert without_ids(back["input"]) == items
        assert (back["reasoning"], back.dropped) == ({"effort": "high"}, [])
        again = from_responses_request(back)
        assert again.conversation == prompt.conversation
        assert (again.builtin_tools, again.tools) == (prompt.builtin_tools, prompt.tools)

    @given(response_items())
    def test_through_tokens(self, items):
        prompt = from_responses_request({"input": items, "builtin_tools": ["python"]}, date=DATE)
        prompt.config = KEEP_ALL
        again = from_responses_request(to_responses_request(prompt.render()), date=DATE)
        again.config = KEEP_ALL
        assert again.render() == prompt.render()

    @given(response_items())
    def test_items_are_of_the_official_types(self, items):
        from openai.types.responses import ResponseOutputItem

        adapter = TypeAdapter(ResponseOutputItem)
        for item in to_responses_request(from_responses_request({"input": items}))["input"]:
            if item.get("role") in (None, "assistant"):
                adapter.validate_python({"id": "x", "status": "completed", **item})


def said(channel, text="x", *, name=None, **fields):
    return Message(Author(Role.ASSISTANT, name), [TextContent(text)], channel=channel, **fields)


class TestNamed:
    """What a request cannot hold is named, by message and field."""

    def test_deviations(self):
        conversation = Conversation(
            [
                said("commentary"),
                said("final", content_type="json"),
                said("analysis", "{}", recipient="functions.f", content_type="json"),
                said("mumble", name="bob"),
            ]
        )
        lost = [d.path for d in to_chat_request(from_harmony(conversation)).dropped]
        # The request has a system message besides, so the numbers of messages differ.
        assert lost == [f"messages[{index}]" for index in range(4)]
        system = from_chat_request({"messages": []}).conversation.messages
        lost = to_chat_request(Conversation([*system, *conversation.messages])).dropped
        assert {d.path for d in lost} == {
            *["messages[1].channel", "messages[2].content_type", "messages[3].content_type"],
            *["messages[3].channel", "messages[4].channel"],
        }
        assert lost[0].reason == "it reads back as 'final'"

    def test_a_number_of_messages(self):
        system = from_chat_request({"messages": []}).conversation.messages
        empty = said("analysis", "")
        lost = to_chat_request(Conversation([*system, empty, said("final")])).dropped
        assert [d.path for d in lost] == ["messages[1]"]

    def test_what_cannot_be_read_back(self):
        tool = Message(Author(Role.TOOL, "functions.a b"), [TextContent("x")])
        (lost,) = to_chat_request(Conversation([tool])).dropped
        assert "cannot be read back" in lost.reason

    def test_results_without_calls(self):
        tool = {"role": "tool", "name": "f", "tool_call_id": "zz", "content": "r"}
        prompt = from_chat_request({"messages": [tool]})
        (message,) = to_chat_request(prompt)["messages"]
        assert message == {**tool, "tool_call_id": "call_0"}
        (item,) = to_responses_request(prompt)["input"]
        assert item == {
            "type": "function_call_output",
            "call_id": "call_0",
            "output": "r",
            "name": "f",
        }

    def test_text_for_instructions(self):
        message = Message.from_role_and_content(Role.SYSTEM, "Be brief.")
        request = to_chat_request(Conversation([message]))
        assert request["messages"] == [{"role": "system", "content": "Be brief."}]

    @given(st.lists(st.sampled_from(["final", "commentary", "analysis"]), max_size=4))
    def test_any_order_reads_back_or_is_named(self, channels):
        system = from_chat_request({"messages": []}).conversation.messages
        messages = [said(channel, f"{index}") for index, channel in enumerate(channels)]
        conversation = Conversation([*system, *messages])
        for write, read in (
            (to_chat_request, from_chat_request),
            (to_responses_request, from_responses_request),
        ):
            request = write(conversation)
            texts = [m.content[0].text for m in read(request).conversation.messages[1:]]
            assert texts == [m.content[0].text for m in messages]
            assert (read(request).conversation == conversation) == (request.dropped == [])
