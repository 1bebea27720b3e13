"""System and developer texts, read back. Spec: [system_message], [developer_message]."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony.contents import (
    DeveloperContent,
    SystemContent,
    ToolDescription,
    ToolNamespaceConfig,
)
from harmony.section_reader import read_developer, read_system
from harmony.section_tree import text_of
from harmony.sections import developer_text, lines_of, system_text
from harmony.spec import load_spec
from tests.strategies_schemas import (
    CANONICAL_DEVELOPER,
    CANONICAL_SYSTEM,
    LINES,
    WILD_DEVELOPER,
    WILD_SYSTEM,
)

SPEC = load_spec()
TEMPLATE_TEXT = st.lists(
    st.sampled_from(
        [
            "# Instructions",
            "# Tools",
            "## functions",
            "// a",
            "namespace functions {",
            "type f = (_: {\n}) => any;",
            "type f = () => any;",
            "} // namespace functions",
            "# Response Formats",
            '{"a":1}',
            "Reasoning: low",
            "# Valid channels: a, b.",
            "Knowledge cutoff: x",
            "Current date: y",
            "é",
            "\n",
            "\n\n",
        ]
    ),
    max_size=12,
).map("".join)


class TestSystemMessage:
    @settings(max_examples=150, deadline=None)
    @given(CANONICAL_SYSTEM, st.booleans())
    def test_content_comes_back(self, content, function_tools):
        text = system_text(content, SPEC, function_tools=function_tools)
        reading = read_system(text, SPEC)
        fields = (
            content.knowledge_cutoff,
            content.conversation_start_date,
            content.reasoning_effort,
            content.channel_config,
            content.tools,
        )
        if all(field is None for field in fields):
            # An identity and nothing else is any text at all.
            assert reading.content is None
            return
        assert reading.content == content
        assert reading.function_tools == (function_tools and content.channel_config is not None)
        assert reading.departure is None

    @settings(max_examples=150, deadline=None)
    @given(WILD_SYSTEM, st.booleans())
    def test_what_is_read_renders_to_the_same_text(self, content, function_tools):
        text = system_text(content, SPEC, function_tools=function_tools)
        reading = read_system(text, SPEC)
        if reading.content is None:
            assert reading.departure is not None
            return
        again = system_text(reading.content, SPEC, function_tools=reading.function_tools)
        assert again == text

    @settings(max_examples=200, deadline=None)
    @given(TEMPLATE_TEXT)
    def test_any_text_is_content_or_departs(self, text):
        reading = read_system(text, SPEC)
        assert (reading.content is None) == (reading.departure is not None)
        if reading.departure:
            assert 0 <= reading.departure.offset <= len(text)

    def test_built_in_namespaces(self):
        content = SystemContent.new().with_browser_tool().with_python_tool()
        reading = read_system(system_text(content, SPEC), SPEC)
        assert reading.content == content

    @pytest.mark.parametrize(
        ("text", "offset", "sentence"),
        [
            ("You are helpful.", 0, "'You are helpful.' where the template has channels section"),
            ("", 0, "the end of the text where the template has"),
            (
                "Hi\n\nReasoning: low\n\nmore",
                18,
                "'\\n\\nmore' where the template has its end, separator",
            ),
            (
                "Hi\n\nReasoning: huge",
                4,
                "'Reasoning: huge' where the template has channels section, re",
            ),
            ("Reasoning: low\n\n# Tools\n\n## a\n\nnamespace a {\n\n", 46, "the end of the text"),
        ],
    )
    def test_departures(self, text, offset, sentence):
        departure = read_system(text, SPEC).departure
        assert departure.sentence.startswith(sentence)
        assert departure.offset == offset


class TestDeveloperMessage:
    @settings(max_examples=150, deadline=None)
    @given(CANONICAL_DEVELOPER)
    def test_content_comes_back(self, content):
        text = developer_text(content, SPEC)
        if text:
            assert read_developer(text, SPEC).content == content

    @settings(max_examples=150, deadline=None)
    @given(WILD_DEVELOPER)
    def test_what_is_read_renders_to_the_same_text(self, content):
        text = developer_text(content, SPEC)
        reading = read_developer(text, SPEC)
        if reading.content is None:
            assert reading.departure is not None
            return
        assert developer_text(reading.content, SPEC, schema_style=reading.schema_style) == text

    @settings(max_examples=200, deadline=None)
    @given(TEMPLATE_TEXT)
    def test_any_text_is_content_or_departs(self, text):
        reading = read_developer(text, SPEC)
        assert reading.content is not None or reading.departure is not None
        if reading.departure:
            assert 0 <= reading.departure.offset <= len(text)

    def test_instructions_that_look_like_tools(self):
        """A markdown heading stays a part of the instructions, and is pointed out."""
        text = "# Instructions\n\nHi.\n\n# Tools\n\n## search\n\nUse it with care."
        reading = read_developer(text, SPEC)
        assert reading.content == DeveloperContent(instructions=text[16:])
        assert reading.departure.offset == text.index("\n\n# Tools")

    def test_a_tool_whose_type_departs(self):
        tool = ToolDescription("f", "", {"type": "object", "properties": {"a": {"type": "string"}}})
        text = developer_text(DeveloperContent.new().with_function_tools([tool]), SPEC)
        broken = text.replace("string", "str ing")
        departure = read_developer(broken, SPEC).departure
        # As far as any of the styles goes.
        assert departure.offset == broken.index("ing,")

    def test_a_response_format_that_is_no_json(self):
        text = "# Response Formats\n\n## a\n\n{a}"
        departure = read_developer(text, SPEC).departure
        assert departure.offset == text.index("{a}")
        assert departure.sentence.startswith("this is not JSON: Expecting property name")

    def test_namespaces_out_of_order(self):
        config = ToolNamespaceConfig("b", None, [ToolDescription("f", "")])
        other = ToolNamespaceConfig("a", None, [ToolDescription("f", "")])
        text = developer_text(DeveloperContent(tools={"x": config, "y": other}), SPEC)
        assert read_developer(text, SPEC).departure.offset == text.index("b")

    def test_many_places_at_which_instructions_may_end(self):
        text = "# Instructions\n\n" + "\n\n# Tools\n\n## a\n\n" * 500
        assert read_developer(text, SPEC).content == DeveloperContent(instructions=text[16:])


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES.map(lambda line: line.replace("\n", "")), max_size=4))
def test_lines_and_text_are_inverse(lines):
    assert lines_of(text_of(lines)) == lines


class TestAnotherSpec:
    """A template is said once, in the spec: change it there, and both directions follow."""

    OVERLAY: ClassVar = {
        "system_message": {
            "cutoff_line": "[cutoff {knowledge_cutoff}]",
            "reasoning_line": "Think {reasoning_effort}!",
            "channels_line": "Channels ({channels})",
            "channels_separator": " / ",
            "section_separator": "\n---\n",
        },
        "developer_message": {
            "instructions_heading": "= Do =",
            "response_format_heading": "== {name} ==",
            "section_separator": "\n---\n",
        },
        "tools_section": {
            "heading": "= Tools =",
            "namespace_heading": "== {name} ==",
            "comment": "# {line}",
            "type_without_parameters": "def {name}();",
            "namespace_closing": "}} // end of {name}",
        },
        "typescript": {"unknown_type": "unknown", "default_comment": "= {value}"},
    }

    @settings(max_examples=50, deadline=None)
    @given(CANONICAL_SYSTEM, CANONICAL_DEVELOPER)
    def test_texts_and_contents(self, system, developer):
        spec = load_spec(self.OVERLAY)
        text = system_text(system, spec)
        reading = read_system(text, spec)
        if reading.content is not None:
            assert system_text(reading.content, spec) == text
        text = developer_text(developer, spec)
        reading = read_developer(text, spec)
        if reading.content is not None:
            assert developer_text(reading.content, spec, schema_style=reading.schema_style) == text

    def test_a_message_of_each(self):
        spec = load_spec(self.OVERLAY)
        system = SystemContent.new().with_python_tool()
        text = system_text(system, spec)
        assert text.startswith("You are ChatGPT")
        assert "\n[cutoff 2024-06]\n---\nThink medium!\n---\n= Tools =\n\n== python ==\n" in text
        assert read_system(text, spec).content == system
        schema = {"type": "object", "properties": {"a": {"default": 1}}}
        tools = [ToolDescription("f", "Does."), ToolDescription("g", "", schema)]
        developer = DeveloperContent.new().with_instructions("Hi").with_function_tools(tools)
        developer.with_response_format("r", {})
        text = developer_text(developer, spec)
        assert text == (
            "= Do =\n---\nHi\n---\n= Tools =\n\n== functions ==\n\nnamespace functions {\n\n"
            "# Does.\ndef f();\n\ntype g = (_: {\na?: unknown, // = 1\n}) => any;\n\n"
            "} // end of functions\n---\n# Response Formats\n---\n== r ==\n---\n{}"
        )
        assert read_developer(text, spec).content == developer
