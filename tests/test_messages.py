"""Messages and contents: their dict forms, and what they refuse."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import (
    Author,
    ChannelConfig,
    Content,
    Conversation,
    DeveloperContent,
    HarmonyError,
    InvalidMessage,
    Message,
    ReasoningEffort,
    RenderConversationConfig,
    RenderOptions,
    ResponseFormat,
    Role,
    SystemContent,
    TextContent,
    ToolDescription,
    ToolNamespaceConfig,
    UnknownName,
)
from harmony.contents import content_from_dict
from harmony.validation import shortened
from tests.strategies import CONVERSATION, DEVELOPER_CONTENT, MESSAGE, SYSTEM_CONTENT


class TestJson:
    """`to_dict`, `to_json`, `from_dict`, `from_json`: one is the other's inverse."""

    @given(MESSAGE)
    def test_message(self, message):
        assert Message.from_dict(message.to_dict()) == message
        assert Message.from_json(message.to_json()) == message
        for content in message.content:
            assert content_from_dict(content.to_dict()) == content
            assert type(content).from_json(content.to_json()) == content

    @given(CONVERSATION)
    def test_conversation(self, conversation):
        assert Conversation.from_dict(conversation.to_dict()) == conversation
        assert Conversation.from_json(conversation.to_json()) == conversation
        assert list(conversation) == conversation.messages

    @given(SYSTEM_CONTENT | DEVELOPER_CONTENT)
    def test_structured_content(self, content):
        assert type(content).from_dict(content.to_dict()) == content
        assert type(content).from_json(content.to_json()) == content

    def test_response_formats(self):
        content = DeveloperContent.new().with_response_format("r", {"type": "object"}, "R.")
        content.with_response_format("s", {})
        assert content.to_dict()["response_formats"] == [
            {"name": "r", "schema": {"type": "object"}, "description": "R."},
            {"name": "s", "schema": {}},
        ]
        assert DeveloperContent.from_json(content.to_json()) == content

    def test_content_is_a_string_or_a_list(self):
        expected = Message.from_role_and_content(Role.USER, "hi")
        for content in ("hi", [{"type": "text", "text": "hi"}], ["hi"]):
            assert Message.from_dict({"role": "user", "content": content}) == expected

    def test_unknown_keys_are_passed_over(self):
        text = {"type": "text", "text": "hi", "annotations": []}
        message = Message.from_dict({"role": "user", "content": [text], "id": "msg_1"})
        assert message == Message.from_role_and_content(Role.USER, "hi")

    def test_the_shape_of_a_dict(self):
        message = Message.from_role_and_content(Role.ASSISTANT, "{}")
        message.with_channel("commentary").with_recipient("f").with_content_type("json")
        assert json.loads(message.to_json()) == {
            "role": "assistant",
            "name": None,
            "content": [{"type": "text", "text": "{}"}],
            "channel": "commentary",
            "recipient": "f",
            "content_type": "json",
        }

    def test_structured_fields_from_plain_data(self):
        tool = {"name": "f", "description": "F."}
        space = {"name": "functions", "tools": [tool]}
        content = DeveloperContent(tools={"functions": space})
        expected = ToolNamespaceConfig("functions", None, [ToolDescription("f", "F.")])
        assert content.tools == {"functions": expected}
        system = SystemContent(
            reasoning_effort="High",
            channel_config={"valid_channels": ["final"], "channel_required": False},
        )
        assert system.reasoning_effort is ReasoningEffort.HIGH
        assert system.channel_config == ChannelConfig(["final"], channel_required=False)
        assert SystemContent().with_reasoning_effort("Low").reasoning_effort is ReasoningEffort.LOW


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(InvalidMessage) as raised:
        call(*args, **kwargs)
    return str(raised.value)


USER = Author(Role.USER)


