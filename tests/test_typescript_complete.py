"""The complete style, judged by the TypeScript compiler itself. Spec: [typescript]."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmony.contents import DeveloperContent, ToolDescription, ToolNamespaceConfig
from harmony.errors import InvalidSchema, InvalidType
from harmony.section_reader import read_developer
from harmony.sections import developer_text
from harmony.spec import load_spec
from harmony.typescript import schema_to_type, schema_to_typescript, typescript_to_schema
from tests.strategies_complete import COMPLETE_SCHEMAS, DEFINITIONS, instances
from tests.strategies_schemas import WILD_SCHEMAS

SPEC = load_spec()
TYPESCRIPT = "typescript@5.9"
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def complete(schema) -> str:
    return schema_to_typescript(schema, style="complete")


@pytest.fixture(scope="session")
def compiler(tmp_path_factory):
    """Runs the TypeScript compiler over a text: what it says, a line each."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so there is no TypeScript compiler to ask")
    home = Path(tempfile.gettempdir()) / "harmony-typescript" / TYPESCRIPT
    tsc = home / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text("{}")
        command = [npm, "install", "--no-audit", "--no-fund", "--silent", TYPESCRIPT]
        subprocess.run(command, cwd=home, check=True, timeout=300)
    folder = tmp_path_factory.mktemp("typescript")

    def compile_(text: str) -> list[str]:
        (folder / "types.ts").write_text(text, encoding="utf-8")
        command = [
            str(tsc),
            "--strict",
            "--noEmit",
            "--target",
            "es2022",
            "--pretty",
            "false",
            "types.ts",
        ]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
        )
        return done.stdout.splitlines()

    return compile_


def module(number: int, schema: dict, values: list) -> str:
    """A namespace that declares the type, and constants of it that hold the values."""
    written = schema_to_type(schema, style="complete")
    named = [f"export type {name} = {text};" for name, text in written.named.items()]
    constants = [
        f"const c{index}: T = {json.dumps(value, ensure_ascii=False)};"
        for index, value in enumerate(values)
    ]
    lines = [*named, f"export type T = {written.text};", *constants]
    return f"namespace n{number} {{\n" + "\n".join(lines) + "\n}\n"


def report(said: list[str], text: str) -> str:
    """What the compiler says, each with the namespace that it speaks of."""
    lines = text.split("\n")
    shown = []
    for line in said[:5]:
        found = re.match(r"types\.ts\((\d+),", line)
        number = int(found[1]) if found else 0
        start = max((i for i in range(number) if lines[i].startswith("namespace ")), default=0)
        shown.append(line + "\n" + "\n".join(lines[start : number + 2]))
    return "\n".join(shown)


class TestTheCompilersVerdict:
    def test_types_are_accepted_and_instances_have_them(self, compiler):
        modules: list[str] = []

        @QUICK
        @given(st.data())
        def draw(data):
            schema = data.draw(COMPLETE_SCHEMAS)
            values = data.draw(st.lists(instances(schema), min_size=1, max_size=3))
            modules.append(module(len(modules), schema, values))

        draw()
        text = "".join(modules)
        said = compiler(text)
        assert not said, report(said, text)

    def test_other_values_are_refused(self, compiler):
        pairs = [
            ({"type": "integer"}, "a"),
            ({"const": 1}, 2),
            ({"enum": ["a", None]}, "b"),
            ({"type": "array", "items": {"type": ["string", "null"]}}, [1]),
            ({"prefixItems": [{"type": "string"}], "minItems": 1, "items": False}, []),
            ({"prefixItems": [{"type": "string"}], "items": False}, ["a", "b"]),
            ({"type": "object", "properties": {"a b": {}}, "required": ["a b"]}, {}),
            ({"type": "object", "properties": {"a": {"type": "null"}}}, {"b": 1}),
            ({"additionalProperties": {"type": "number"}}, {"b": "1"}),
            ({"$ref": "#/$defs/Node", "$defs": DEFINITIONS}, {"value": 1, "next": {"value": ""}}),
            ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}),
            ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, 1),
        ]
        modules = [module(number, *pair[:1], [pair[1]]) for number, pair in enumerate(pairs)]
        said = [line for line in compiler("".join(modules)) if line.startswith("types.ts")]
        assert len(said) == len(pairs), "\n".join(said)

    def test_a_whole_namespace(self, compiler):
        """The body of a tools section is TypeScript as it stands."""
        tools = [
            ToolDescription("walk", "Walks.\n*/ }", {"$ref": "#/$defs/Node", "$defs": DEFINITIONS}),
            ToolDescription("again", "", {"$ref": "#/$defs/Node", "$defs": DEFINITIONS}),
            ToolDescription("other", "", OTHER_NODE),
            ToolDescription("a_b", "", {"$ref": "#/$defs/a-b", "$defs": DEFINITIONS}),
            ToolDescription("none", ""),
        ]
        content = DeveloperContent.new().with_function_tools(tools)
        text = developer_text(content, SPEC, schema_style="complete")
        body = text[text.index("namespace ") :]
        assert compiler(body) == []
        reading = read_developer(text, SPEC)
        assert reading.schema_style == "complete"
        assert developer_text(reading.content, SPEC, schema_style="complete") == text


