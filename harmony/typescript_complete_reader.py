"""Types of the complete style, back to JSON Schema. Reads grammar/typescript_complete.lark."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.errors import InvalidType
from harmony.text_grammar import fault, template_pattern, terminals, text_grammar
from harmony.typescript_remarks import read_remarks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lark import Token, Tree

Schema: TypeAlias = dict[str, Any]

_DEFINITIONS = "$defs"
_LITERALS = {"true": True, "false": False}


def read_complete_type(text: str, words: dict[str, Any], declared: Mapping[str, str]) -> Schema:
    """The schema that ``text`` is the type of; ``words`` is the table [typescript].

    Whether the schema is written as ``text`` again is the caller's to verify.

    Args:
        text: declarations of named types, if there are any, and a type.
        words: the table [typescript].
        declared: the named types that are declared elsewhere.

    Raises:
        InvalidType: ``text`` is not in the grammar, or stands for no schema.
    """
    fields = {"name": r"([\w$]+)", "type": "((?s:.+?))"}
    statement = re.compile(template_pattern(words["named_type"], fields) + "\n\n")
    texts, position = dict(declared), 0
    while found := statement.match(text, position):
        texts[found[1]] = found[2]
        position = found.end()
    reader = _Reader(words, {name: name for name in texts})
    schema = reader.read(text[position:], position)
    # Only what the type refers to belongs to it; a namespace may declare more.
    definitions: dict[str, Schema] = {}
    for name in reader.referred:
        definitions[name] = reader.read(texts[name], 0)
    if definitions:
        schema[_DEFINITIONS] = definitions
    return schema


def bound_terminals(words: dict[str, Any]) -> str:
    """The terminals that grammar/typescript_complete.lark imports, in Lark's language."""
    default = template_pattern(words["default_comment"], {"value": "[^\n]*"})
    return terminals(
        {
            "INDEX_SIGNATURE": re.escape(words["index_signature"]),
            "COMMA_AND_DEFAULT": f", // {default}",
        }
    )