class TestConstruction:
    """Issue: "Wrong types are refused with a clear error at construction." """

    @pytest.mark.parametrize(
        ("call", "sentence"),
        [
            (lambda: TextContent(3), "TextContent.text: expected a str, got int: 3"),
            (lambda: TextContent(None), "TextContent.text: expected a str, got None: None"),
            (lambda: Author(None), "Author.role: expected a Role, got None: None"),
            (lambda: Author(Role.USER, 3), "Author.name: expected a str or None, got int: 3"),
            (lambda: Message(None, []), "Message.author: expected a Author, got None: None"),
            (lambda: Message(USER, 3), "Message.content: expected a list, got int"),
            (lambda: Message(USER, None), "Message.content: expected a list, got None"),
            (lambda: Message(USER, b"x"), "Message.content: expected a list, got bytes"),
            (lambda: Message(USER, [3]), "Message.content[0]: expected a Content, got int: 3"),
            (lambda: Message(USER, "x", channel=3), "Message.channel: expected a str or None, got int: 3"),
            (lambda: Message(USER, "x", recipient=[]), "Message.recipient: expected a str or None, got list: []"),
            (lambda: Message(USER, "x", content_type={}), "Message.content_type: expected a str or None, got dict: {}"),
            (lambda: Message.from_role_and_content(Role.USER, 3), "Message.content[0]: expected a Content, got int: 3"),
            (lambda: Conversation([1]), "Conversation.messages[0]: expected a Message, got int: 1"),
            (lambda: Conversation("x"), "Conversation.messages: expected a list, got str"),
            (lambda: SystemContent(model_identity=3), "SystemContent.model_identity: expected a str or None, got int: 3"),
            (lambda: SystemContent(reasoning_effort="huge"), "SystemContent.reasoning_effort: expected one of 'Low', 'Medium', 'High', got 'huge'"),
            (lambda: SystemContent(reasoning_effort=3), "SystemContent.reasoning_effort: expected a ReasoningEffort or None, got int: 3"),
            (lambda: SystemContent(channel_config=3), "SystemContent.channel_config: expected a ChannelConfig or None, got int: 3"),
            (lambda: SystemContent(channel_config={}), "ChannelConfig: the field 'valid_channels' is missing"),
            (lambda: SystemContent(tools=[]), "SystemContent.tools: expected an object (a dict), got list"),
            (lambda: SystemContent(tools={"a": 3}), "SystemContent.tools['a']: expected a ToolNamespaceConfig, got int"),
            (lambda: ChannelConfig("final", True), "ChannelConfig.valid_channels: expected a list, got str"),
            (lambda: ChannelConfig([3], True), "ChannelConfig.valid_channels[0]: expected a str, got int: 3"),
            (lambda: ChannelConfig([], 1), "ChannelConfig.channel_required: expected a bool, got int: 1"),
            (lambda: ToolDescription("f", None), "ToolDescription.description: expected a str, got None: None"),
            (lambda: ToolDescription("f", "", []), "ToolDescription.parameters: expected a dict or None, got list: []"),
            (lambda: ToolNamespaceConfig("a", tools="f"), "ToolNamespaceConfig.tools: expected a list, got str"),
            (lambda: ToolNamespaceConfig("a", tools=[{}]), "ToolDescription: the field 'name' is missing"),
            (lambda: DeveloperContent(tools={"a": {}}), "ToolNamespaceConfig: the field 'name' is missing"),
            (lambda: DeveloperContent(response_formats=3), "DeveloperContent.response_formats: expected a list, got int"),
            (lambda: DeveloperContent(response_formats=[{}]), "ResponseFormat: the field 'name' is missing"),
            (lambda: DeveloperContent(response_formats=[{"name": "r"}]), "ResponseFormat: the field 'schema' is missing"),
            (lambda: DeveloperContent(response_formats=[3]), "DeveloperContent.response_formats[0]: expected a ResponseFormat, got int: 3"),
            (lambda: ResponseFormat("r", []), "ResponseFormat.schema: expected a dict, got list: []"),
            (lambda: RenderOptions(1), "RenderOptions.conversation_has_function_tools: expected a bool, got int: 1"),
            (lambda: RenderConversationConfig(None), "RenderConversationConfig.auto_drop_analysis: expected a bool, got None: None"),
        ],
    )  # fmt: skip
    def test_the_sentence(self, call, sentence):
        assert refused(call) == sentence

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({}, "Message: the field 'role' is missing"),
            ({"role": "user"}, "Message: the field 'content' is missing"),
            ({"role": "user", "content": None}, "Message.content: expected a string or a list of contents, got None: None"),
            ({"role": "user", "content": 3}, "Message.content: expected a string or a list of contents, got int: 3"),
            ({"role": 3, "content": "x"}, "Author.role: expected a Role, got int: 3"),
            ({"role": "user", "content": [{"text": "x"}]}, "Unknown content variant: {'text': 'x'}: its `type` should be one of 'text', 'system_content', 'developer_content'"),
            ({"role": "user", "content": [{"type": "text"}]}, "TextContent: the field 'text' is missing"),
            ([], "Message: expected an object (a dict), got list"),
        ],
    )  # fmt: skip
    def test_from_dict(self, data, sentence):
        assert refused(Message.from_dict, data) == sentence
        assert refused(Message.from_json, json.dumps(data)) == sentence

    def test_conversations(self):
        assert (
            refused(Conversation.from_dict, {}) == "Conversation: the field 'messages' is missing"
        )
        assert refused(Conversation.from_dict, {"messages": {}}) == (
            "Conversation.messages: expected a list, got dict"
        )
        assert refused(Conversation.from_dict, {"messages": [3]}) == (
            "Message: expected an object (a dict), got int"
        )
        assert refused(Conversation.from_json, "{") == (
            "Conversation: not JSON: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1)"
        )

    def test_unknown_role(self):
        with pytest.raises(UnknownName, match="Unknown role: 'model'"):
            Message.from_dict({"role": "model", "content": "x"})

    def test_the_base_of_contents_has_no_form(self):
        with pytest.raises(NotImplementedError):
            Content().to_dict()

    def test_a_long_value_is_shortened(self):
        text = shortened("x" * 500)
        assert len(text) == 79
        assert text.startswith("'xxx")
        assert "…" in text


