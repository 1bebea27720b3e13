"""The reference style, against openai-harmony live. Spec: [typescript]."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

import pytest
from hypothesis import given, settings

from harmony import ToolNamespaceConfig
from harmony.errors import InvalidSchema, InvalidType, UnknownName
from harmony.typescript import schema_to_typescript, typescript_to_schema
from tests.peer_sections import peer_type
from tests.strategies_schemas import PLAIN_SCHEMAS, WILD_SCHEMAS

CASES = [
    {},
    {"type": "null"},
    {"type": []},
    {"type": [""]},
    {"type": [1, "integer", "null"]},
    {"type": "object"},
    {"type": "object", "properties": [1]},
    {"type": "object", "properties": {"a": 1, "b": None, "c": [{}]}, "required": "abc"},
    {
        "type": "object",
        "description": "d",
        "properties": {"o": {"type": "object", "description": "e"}},
    },
    {
        "type": "object",
        "properties": {"a": {"title": "T", "description": "D\nE", "examples": ["x", 1]}},
    },
    {"type": "object", "properties": {"a": {"type": "string", "enum": ["a", 1], "default": "a"}}},
    {"type": "object", "properties": {"a": {"enum": [1, 2], "default": "q"}}},
    {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}},
    {
        "type": "object",
        "properties": {"a": {"type": "string", "enum": ["nullify"], "nullable": True}},
    },
    {"type": "object", "properties": {"a": {"oneOf": [], "default": 1}}},
    {"type": "object", "properties": {"a": {"oneOf": None, "description": "x", "default": 1}}},
    {"type": "array"},
    {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    {
        "type": "array",
        "items": {"oneOf": [{"type": "string", "description": "s"}, {"type": "number"}]},
    },
    {"oneOf": []},
    {"oneOf": [{"type": "string", "enum": ['é"'], "default": 'é"'}, {"default": None}]},
    *(
        {"type": "object", "properties": {"n": {"type": "number", "default": value}}}
        for value in [1e22, 1.0, 1e16, 1e15, 1e-5, 1.5e-5, 1e-6, 2**64, -(2**63) - 1, -0.0, [1.0]]
    ),
    {"oneOf": [{"oneOf": [{"type": "string"}, {"type": "object"}]}, {"nullable": True}]},
    {
        "type": "object",
        "properties": {
            "a": {
                "description": "same",
                "default": "x",
                "enum": ["x"],
                "oneOf": [
                    {"type": "string", "description": "same", "default": "a"},
                    {"type": "string", "enum": ["x"], "default": "x", "description": "other"},
                ],
            }
        },
    },
]


class TestReferenceStyle:
    """Text for text what openai-harmony renders."""

    @pytest.mark.parametrize("schema", CASES, ids=repr)
    def test_cases(self, schema):
        assert schema_to_typescript(schema) == peer_type(schema)

    @settings(max_examples=200, deadline=None)
    @given(WILD_SCHEMAS)
    def test_drawn_schemas(self, schema):
        assert schema_to_typescript(schema) == peer_type(schema)

    def test_indent_begins_every_line_but_the_first(self):
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        assert schema_to_typescript(schema, "  ") == "{\n  a?: string,\n  }"


class TestWhatIsNoJson:
    def test_python_values_are_read_as_json(self):
        class Kind(str, Enum):  # noqa: UP042 - not a StrEnum, whose format is another
            STRING = "string"

        schema = OrderedDict(
            type="object", properties={1: {"type": (Kind.STRING,), "default": Kind.STRING}}
        )
        assert schema_to_typescript(schema) == '{\n1?: string, // default: "string"\n}'

    @pytest.mark.parametrize(
        ("schema", "path"),
        [
            ({"default": object()}, "/default"),
            ({"properties": {"a/b": {"default": float("nan")}}}, "/properties/a~1b/default"),
            ({"enum": [10**400]}, "/enum/0"),
            ({(1, 2): 3}, ""),
            ({"enum": b"ab"}, "/enum"),
        ],
    )
    def test_is_refused_with_its_path(self, schema, path):
        with pytest.raises(InvalidSchema) as raised:
            schema_to_typescript(schema)
        assert raised.value.path == path

    def test_a_dict_that_contains_itself(self):
        schema = {"type": "array"}
        schema["items"] = schema
        with pytest.raises(InvalidSchema, match="nested too deeply"):
            schema_to_typescript(schema)

    def test_unknown_style(self):
        with pytest.raises(UnknownName, match="unknown schema style 'full'; there are: reference"):
            schema_to_typescript({}, style="full")


class TestReadingTypes:
    """The inverse: text → schema → the same text."""

    @settings(max_examples=200, deadline=None)
    @given(WILD_SCHEMAS)
    def test_what_is_read_is_written_as_the_same_text(self, schema):
        text = schema_to_typescript(schema)
        try:
            read = typescript_to_schema(text)
        except InvalidType:
            return
        assert schema_to_typescript(read) == text
        assert typescript_to_schema(schema_to_typescript(read)) == read

    @settings(max_examples=200, deadline=None)
    @given(PLAIN_SCHEMAS)
    def test_usual_schemas_are_always_read(self, schema):
        text = schema_to_typescript(schema)
        assert schema_to_typescript(typescript_to_schema(text)) == text

    @pytest.mark.parametrize("schema", CASES[:-1], ids=repr)
    def test_cases(self, schema):
        text = schema_to_typescript(schema)
        if text:
            assert schema_to_typescript(typescript_to_schema(text)) == text

    def test_all_that_the_text_says_comes_back(self):
        schema = {
            "type": "object",
            "properties": {
                "city": {"title": "City", "description": "Two\nlines: of text", "type": "string"},
                "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
                "when": {"type": ["string", "null"], "examples": ["today", "now"]},
                "tags": {"type": "array", "items": {"type": "string"}, "default": []},
                "sep": {"type": "string", "default": "\n"},
                "at": {
                    "description": "Where",
                    "type": "object",
                    "properties": {"lat": {"type": ["number", "null"]}},
                    "required": ["lat"],
                },
                "how": {
                    "description": "How",
                    "default": 1,
                    "oneOf": [
                        {"type": "number", "default": 0},
                        {"type": "string", "description": "by name", "default": "x"},
                        {"oneOf": [{"type": "boolean"}, {"type": "array"}]},
                    ],
                },
                "many": {"type": "array", "items": {"oneOf": [{"type": "string"}, {}]}},
                "any": {},
            },
            "required": ["city"],
        }
        assert typescript_to_schema(schema_to_typescript(schema)) == schema

    @pytest.mark.parametrize("name", ["browser"])
    def test_built_in_tools(self, name):
        for tool in ToolNamespaceConfig.built_in(name).tools:
            assert typescript_to_schema(schema_to_typescript(tool.parameters)) == tool.parameters

    @pytest.mark.parametrize(
        ("text", "offset"),
        [
            ("{\na: string,\nb\n}", 13),
            ("{\na: string\n}", 2),
            ("{\na: string,\n", 13),
            ("string number", 6),
            ("{\na: string,\na: number,\n}", 5),
            ("string[] | number", 0),
            ("", 0),
        ],
    )
    def test_what_is_no_type_says_where(self, text, offset):
        with pytest.raises(InvalidType) as raised:
            typescript_to_schema(text)
        assert raised.value.offset == offset

    def test_nesting_beyond_the_stack(self):
        with pytest.raises(InvalidType, match="nested too deeply"):
            typescript_to_schema("{\na: " * 3000 + "string" + ",\n}" * 3000)