@attrs.define
class _Reader:
    """Walks parse trees: each method takes a tree of the rule of its name."""

    words: dict[str, Any]
    names: dict[str, str]
    referred: list[str] = attrs.field(factory=list)
    """The named types that were met, each once; grows while they are read."""
    base: int = 0

    def read(self, text: str, base: int) -> Schema:
        """The schema of the type ``text``, which stands at the offset ``base``."""
        from lark import UnexpectedInput

        self.base = base
        bound = bound_terminals(self.words)
        try:
            tree = text_grammar("typescript_complete", bound, ("annotated",)).parse(text)
        except UnexpectedInput as error:
            offset, sentence = fault(error, text)
            raise InvalidType(sentence, offset=base + offset) from None
        return self.annotated(tree)

    def annotated(self, tree: Tree[Token]) -> Schema:
        *comments, written = tree.children
        return self._annotated(self.type(written), comments)

    def _annotated(self, schema: Schema, comments: list[Any], default: str | None = None) -> Schema:
        """``schema`` with what the comments say; a member's ``default`` stands behind it."""
        lines = [str(comment) for comment in comments]
        if not lines and default is None:
            return _bare(schema)
        notes = read_remarks(lines, self.words, default)
        if "type" not in notes:
            return {**schema, **notes}
        null = self.words["null_type"]
        nullable = null not in notes["type"] and null in _types_of(schema)
        return {**_untyped(schema), **notes, **({"nullable": True} if nullable else {})}

    def type(self, tree: Any) -> Schema:
        variants: list[tuple[Schema, list[Any]]] = []
        for child in tree.children:
            *comments, written = child.children if child.data == "variant" else [child]
            variants.append((self.intersection(written), comments))
        if len(variants) == 1:
            return variants[0][0]
        return self._one_of([self._annotated(*variant) for variant in variants])

    def _one_of(self, variants: list[Schema]) -> Schema:
        """The schema of a union: one that names types or values, if that says it all."""
        if len(variants) == 1:
            return variants[0]
        values = [_value_of(variant) for variant in variants]
        if all(values) and any("const" in variant for variant in variants):
            return {"enum": [value for (value,) in values]}
        if all(self._is_type(variant) for variant in variants):
            return {"type": [variant["type"] for variant in variants]}
        return {"anyOf": variants}

    def _is_type(self, schema: Schema) -> bool:
        # An integer is a number, and a remark above it that would be lost in a list of types.
        named = schema.get("type")
        plain = isinstance(named, str) and self.words["types"].get(named, named) == named
        return plain and schema.keys() == {"type"}

    def intersection(self, tree: Any) -> Schema:
        parts = [self.array(child) for child in tree.children]
        return parts[0] if len(parts) == 1 else {"allOf": [*map(_bare, parts)]}

    def array(self, tree: Any) -> Schema:
        schema = self.whole(tree.children[0])
        for _ in tree.children[1:]:
            schema = {"type": "array", "items": _bare(schema)}
        return schema

    def whole(self, tree: Any) -> Schema:
        (child,) = tree.children
        if not isinstance(child, str):
            schema: Schema = getattr(self, child.data)(child)
            commented = child.data == "annotated" and _kind(child.children[0]) == "COMMENT"
            # Comments may stand around the parentheses too: they are another schema's.
            return {"allOf": [schema]} if commented else schema
        if _kind(child) in {"STRING", "NUMBER"}:
            return {"const": self._json(child)}
        return self._named(child)

    def _named(self, name: Any) -> Schema:
        text = str(name)
        if text in _LITERALS:
            return {"const": _LITERALS[text]}
        if text == self.words["unknown_type"]:
            return {}
        if text == self.words["null_type"] or text in self.words["types"].values():
            return {"type": text}
        if text not in self.names:
            raise self._unclear(f"no type is called {text}", name)
        if text not in self.referred:
            self.referred.append(text)
        return {"$ref": f"#/{_DEFINITIONS}/{text}"}

    def object(self, tree: Any) -> Schema:
        schema: Schema = {"type": "object"}
        members = [self.member(child) for child in tree.children]
        properties = {name: value for name, _, value in members if name is not None}
        required = [name for name, needed, _ in members if name is not None and needed]
        if properties:
            schema["properties"] = properties
        if required:
            schema["required"] = required
        for name, _, value in members:
            if name is None:
                others = self._without_any(value) if properties else value
                schema["additionalProperties"] = others
        return schema

    def _without_any(self, schema: Schema) -> Schema:
        """Beside named members, an index signature is said to allow `any` too."""
        variants = schema.get("anyOf", [])
        if not variants or variants[-1] != {}:
            return schema
        notes = {key: value for key, value in schema.items() if key != "anyOf"}
        return {**self._one_of(variants[:-1]), **notes}

    def member(self, tree: Any) -> tuple[str | None, bool, Schema]:
        """The name (None for the index signature), whether it is required, and the schema."""
        comments = [child for child in tree.children if _kind(child) == "COMMENT"]
        key, *rest = tree.children[len(comments) :]
        default = ""
        if _kind(rest[-1]) == "COMMA_AND_DEFAULT":
            default = str(rest.pop()).removeprefix(", ")
        schema = self.type(rest[-1])
        schema = (
            self._annotated(schema, comments, default) if comments or default else _bare(schema)
        )
        needed = _kind(rest[0]) != "OPTIONAL"
        if key.type == "INDEX_SIGNATURE":
            return None, needed, schema
        return self._json(key) if key.type == "STRING" else str(key), needed, schema

    def tuple(self, tree: Any) -> Schema:
        schema: Schema = {"type": "array", "prefixItems": [], "items": False}
        least = 0
        for child in tree.children:
            if isinstance(child, str):
                continue
            (written, *optional) = child.children
            if written.data == "array":
                rest = self.array(written)
                if rest.get("type") != "array" or "items" not in rest:
                    raise self._unclear("the rest of a tuple is an array", written)
                schema["items"] = rest["items"]
                continue
            schema["prefixItems"].append(_bare(self.type(written)))
            least += not optional
        if schema["items"] == {}:
            del schema["items"]
        return {**schema, "minItems": least} if least else schema

    def _json(self, token: Any) -> Any:
        try:
            return json.loads(token)
        except ValueError as error:
            raise self._unclear(f"this is not JSON: {error}", token) from None

    def _unclear(self, sentence: str, node: Any) -> InvalidType:
        start = node.start_pos if isinstance(node, str) else node.meta.start_pos  # type: ignore[attr-defined]
        return InvalidType(sentence, offset=self.base + (start or 0))


def _bare(schema: Schema) -> Schema:
    """``schema`` without the `allOf` that parentheses with comments are read as."""
    return (
        schema["allOf"][0] if schema.keys() == {"allOf"} and len(schema["allOf"]) == 1 else schema
    )


def _untyped(schema: Schema) -> Schema:
    """``schema`` without the types that a remark names more exactly: integers are numbers."""
    if "allOf" in schema:
        references = [part for part in schema["allOf"][:1] if "$ref" in part]
        typed, *rest = schema["allOf"][len(references) :] or [{}]
        merged = {
            key: value for part in (*references, _untyped(typed)) for key, value in part.items()
        }
        return {**merged, "allOf": rest} if rest else merged
    if "anyOf" in schema:
        return {
            key: value for part in map(_untyped, schema["anyOf"]) for key, value in part.items()
        }
    return {key: value for key, value in schema.items() if key != "type"}


def _types_of(schema: Schema) -> list[str]:
    """The types that ``schema`` allows, as far as the text of a union of types names them."""
    found = [part.get("type", []) for part in schema.get("anyOf", [schema])]
    return [name for names in found for name in ([names] if isinstance(names, str) else names)]


def _value_of(schema: Schema) -> tuple[Any, ...]:
    """The one value that ``schema`` allows, in a tuple; an empty tuple if it allows more."""
    if schema.keys() == {"const"}:
        return (schema["const"],)
    return (None,) if schema == {"type": "null"} else ()


def _kind(node: Any) -> str:
    return node.type if isinstance(node, str) else node.data  # type: ignore[attr-defined,no-any-return]