JUNK = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 2**70, 1.5, float("nan"), "", "x", b"x", object(), Role.USER]
    )
    | st.sampled_from([TextContent("a"), SystemContent(), USER, int, "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", 1, None, "functions"]), inner, max_size=2)
        | st.tuples(inner)
    ),
    max_leaves=5,
)


def holders(value: object) -> list[object]:
    """Every attrs object in ``value``, itself included."""
    found = []
    todo = [value]
    while todo:
        item = todo.pop()
        if attrs.has(type(item)):
            found.append(item)
            todo += [getattr(item, field.name) for field in attrs.fields(type(item))]
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return found


class TestBrokenLater:
    """An object that was changed into something else is a HarmonyError when it is rendered,
    and never another exception."""

    @settings(max_examples=250)
    @given(CONVERSATION.filter(lambda c: c.messages), st.data())
    def test_any_field(self, enc, conversation, data):
        messages = conversation.messages
        holder = data.draw(st.sampled_from(holders(conversation)))
        field = data.draw(st.sampled_from(attrs.fields(type(holder))))
        setattr(holder, field.name, data.draw(JUNK))
        for call in (
            lambda: enc.render_conversation(conversation),
            lambda: enc.render_conversation_for_completion(conversation, Role.ASSISTANT),
            lambda: enc.render_conversation_for_training(conversation),
            lambda: enc.render_tokens(conversation, Role.ASSISTANT),
            lambda: [enc.render(message) for message in messages],
            conversation.to_dict,
            conversation.to_json,
        ):
            try:
                call()
            except HarmonyError as error:
                assert str(error)

    @settings(max_examples=150)
    @given(JUNK)
    def test_anything_at_all(self, enc, junk):
        for call in (
            lambda: enc.render(junk),
            lambda: enc.render_conversation(junk),
            lambda: enc.render_conversation_for_training(junk),
            lambda: enc.render_conversation_for_completion(Conversation([]), junk),
            lambda: enc.render_conversation(Conversation([]), junk) and None,
            lambda: Message.from_dict(junk),
            lambda: Conversation.from_dict(junk),
            lambda: SystemContent.from_dict(junk),
            lambda: DeveloperContent.from_dict(junk),
            lambda: content_from_dict(junk),
            lambda: Message.from_json(junk),
            lambda: Message(USER, "x").adding_content(junk).to_dict(),
            lambda: Message(author=junk, content=junk),
            lambda: SystemContent(tools={"a": junk}),
            lambda: enc.encode(junk),
            lambda: enc.parse([], junk),
        ):
            try:
                call()
            except HarmonyError as error:
                assert str(error)


class TestDeepJson:
    """JSON that nests deeper than the interpreter goes is refused in words, both ways."""

    @pytest.mark.parametrize("payload", ["[" * 100_000, '{"a":' * 100_000])
    @pytest.mark.parametrize("kind", [Message, Conversation])
    def test_read(self, kind, payload):
        with pytest.raises(InvalidMessage, match="the JSON is nested too deeply"):
            kind.from_json(payload)

    def test_written(self):
        schema: dict = {"type": "object"}
        schema["properties"] = {"self": schema}
        content = DeveloperContent.new().with_function_tools([ToolDescription("f", "d", schema)])
        with pytest.raises(InvalidMessage, match="not to be written as JSON"):
            content.to_json()
