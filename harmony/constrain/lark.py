"""The grammar in llguidance's language: Lark, with `%json` for what a schema describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.constrain.nodes import (
    Choice,
    FreeText,
    Json,
    Node,
    Ref,
    Sequence,
    Special,
    Star,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.constrain.structure import Structure

HEAD = "%llguidance {}\n\n"
# At least one character that is no white space: a message says something. In llguidance
# neither text nor JSON can hold a special token.
FREE_TEXT = r"TEXT: /[ \t\r\n]*[^ \t\r\n](.|\n)*/"


def written(
    structure: Structure, schemas: Mapping[str, Any], whitespace: int, *, explicit: bool
) -> str:
    """The structure as llguidance's Lark.

    Args:
        structure: what the completion is made of.
        schemas: the JSON Schemas that it refers to, by key.
        whitespace: the most white space between two tokens of JSON, in characters.
        explicit: whether the token that ends an answer is part of the grammar; without it the
            engine's end of sequence ends it.
    """
    writer = _Writer(schemas, whitespace, explicit=explicit)
    lines = [f"{name}: {writer.node(node)}" for name, node in structure.rules.items()]
    lines += [f"{name}: {text}" for name, text in writer.json_rules.items()]
    if writer.has_text:
        lines.append(FREE_TEXT)
    return HEAD + "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, schemas: Mapping[str, Any], whitespace: int, *, explicit: bool) -> None:
        self._schemas = schemas
        self._options = whitespace_options(whitespace)
        self._explicit = explicit
        self._keys: dict[str, str] = {}
        self.json_rules: dict[str, str] = {}
        self.has_text = False

    def node(self, node: Node, *, inner: bool = False) -> str:
        """``node`` as the right side of a rule; in parentheses if it stands inside another."""
        match node:
            case Text(text):
                return json.dumps(text, ensure_ascii=False)
            case Special(_, text, returns=returns):
                return '""' if returns and not self._explicit else text
            case FreeText():
                self.has_text = True
                return "TEXT"
            case Json(key):
                return self._json(key)
            case Ref(name):
                return name
            case Star(part):
                return f"({self.node(part)})*"
            case Sequence(parts):
                text = " ".join(self.node(part, inner=True) for part in parts if self._says(part))
                return text or '""'
            case Choice(alternatives):
                empty = Sequence(()) in alternatives
                texts = [self.node(item) for item in alternatives if item != Sequence(())]
                text = " | ".join(texts)
                return f"({text})?" if empty else f"({text})" if inner else text

    def _says(self, node: Node) -> bool:
        return self._explicit or not (isinstance(node, Special) and node.returns)

    def _json(self, key: str) -> str:
        if key not in self._keys:
            self._keys[key] = f"json_{len(self._keys)}"
            schema = self._schemas[key]
            full = dict(schema) if isinstance(schema, dict) else {} if schema else {"not": {}}
            full["x-guidance"] = self._options
            text = json.dumps(full, ensure_ascii=False)
            self.json_rules[self._keys[key]] = f"%json {text}"
        return self._keys[key]


def whitespace_options(whitespace: int) -> dict[str, Any]:
    """The options of a schema for llguidance: white space between two tokens of JSON."""
    if whitespace:
        return {"whitespace_pattern": rf"[ \t\n]{{1,{whitespace}}}"}
    return {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
