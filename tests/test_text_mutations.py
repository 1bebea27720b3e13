"""No production of the grammars of texts is idle: without it some text is not read."""

from __future__ import annotations

import functools

import pytest

from harmony import resources
from harmony.contents import (
    ChannelConfig,
    DeveloperContent,
    ReasoningEffort,
    SystemContent,
    ToolDescription,
    ToolNamespaceConfig,
)
from harmony.errors import HarmonyError
from harmony.section_reader import read_developer, read_system
from harmony.section_terminals import section_terminals
from harmony.sections import developer_text, system_text
from harmony.spec import load_spec
from harmony.syntax import read_syntax
from harmony.text_grammar import text_grammar
from harmony.typescript import schema_to_typescript, typescript_to_schema
from tests.sentences import grammar_text, variants
from tests.strategies_complete import DEFINITIONS

SPEC = load_spec()
IMPORTED = {
    "sections": section_terminals(SPEC, "system_message"),
    "typescript": "DEFAULT: /a/\n",
    "typescript_complete": "INDEX_SIGNATURE: /a/\nCOMMA_AND_DEFAULT: /b/\n",
}
TEXTS = {name: resources.read_text("grammar", f"{name}.lark") for name in IMPORTED}
RULES = {
    name: read_syntax(text, lambda _, __, name=name: ("<spec>", IMPORTED[name])).rules
    for name, text in TEXTS.items()
}
MUTANTS = [
    (name, rule, changed, what)
    for name, rules in RULES.items()
    for rule, node in rules.items()
    for changed, what in variants(node)
]

FULL = ToolNamespaceConfig(
    "mcp", "About", [ToolDescription("f", "Does", {"type": "object"}), ToolDescription("g", "")]
)
BARE = ToolNamespaceConfig("a", None, [])
NAMED = ToolDescription("walk", "", {"$ref": "#/$defs/Node", "$defs": DEFINITIONS})
CHANNELS = ChannelConfig(["a"], False)


def _system(identity=None, effort=None, date=None, cutoff=None, channels=None, tools=()):
    named = {tool.name: tool for tool in tools} or None
    return SystemContent(identity, effort, date, cutoff, channels, named)


SYSTEMS = [
    _system(*fields)
    for fields in [
        ("I", ReasoningEffort.LOW, "d", "c", CHANNELS, [FULL, BARE]),
        ("I", None, "d"),
        ("I", None, None, "c", None, [FULL]),
        (None, ReasoningEffort.LOW, "d", "c", CHANNELS, [FULL]),
        (None, ReasoningEffort.LOW, "d"),
        (None, None, None, "c"),
        (None, None, None, "c", CHANNELS),
        (None, None, None, "c", None, [FULL]),
        (None, ReasoningEffort.LOW, None, None, CHANNELS, [FULL]),
        (None, ReasoningEffort.LOW),
        (None, None, None, None, CHANNELS, [FULL, ToolNamespaceConfig("b", "\n", [])]),
        (None, None, None, None, None, [ToolNamespaceConfig.python()]),
        (None, None, None, None, CHANNELS),
    ]
]
DEVELOPERS = [
    DeveloperContent("I", {"mcp": FULL}).with_response_format("r", {}, "d"),
    DeveloperContent("I", {"mcp": FULL}),
    DeveloperContent("I").with_response_format("r", {}),
    DeveloperContent(None, {"mcp": FULL}).with_response_format("r", {}),
    DeveloperContent(None, {"mcp": FULL}),
    DeveloperContent().with_response_format("r", {}).with_response_format("s", {}),
    DeveloperContent().with_function_tools([NAMED]),
]
REFERENCE = [
    {},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "array", "items": {"type": ["string", "null"]}},
    {"oneOf": [{}, {"oneOf": [{}]}, {"description": "a\nb"}]},
    {"oneOf": [{"oneOf": [{"description": "a"}]}]},
    {
        "type": "object",
        "description": "d",
        "properties": {
            "a": {"description": "two\nlines", "title": "T", "type": "string", "default": "x"},
            "b": {"type": "array", "items": {"oneOf": [{}, {"description": "swallows"}]}},
            "c": {"oneOf": [{"type": "string", "default": 1}, {"type": "object"}]},
            "d": {"description": "d", "oneOf": []},
            "e": {},
        },
    },
]
COMPLETE = [
    {},
    {"description": "d", "anyOf": [{"description": "a"}, {"const": -1.5}, {"const": "a"}]},
    {"type": ["string", "null"]},
    {"allOf": [{"required": ["a"]}, {"properties": {"b c": {"default": 1}}}]},
    {"type": "array", "items": {"type": "array", "items": {"enum": [1, True]}}},
    {"const": []},
    {"prefixItems": [{}, {}], "minItems": 1, "items": {"type": "string"}},
    {"prefixItems": [{"description": "a"}]},
    {"type": "object"},
    {"additionalProperties": {"type": "string"}, "properties": {"a": {"description": "x"}}},
    {"$ref": "#/$defs/Node", "$defs": DEFINITIONS},
]


def corpus(name):
    """Functions that read a text, and what they gave when the grammar was whole."""
    if name == "sections":
        reads = [functools.partial(read_system, system_text(s, SPEC), SPEC) for s in SYSTEMS]
        reads += [
            functools.partial(
                read_developer, developer_text(d, SPEC, schema_style="complete"), SPEC
            )
            for d in DEVELOPERS
        ]
    else:
        style, schemas = (
            ("reference", REFERENCE) if name == "typescript" else ("complete", COMPLETE)
        )
        reads = [
            functools.partial(
                typescript_to_schema, schema_to_typescript(schema, style=style), style=style
            )
            for schema in schemas
        ]
    return [(read, read()) for read in reads]


def is_noticed(name, rules, monkeypatch) -> bool:
    ignored = [line for line in TEXTS[name].splitlines() if line.startswith("%ignore")]
    changed = "\n".join([grammar_text(rules, TEXTS[name]), *ignored, ""])
    read_text = resources.read_text
    with monkeypatch.context() as patch:
        patch.setattr(
            resources,
            "read_text",
            lambda folder, file: changed if file == f"{name}.lark" else read_text(folder, file),
        )
        text_grammar.cache_clear()
        try:
            return any(read() != before for read, before in corpora[name])
        except HarmonyError:
            return True
        finally:
            text_grammar.cache_clear()


corpora = {name: corpus(name) for name in IMPORTED}


@pytest.mark.parametrize("name", IMPORTED)
def test_the_corpus_follows_the_templates(name):
    for _, reading in corpora[name]:
        assert isinstance(reading, dict) or (reading.content and not reading.departure)


@pytest.mark.parametrize("name", IMPORTED)
def test_the_grammar_written_out_again_is_the_same(name, monkeypatch):
    assert not is_noticed(name, RULES[name], monkeypatch)


@pytest.mark.parametrize(
    "index", range(len(MUTANTS)), ids=lambda i: f"{MUTANTS[i][0]}-{MUTANTS[i][1]}-{i}"
)
def test_without_an_alternative_or_an_optional_part(index, monkeypatch):
    name, rule, changed, what = MUTANTS[index]
    assert is_noticed(name, {**RULES[name], rule: changed}, monkeypatch), f"{rule}: {what} is idle"
