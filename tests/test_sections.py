"""System and developer texts, against openai-harmony live."""

from __future__ import annotations

import contextlib

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony.contents import (
    ChannelConfig,
    DeveloperContent,
    SystemContent,
    ToolDescription,
    ToolNamespaceConfig,
)
from harmony.errors import HarmonyError, InvalidMessage, InvalidSchema
from harmony.sections import developer_text, lines_of, system_text
from harmony.spec import load_spec
from tests.peer_sections import peer_text
from tests.strategies_schemas import WILD_DEVELOPER, WILD_SYSTEM

SPEC = load_spec()


class TestSystemMessage:
    """Spec [system_message]: text for text what openai-harmony renders."""

    @settings(max_examples=150, deadline=None)
    @given(WILD_SYSTEM, st.booleans())
    def test_drawn_contents(self, content, function_tools):
        # Said to be None, lest the peer fill in its defaults.
        fields = dict.fromkeys(attrs.asdict(content)) | content.to_dict()
        theirs = peer_text("system", fields, function_tools=function_tools)
        assert system_text(content, SPEC, function_tools=function_tools) == theirs

    def test_built_in_namespaces(self):
        content = SystemContent.new().with_python_tool().with_browser_tool()
        assert system_text(content, SPEC) == peer_text("system", content.to_dict())


class TestDeveloperMessage:
    """Spec [developer_message]: text for text what openai-harmony renders."""

    @settings(max_examples=150, deadline=None)
    @given(WILD_DEVELOPER)
    def test_drawn_contents(self, content):
        assert developer_text(content, SPEC) == peer_text("developer", content.to_dict())

    def test_response_formats(self):
        """As the format's guide lays them out; the peer knows none."""
        content = (
            DeveloperContent.new()
            .with_instructions("You are a helpful shopping assistant")
            .with_response_format("shopping_list", {"type": "object", "é": [1.5, None]})
            .with_response_format("other", {}, "Two\nlines")
        )
        assert developer_text(content, SPEC) == (
            "# Instructions\n\nYou are a helpful shopping assistant\n\n# Response Formats\n\n"
            '## shopping_list\n\n{"type":"object","é":[1.5,null]}\n\n'
            "## other\n\n// Two\n// lines\n{}"
        )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a\r\nb\r", ["a", "b\r"]),
        ("a\u2028b\fc\n\n", ["a\u2028b\fc", ""]),
    ],
)
def test_lines_are_split_as_the_reference_does(text, lines):
    assert lines_of(text) == lines


class TestContentThatUsersBroke:
    """A wrong type set after construction is a clear error, whatever it is."""

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ({"model_identity": 3}, "SystemContent.model_identity: expected a str, got int: 3"),
            ({"reasoning_effort": "huge"}, "SystemContent.reasoning_effort: expected one of"),
            ({"channel_config": []}, "SystemContent.channel_config: expected a ChannelConfig"),
            ({"tools": [1]}, "SystemContent.tools: expected a dict, got list"),
            ({"tools": {1: 2}}, "SystemContent.tools: a key: expected a str, got int"),
            ({"tools": {"a": 2}}, "SystemContent.tools['a']: expected a ToolNamespaceConfig"),
        ],
    )
    def test_system(self, content, sentence):
        broken = SystemContent.new()
        for field, value in content.items():
            setattr(broken, field, value)
        with pytest.raises(InvalidMessage) as raised:
            system_text(broken, SPEC)
        assert sentence in str(raised.value)

    def test_deeper(self):
        channels = ChannelConfig(["a"], True)
        channels.valid_channels = ["a", 1]
        with pytest.raises(InvalidMessage, match=r"valid_channels\[1\]: expected a str"):
            system_text(SystemContent(channel_config=channels), SPEC)
        tool = ToolDescription("f", "")
        namespace = ToolNamespaceConfig("n", None, [tool])
        content = DeveloperContent.new().with_tools(namespace)
        tool.name = None
        with pytest.raises(InvalidMessage, match=r"ToolDescription.name: expected a str"):
            developer_text(content, SPEC)
        namespace.tools = "f"
        with pytest.raises(InvalidMessage, match=r"tools: expected a list"):
            developer_text(content, SPEC)

    def test_schemas(self):
        tool = ToolDescription("f", "", {"default": {1, 2}})
        content = DeveloperContent.new().with_function_tools([tool])
        with pytest.raises(InvalidSchema) as raised:
            developer_text(content, SPEC)
        assert str(raised.value) == (
            "tool 'f': 'set' is not a JSON type (at /default in the schema)"
        )
        content = DeveloperContent.new().with_response_format("r", {"a": {1}})
        with pytest.raises(InvalidSchema, match="response format 'r': not to be written as JSON"):
            developer_text(content, SPEC)

    @settings(max_examples=100, deadline=None)
    @given(
        st.sampled_from(["instructions", "tools", "response_formats"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=3),
            lambda v: st.lists(v, max_size=2) | st.dictionaries(st.integers() | st.text(), v),
        ),
    )
    def test_never_another_error(self, field, value):
        content = DeveloperContent.new()
        setattr(content, field, value)
        with contextlib.suppress(HarmonyError):
            developer_text(content, SPEC)
