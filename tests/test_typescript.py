"""The reference style, against openai-harmony live. Spec: [typescript]."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

import pytest
from hypothesis import given, settings

from harmony.errors import InvalidSchema, UnknownName
from harmony.typescript import schema_to_typescript
from tests.peer_sections import peer_type
from tests.strategies_schemas import WILD_SCHEMAS

CASES = [
    {},
    {"type": "null"},
    {"type": []},
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
        class Kind(str, Enum):
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
