"""JSON Schema as grammars: our own converter, and what llguidance is handed."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harmony import HarmonyError, InvalidSchema, UnsupportedSchema
from harmony.constrain import completion_grammar
from harmony.constrain.rules import Rules
from harmony.constrain.schema_places import Document
from harmony.constrain.schema_rules import convert
from harmony.constrain.value_rules import Converter
from tests.constrain_cases import ORDER, TREE, chat, deep
from tests.rule_texts import matches, random_text

STR, INT, NUM = {"type": "string"}, {"type": "integer"}, {"type": "number"}
SPECIAL = ["<|end|>", "<|start|>"]


def raising(keyword, path, reason):
    raise UnsupportedSchema(reason, keyword=keyword, path=path)


def rules_of(schema, special=SPECIAL, whitespace=2) -> tuple[dict, str]:
    grammar = Rules()
    root = convert(Converter(grammar, special, whitespace), Document(schema), "v", raising).name
    return ({}, "") if grammar.pruned(root) else (grammar.rules, root)


def by_rules(schema, text: str) -> bool:
    rules, root = rules_of(schema)
    return bool(root) and matches(rules, root, text)


def by_llguidance(enc, schema, text: str) -> bool:
    matcher = completion_grammar(enc, response_format=schema, whitespace=2).matcher()
    tokens = enc.encode(f"<|channel|>final<|message|>{text}", allowed_special="all")
    tokens += [200002]
    try:
        for token in tokens:
            matcher.accept(token)
    except HarmonyError:
        return False
    return matcher.done


def closed(**properties):
    return {"type": "object", "properties": properties, "additionalProperties": False}


PAIR = {"type": "array", "prefixItems": [STR, INT], "items": False}
TABLE = [
    (True, ["1", '"a"', "[]", "{}", "null", '{"a": [1, {"b": -2.5e3}]}'], ["", "nul", "{", '{"a"}', "[1,]", "01", "+1"]),
    (INT, ["0", "-1", "120"], ["1.0", "1e3", '"1"', "true", "- 1"]),
    (NUM, ["0", "-1.50", "1e3", "2.5E-3"], [".5", "1.", "--1", "NaN"]),
    ({"type": "boolean"}, ["true", "false"], ["1", "True"]),
    ({"type": ["object", "null"]}, ["null", "{}", '{"a":1}'], ["[]", "1"]),
    ({"enum": ['a\n"', 1, None, {"x": [1]}]}, ['"a\\n\\""', "1", "null", '{"x":[1]}', '{ "x" : [ 1 ] }'], ['"a"', "2", '{"x":[2]}']),
    ({"const": "é"}, ['"é"'], ['"e"']),
    ({"type": "string", "enum": ["a", 1, "bb"], "minLength": 2}, ['"bb"'], ['"a"', "1"]),
    ({"type": "integer", "minimum": -5, "maximum": 120}, ["-5", "0", "7", "99", "120"], ["-6", "121", "1200", "-50"]),
    ({"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 12}, ["10", "11"], ["9", "12", "1"]),
    ({"type": "number", "minimum": 0.5, "maximum": 10.25}, ["0.5", "0.50", "10.25", "9.999", "1"], ["0.49", "10.26", "10.251", "11", "-1"]),
    ({"type": "number", "maximum": -0.1}, ["-0.1", "-5"], ["0", "-0.05", "1"]),
    ({"type": "integer", "multipleOf": 7}, ["0", "7", "-14", "700"], ["1", "8", "70001"]),
    ({"type": "string", "minLength": 2, "maxLength": 3}, ['"ab"', '"äöü"', '"a\\n"'], ['"a"', '"abcd"', '"a\tb"', '"a\nb"']),
    ({"type": "string", "maxLength": 300, "minLength": 299}, [f'"{"a" * 299}"', f'"{"a" * 300}"'], [f'"{"a" * 298}"', f'"{"a" * 301}"']),
    ({"type": "string", "pattern": "^[a-c]+-\\d{2,3}$"}, ['"abc-12"', '"a-123"'], ['"abc-1"', '"d-12"', '"a-1234"', '"xa-12"']),
    ({"type": "string", "pattern": "b"}, ['"abc"', '"b"'], ['"ac"', '""']),
    ({"type": "string", "pattern": "^a|b$", "maxLength": 2}, ['"ax"', '"xb"', '"a"'], ['"xx"', '"axb"']),
    ({"type": "string", "format": "date"}, ['"2024-02-29"', '"1999-12-31"'], ['"2023-02-29"', '"2024-04-31"', '"0000-01-01"', '"24-01-01"']),
    ({"type": "string", "format": "date-time"}, ['"2024-02-29T23:59:59Z"', '"2024-01-01T00:00:00.5+01:00"'], ['"2024-01-01"', '"2024-01-01T24:00:00Z"']),
    ({"type": "string", "format": "uuid"}, ['"00112233-4455-6677-8899-aabbccddeeff"'], ['"0011"']),
    ({"type": "string", "format": "ipv4"}, ['"1.20.255.0"'], ['"1.2.3.256"', '"1.2.3"', '"01.2.3.4"']),
    ({"type": "string", "format": "ipv6"}, ['"::1"', '"2001:db8::ff00:42:8329"', '"1:2:3:4:5:6:7:8"', '"::ffff:1.2.3.4"', '"::"'], ['"1:2:3"', '"1::2::3"', '"g::"', '"1:2:3:4:5:6:7:8:9"']),
    ({"type": "string", "format": "email"}, ['"a.b@example.org"'], ['"a"', '"a@"']),
    ({"type": "string", "format": "uri"}, ['"https://example.org/a?b=c#d"', '"urn:isbn:1"'], ['"//x"', '"a b"']),
    ({"type": "string", "format": "duration"}, ['"P1DT2H"', '"PT5M"', '"P3W"'], ['"P"', '"PT"', '"1D"']),
    ({"type": "string", "format": "time"}, ['"23:59:59Z"'], ['"25:00:00Z"', '"1:00"']),
    ({"type": "string", "format": "hostname"}, ['"a-b.example"'], ['"-a"', '"a..b"']),
    ({"type": "string", "format": "json-pointer"}, ['""', '"/a/~0b"'], ['"a"', '"/~2"']),
    ({"type": "integer", "format": "int32"}, ["5"], ['"5"']),
    ({"type": "array"}, ["[]", "[1, [null]]"], ["[1,]", "{}", "[,]"]),
    ({"type": "array", "items": INT, "minItems": 1, "maxItems": 2}, ["[1]", "[1, 2]"], ["[]", "[1,2,3]", '["a"]']),
    ({"type": "array", "items": INT, "minItems": 3}, ["[1,2,3]", "[1,2,3,4]"], ["[1,2]"]),
    ({"type": "array", "items": INT, "maxItems": 0}, ["[]"], ["[1]"]),
    (PAIR, ["[]", '["a"]', '["a",1]'], ['["a",1,2]', "[1]", "[,1]"]),
    ({**PAIR, "minItems": 2}, ['["a",1]'], ["[]", '["a"]']),
    ({"type": "array", "prefixItems": [STR], "items": INT, "minItems": 2, "maxItems": 3}, ['["a",1]', '["a",1,2]'], ['["a"]', '["a",1,2,3]', '["a","b"]']),
    ({"type": "array", "items": False}, ["[]"], ["[1]"]),
    (closed(), ["{}", "{ }"], ['{"a":1}']),
    (closed(a=INT, b=STR), ["{}", '{"a":1}', '{"b":"x"}', '{"a":1,"b":"x"}', '{\n"a" : 1\n}'], ['{"b":"x","a":1}', '{"a":1,}', '{,"a":1}', '{"a":"x"}', '{"c":1}', '{   "a":1}']),
    ({**closed(a=INT, b=STR), "required": ["b"]}, ['{"b":"x"}', '{"a":1,"b":"x"}'], ["{}", '{"a":1}']),
    ({"type": "object", "properties": {"a": INT}}, ["{}", '{"a":1,"x":null}', '{"x":[1]}'], ['{"a":"s"}', '{"x":1,"a":"s"}']),
    ({"type": "object", "properties": {"a": INT}, "additionalProperties": STR}, ['{"x":"y"}', '{"a":1,"x":"y"}'], ['{"x":1}']),
    ({"type": "object", "required": ["z"]}, ['{"z":1}', '{"z":1,"y":2}'], ["{}", '{"y":1}']),
    ({"type": "object", "additionalProperties": INT, "minProperties": 1, "maxProperties": 2}, ['{"a":1}', '{"a":1,"b":2}'], ["{}", '{"a":1,"b":2,"c":3}']),
    ({**closed(a=INT, b=INT), "required": ["a", "b"], "minProperties": 2}, ['{"a":1,"b":2}'], ['{"a":1}']),
    ({"type": "object", "patternProperties": {"^n": INT}, "additionalProperties": False}, ["{}", '{"n":1,"na":2}'], ['{"n":"x"}', '{"a":1}']),
    ({"type": "object", "properties": {"na": STR}, "patternProperties": {"^n": {"minLength": 2}}, "additionalProperties": INT}, ['{"na":"ab"}', '{"na":"ab","x":1,"n":"ab"}'], ['{"na":"a"}', '{"n":"a"}', '{"x":"ab"}']),
    ({"anyOf": [STR, {"type": "null"}]}, ['"a"', "null"], ["1"]),
    ({"anyOf": [closed(a=INT), closed(b=INT)], "required": ["a"]}, ['{"a":1}'], ['{"b":1}', "{}"]),
    ({"oneOf": [STR, INT]}, ['"a"', "1"], ["null"]),
    ({"oneOf": [{"const": 1}, {"const": 2}]}, ["1", "2"], ["3"]),
    ({"oneOf": [{**closed(a=INT), "required": ["a"]}, {**closed(b=INT), "required": ["b"]}], "anyOf": [{"type": "object"}]}, ['{"a":1}', '{"b":1}'], ["{}", '{"a":1,"b":1}']),
    ({"allOf": [{"minimum": 2}, {"type": "integer", "maximum": 5}]}, ["2", "5"], ["1", "6", "2.5", '"a"']),
    ({"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "b$"}, {"maxLength": 3}]}, ['"ab"', '"axb"'], ['"a"', '"axxb"']),
    ({"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, ["2"], ["1", "3"]),
    ({"$defs": {"a": STR}, "$ref": "#/$defs/a", "minLength": 2}, ['"ab"'], ['"a"', "1"]),
    ({"$defs": {"a": {"$anchor": "x", "type": "string"}}, "$ref": "#x"}, ['"ab"'], ["1"]),
    ({"$defs": {"a/b": INT}, "properties": {"x": {"$ref": "#/$defs/a~1b"}, "y": {"$ref": "#/properties/x"}}, "type": "object"}, ['{"x":1,"y":2}'], ['{"y":"a"}']),
    (TREE, ['{"name":"a","children":[]}', '{"name":"a","children":[{"name":"b","children":[]}]}'], ['{"name":"a"}', '{"name":"a","children":[{}]}']),
    ({"type": "object", "properties": {"not": {"type": "string"}, "if": INT, "enum": STR}}, ['{"not":"x"}'], ['{"not":1}', '{"if":"x"}']),
    ({"uniqueItems": False, "unevaluatedProperties": True, "type": "array"}, ["[1,1]"], ["1"]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "valid", "invalid"), TABLE)
def test_both_converters(enc, schema, valid, invalid):
    """The same values for llguidance, and for GBNF and xgrammar."""
    rules, root = rules_of(schema)
    for text in valid:
        assert matches(rules, root, text), text
        assert by_llguidance(enc, schema, text), text
        Draft202012Validator(schema).validate(json.loads(text))
    for text in invalid:
        assert not matches(rules, root, text), text
        assert not by_llguidance(enc, schema, text), text


def check_random(schema, rng, count: int) -> None:
    rules, root = rules_of(schema)
    if not root:
        return
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for _ in range(count):
        text = random_text(rules, root, rng)
        value = json.loads(text)
        assert validator.is_valid(value), text
        assert matches(rules, root, text), text
        assert "<|" not in text or not any(special in text for special in SPECIAL)


@pytest.mark.parametrize("schema", [row[0] for row in TABLE] + [ORDER, deep(8)])
def test_what_the_rules_say_is_valid(schema):
    check_random(schema, random.Random(json.dumps(schema)), 10)


names = st.sampled_from(["a", "b", "<|end|>", "é", "x y", '"'])
bounds = st.integers(-30, 30)
leaves = st.one_of(
    st.just({}),
    st.builds(lambda low, size: {"type": "integer", "minimum": low, "maximum": low + size}, bounds, st.integers(0, 40)),
    st.builds(lambda low, size: {"type": "number", "exclusiveMinimum": low / 8, "maximum": (low + size) / 8}, bounds, st.integers(1, 40)),
    st.builds(lambda low, size: {"type": "string", "minLength": low, "maxLength": low + size}, st.integers(0, 3), st.integers(0, 3)),
    st.builds(lambda values: {"enum": values}, st.lists(st.one_of(names, bounds, st.none(), st.booleans()), min_size=1, max_size=3)),
    st.sampled_from([STR, INT, NUM, {"type": ["boolean", "null"]}, {"type": "string", "pattern": "^[a<|]{1,3}"}, {"type": "string", "format": "ipv4"}]),
)  # fmt: skip


def nested(inner):
    return st.one_of(
        st.builds(
            lambda properties, required, rest, low: {
                "type": "object", "properties": properties, "additionalProperties": rest,
                "required": [name for name in required if name in properties or rest is not False],
                "minProperties": low,
            },
            st.dictionaries(names, inner, max_size=3), st.lists(names, max_size=2, unique=True),
            st.one_of(st.booleans(), inner), st.integers(0, 1),
        ),
        st.builds(
            lambda first, rest, low, size: {
                "type": "array", "prefixItems": first, "items": rest, "minItems": low,
                "maxItems": low + size,
            },
            st.lists(inner, max_size=2), inner, st.integers(0, 2), st.integers(0, 3),
        ),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"allOf": parts}, st.lists(inner, min_size=1, max_size=2)),
    )  # fmt: skip


schemas = st.recursive(leaves, nested, max_leaves=6)


class TestConverter:
    """Issue: "a JSON-Schema converter …, whichever is correct: bounds, types, enums, escapes,
    no raw control characters in strings"."""

    @settings(max_examples=60)
    @given(schemas, st.integers(0, 2**32))
    def test_whatever_is_drawn_is_valid(self, schema, seed):
        check_random(schema, random.Random(seed), 4)

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(schemas, st.recursive(
        st.one_of(st.none(), st.booleans(), bounds, names),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=2)),
        max_leaves=4,
    ))  # fmt: skip
    def test_a_valid_value_is_taken(self, schema, value):
        """Where its properties stand in the order of the schema."""
        assume(Draft202012Validator(schema).is_valid(value))
        order = list(schema.get("properties", ())) if isinstance(schema, dict) else []
        if isinstance(value, dict):
            assume("properties" in schema or "allOf" not in schema)
            known = [name for name in [*order, *schema.get("required", ())] if name in value]
            value = {name: value[name] for name in dict.fromkeys([*known, *value])}
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        text = text.replace("<|end|>", "\\u003c|end|>")
        deep_objects = text.count("{") > 1 or (text.count("{") == 1 and not isinstance(value, dict))
        assume(not deep_objects)
        assert by_rules(schema, text)

    @pytest.mark.parametrize("special", ["<|end|>", "<|start|>"])
    def test_no_string_spells_a_special_token(self, special):
        for schema in (STR, {"type": "string", "maxLength": 20}, {"type": "string", "maxLength": 400},
                       {"type": "string", "pattern": "."}, {"const": special}, True):  # fmt: skip
            assert not by_rules(schema, f'"{special}"')
            escaped = json.dumps(special).replace("<", "\\u003c")
            if "maxLength" not in schema if isinstance(schema, dict) else True:
                assert by_rules(schema, escaped)

    @pytest.mark.parametrize(
        ("text", "taken"),
        [
            ('"\\u00e9"', True), ('"\\u0000"', True), ('"\\ud83d\\ude00"', True), ('"😀"', True),
            ('"\\/"', True), ('"\\b\\f\\r"', True), ('"\\ud800"', False), ('"\\x41"', False),
            ('"\\u12"', False), ('"\x1f"', False), ('"a\x00"', False), ('"\x7f"', True), ('"', False),
            ("'a'", False),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "schema", [STR, {"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 900}]
    )
    def test_escapes(self, schema, text, taken):
        assert by_rules(schema, text) is taken

    def test_an_excluded_key_is_excluded_however_it_is_spelled(self):
        schema = {"type": "object", "properties": {"a": INT}}
        assert by_rules(schema, '{"b":"x"}')
        assert not by_rules(schema, '{"\\u0061":"x"}')

    def test_without_special_tokens(self):
        rules, root = rules_of({"type": "string", "maxLength": 9}, special=[])
        assert matches(rules, root, '"<|end|>"')

    def test_nothing_satisfies(self):
        for schema in (False, {"enum": []}, {"type": "integer", "minimum": 2, "maximum": 1},
                       {"allOf": [STR, INT]}, {"$ref": "#"}, {"type": "string", "minLength": 2, "maxLength": 1},
                       {"type": "array", "minItems": 2, "maxItems": 1},
                       {"type": "object", "required": ["a"], "maxProperties": 0},
                       {"type": "string", "pattern": "^a$", "minLength": 2},
                       {"$defs": {"n": {**closed(n={"$ref": "#/$defs/n"}), "required": ["n"]}}, "$ref": "#/$defs/n"}):  # fmt: skip
            assert rules_of(schema) == ({}, "")

    def test_more_than_llguidance_can_do(self):
        three = closed(a=INT, b=INT, c=INT)
        two = {**three, "minProperties": 2, "maxProperties": 2}
        for text in ('{"a":1,"b":2}', '{"a":1,"c":2}', '{"b":1,"c":2}'):
            assert by_rules(two, text)
        for text in ('{"a":1}', '{"a":1,"b":2,"c":3}', "{}"):
            assert not by_rules(two, text)
        # llguidance 1.9.1 refuses 10.2 here.
        for number in ("10.2", "10.25", "10.1", "10"):
            assert by_rules({"type": "number", "maximum": 10.25}, number)

    def test_long_repeats(self):
        rules, root = rules_of(
            {"type": "array", "items": {"const": 1}, "minItems": 1200, "maxItems": 1800}
        )
        for count in (1199, 1200, 1700, 1800, 1801):
            assert matches(rules, root, f"[{','.join('1' * count)}]") is (1200 <= count <= 1800)


UNSUPPORTED = [
    ({"uniqueItems": True}, "uniqueItems", ""),
    ({"not": {}}, "not", ""),
    ({"if": STR, "then": STR}, "if", ""),
    ({"contains": STR}, "contains", ""),
    ({"propertyNames": {"pattern": "a"}}, "propertyNames", ""),
    ({"dependentRequired": {"a": ["b"]}}, "dependentRequired", ""),
    ({"unevaluatedProperties": False}, "unevaluatedProperties", ""),
    ({"properties": {"a/b": {"type": "array", "items": {"not": STR}}}}, "not", "/properties/a~1b/items"),
    ({"$defs": {"x": {"not": STR}}, "properties": {"a": {"$ref": "#/$defs/x"}}}, "not", "/$defs/x"),
    ({"anyOf": [STR, {"type": "string", "format": "color"}]}, "format", "/anyOf/1"),
    ({"type": "string", "pattern": "(?=a)b"}, "pattern", ""),
    ({"type": "string", "pattern": "(a)\\1"}, "pattern", ""),
    ({"type": "string", "pattern": "\\bfoo"}, "pattern", ""),
    ({"oneOf": [STR, {"type": "string", "minLength": 2}]}, "oneOf", ""),
    ({"oneOf": [{"type": "object"}, closed(a=INT)]}, "oneOf", ""),
]  # fmt: skip


class TestUnsupported:
    """Issue: "What an engine cannot express is an error naming the keyword and the path, or is
    left to post-validation when `lenient=True`, and then listed in `g.unenforced`." """

    @pytest.mark.parametrize(("schema", "keyword", "path"), UNSUPPORTED)
    def test_an_error_or_a_note(self, enc, schema, keyword, path):
        with pytest.raises(UnsupportedSchema) as raised:
            completion_grammar(enc, response_format=schema)
        assert (raised.value.keyword, raised.value.path) == (keyword, f"{path}/{keyword}")
        assert repr(keyword) in str(raised.value)
        grammar = completion_grammar(enc, response_format=schema, lenient=True)
        (note,) = grammar.unenforced
        assert (note.keyword, note.path) == (keyword, f"{path}/{keyword}")
        assert note.schema == "response_format"
        assert note.engines == ("llguidance", "gbnf", "xgrammar")
        assert keyword in str(note)
        assert grammar.matcher()
        assert grammar.to_gbnf()
        assert grammar.to_xgrammar()

    def test_nothing_is_left_out_otherwise(self, enc):
        assert completion_grammar(enc, response_format=ORDER).unenforced == ()
        assert completion_grammar(enc, response_format=ORDER, lenient=True).unenforced == ()

    @pytest.mark.parametrize(
        ("schema", "keyword"),
        [
            ({"type": "string", "pattern": "^\\p{L}$"}, "pattern"),
            ({"type": "object", "minProperties": 2}, "minProperties"),
            ({"type": "string", "pattern": "(a|b)*a(a|b){13}", "minLength": 3}, "minLength"),
            ({"type": "integer", "multipleOf": 98765}, "multipleOf"),
            ({"type": "string", "pattern": "(a|b)*a(a|b){14}"}, "pattern"),
            ({"type": "string", "pattern": "a{4000}"}, "pattern"),
            ({"type": "string", "pattern": "a.{8}b", "maxLength": 60}, "maxLength"),
            ({"anyOf": [{"const": i} for i in range(11)], "allOf": [{"anyOf": [{"minimum": -i} for i in range(11)]}]}, "anyOf"),
            ({"patternProperties": {f"{i}": STR for i in range(6)}}, "patternProperties"),
        ],
    )  # fmt: skip
    def test_what_only_one_engine_can_do(self, enc, schema, keyword):
        grammar = completion_grammar(enc, response_format=schema)
        assert grammar.to_llguidance()
        for export in (grammar.to_gbnf, grammar.to_xgrammar):
            with pytest.raises(UnsupportedSchema) as raised:
                export()
            assert raised.value.keyword == keyword
        lenient = completion_grammar(enc, response_format=schema, lenient=True)
        assert lenient.to_gbnf()
        assert {(n.keyword, n.engines) for n in lenient.unenforced} == {
            (keyword, ("gbnf", "xgrammar"))
        }


class TestInvalid:
    """Issue: "Bad input: an invalid schema …: clear errors before any token is sampled." """

    @pytest.mark.parametrize(
        ("schema", "sentence"),
        [
            ({"type": "strin"}, "'type': expected a type, or a list of them: null, boolean, object, array, string, integer, number, got 'strin' (at /type in the schema)"),
            ({"type": []}, "'type': expected a type"),
            ({"type": [3]}, "'type': expected a type"),
            ({"minimum": "x"}, "'minimum': expected a number, got 'x' (at /minimum in the schema)"),
            ({"minLength": -1}, "'minLength': expected a number of 0 or more, got -1"),
            ({"maxItems": 1.5}, "'maxItems': expected a number of 0 or more, got 1.5"),
            ({"multipleOf": 0}, "'multipleOf': expected a number above 0, got 0"),
            ({"pattern": 3}, "'pattern': expected a string, got 3"),
            ({"enum": 3}, "'enum': expected a list of values, got 3"),
            ({"required": "a"}, "'required': expected a list of names, got 'a'"),
            ({"properties": []}, "'properties': expected an object of schemas, got []"),
            ({"anyOf": []}, "'anyOf': expected a list of schemas, got []"),
            ({"uniqueItems": 1}, "'uniqueItems': expected a boolean, got 1"),
            ({"properties": {"a": 3}}, "expected a schema, an object or a boolean, got 3 (at /properties/a in the schema)"),
            ({"$ref": "#/$defs/none"}, "the reference '#/$defs/none' points to nothing (at /$ref in the schema)"),
            ({"$ref": "http://example.org"}, "the reference 'http://example.org' points outside"),
            ({"default": float("nan")}, "nan is not a JSON number (at /default in the schema)"),
            ({"default": {1, 2}}, "'set' is not a JSON type (at /default in the schema)"),
            ({"properties": {"a": {"items": [{"type": "x"}]}}}, "(at /properties/a/items/0/type in the schema)"),
        ],
    )  # fmt: skip
    def test_a_schema(self, enc, schema, sentence):
        with pytest.raises(InvalidSchema) as raised:
            completion_grammar(enc, response_format=schema)
        assert str(raised.value).startswith("the schema of response_format is not valid: ")
        assert sentence in str(raised.value)
        with pytest.raises(InvalidSchema, match=r"the schema of functions\.f is not valid"):
            completion_grammar(enc, [chat({"properties": {"x": schema}})], tool_choice="none")

    def test_a_deep_schema(self, enc):
        schema: dict = {}
        for _ in range(200):
            schema = {"items": schema}
        with pytest.raises(InvalidSchema, match="nested too deeply"):
            completion_grammar(enc, response_format=schema)
        schema = {}
        for _ in range(90):
            schema = {"items": schema}
        assert completion_grammar(enc, response_format=schema).to_gbnf()