OTHER_NODE = {
    "$ref": "#/$defs/Node",
    "$defs": {"Node": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
}


class TestReading:
    @QUICK
    @given(COMPLETE_SCHEMAS)
    def test_schema_to_text_to_schema_to_text(self, schema):
        text = complete(schema)
        read = typescript_to_schema(text, style="complete")
        assert complete(read) == text
        assert typescript_to_schema(complete(read), style="complete") == read

    @pytest.mark.parametrize(
        ("text", "offset"),
        [
            ("{\na: string\n}", 12),
            ("Node", 0),
            ("string|number", 6),
            ("[...string]", 4),
            ("type A = ;\n\nA", 5),
            ('"\\q"', 0),
            ("{\nlength: string\n", 17),
        ],
    )
    def test_what_is_no_type_says_where(self, text, offset):
        with pytest.raises(InvalidType) as raised:
            typescript_to_schema(text, style="complete")
        assert raised.value.offset == offset


class TestWhatNoTypeSays:
    """A clear error that names the path in the schema."""

    @pytest.mark.parametrize(
        ("schema", "path", "sentence"),
        [
            ({"properties": {"a": False}}, "/properties/a", "the schema `false` allows nothing"),
            ({"properties": {"a": {"$ref": "#"}}}, "/properties/a/$ref", "goes in a circle"),
            (
                {"properties": {"a/b": {"items": {"$ref": "#/properties/a~1b"}}}},
                "/properties/a~1b/items/$ref",
                "goes in a circle",
            ),
            ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, "/$defs/A", "itself"),
            (
                {
                    "$ref": "#/$defs/A",
                    "$defs": {
                        "A": {"anyOf": [{"$ref": "#/$defs/B"}, {}]},
                        "B": {"allOf": [{"$ref": "#/$defs/A"}]},
                    },
                },
                "/$defs/A",
                "the definition is nothing but itself",
            ),
            ({"items": {"$ref": "#/$defs/No"}}, "/items/$ref", "points to nothing"),
            ({"$ref": "https://example.com/a.json"}, "/$ref", "points outside"),
            ({"$ref": 1}, "/$ref", "a reference is a string"),
            ({"type": "text"}, "/type", "there is no type 'text'"),
            ({"enum": []}, "/enum", "an enum without a value allows nothing"),
            ({"type": "string", "enum": [1]}, "/enum", "an enum without a value allows nothing"),
            ({"anyOf": []}, "/anyOf", "an empty `anyOf` allows nothing"),
            ({"allOf": {}}, "/allOf", "`allOf` is a list"),
            ({"properties": []}, "/properties", "`properties` is an object"),
            ({"required": [1]}, "/required/0", "`required` is a list of strings"),
            ({"items": 3}, "/items", "a schema is an object or a boolean"),
        ],
    )
    def test_says_so(self, schema, path, sentence):
        with pytest.raises(InvalidSchema) as raised:
            complete(schema)
        assert raised.value.path == path
        assert sentence in str(raised.value)

    def test_references_that_grow_without_end(self):
        """Each definition refers to the next one twice: 2**40 schemas, written out."""
        definitions = {
            f"d{n}": {"prefixItems": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)
        }
        schema = {"$ref": "#/$defs/d0", "$defs": {**definitions, "d40": {}}}
        with pytest.raises(InvalidSchema, match=r"too large|nested too deeply"):
            complete(schema)

    @QUICK
    @given(WILD_SCHEMAS)
    def test_never_another_error(self, schema):
        try:
            text = complete(schema)
        except InvalidSchema:
            return
        assert "\u2028" not in text
        assert complete(typescript_to_schema(text, style="complete")) == text


class TestTheText:
    @pytest.mark.parametrize(
        ("schema", "text"),
        [
            ({"items": [{"type": "string"}], "additionalItems": False}, "[string?]"),
            ({"items": [{}, {}], "minItems": 1}, "[any, any?, ...any[]]"),
            ({"prefixItems": [{}, {}], "maxItems": 1}, "// maxItems: 1\n[any?]"),
            ({"items": False}, "[]"),
            (
                {"patternProperties": {"^a": {"type": "string"}}},
                '// patternProperties: {"^a":{"type":"string"}}\n{\n[key: string]: any,\n}',
            ),
            ({"type": "integer", "enum": [1, 2.0, 2.5, True, "a"]}, "1 | 2.0"),
            ({"type": ["boolean", "null"], "enum": [True, None, 0]}, "true | null"),
            ({"type": "object", "oneOf": [{"required": ["a"]}]}, "{\na: any,\n}"),
            ({"$ref": "#/$defs/A", "type": "string", "$defs": {"A": {}}}, "any & string"),
            (
                {
                    "$ref": "#/$defs/A",
                    "description": "here",
                    "$defs": {"A": {"description": "there"}},
                },
                "// here\nany",
            ),
            (
                {
                    "type": "object",
                    "$ref": "#/$defs/1",
                    "$defs": {"1": {"$ref": "#/$defs/2"}, "2": {"items": {"$ref": "#/$defs/2"}}},
                },
                "type _2 = _2[];\n\n_2",
            ),
        ],
        ids=repr,
    )
    def test_of_a_schema(self, schema, text):
        assert complete(schema) == text
        assert complete(typescript_to_schema(text, style="complete")) == text

    def test_a_schema_with_everything(self):
        schema = {
            "type": "object",
            "description": "Where to",
            "properties": {
                "city": {"$ref": "#/$defs/Flat", "title": "City", "default": "Oslo"},
                "days": {"type": "integer", "minimum": 1, "description": "How many\n*/ days"},
                "x-y": {"type": "array", "items": {"type": ["string", "null"]}},
                "how": {"anyOf": [{"const": 1}, {"type": "string", "pattern": "^a"}]},
                "next": {"$ref": "#/$defs/Node"},
            },
            "required": ["city"],
            "$defs": DEFINITIONS,
        }
        assert complete(schema) == (
            "type Node = // A node\n// */ of a tree\n{\n"
            '// type: "integer"\nvalue: number,\nnext?: Node | null,\nall?: Node[],\n};\n\n'
            "// Where to\n{\n"
            '// City\n//\n// A day\n// format: "date"\ncity: string, // default: "Oslo"\n'
            '// How many\n// */ days\n// type: "integer"\n// minimum: 1\ndays?: number,\n'
            '"x-y"?: (string | null)[],\n'
            'how?: \n     | 1\n     | // pattern: "^a"\n       string,\n'
            "next?: Node,\n}"
        )

    def test_names_that_are_taken(self):
        """Two tools mean two things by `Node`: the second one's has another name."""
        tools = [
            ToolDescription("f", "", {"$ref": "#/$defs/Node", "$defs": DEFINITIONS}),
            ToolDescription("g", "", OTHER_NODE),
            ToolDescription("Node_2", ""),
        ]
        content = DeveloperContent.new().with_tools(ToolNamespaceConfig("n", None, tools))
        text = developer_text(content, SPEC, schema_style="complete")
        assert "type Node = // A node" in text
        assert "type Node_3 = Node_3[];\n\ntype g = (_: Node_3) => any;" in text
