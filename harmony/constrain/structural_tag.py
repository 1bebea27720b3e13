"""The grammar as a structural tag of xgrammar, in JSON.

Special tokens are token elements, free text is any token that is not special, and JSON is a
grammar of our own: xgrammar's converter lets raw control characters into strings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.constrain import rules
from harmony.constrain.gbnf import prune
from harmony.constrain.nodes import Choice, FreeText, Json, Node, Ref, Sequence, Special, Star, Text
from harmony.constrain.rules import Rules
from harmony.constrain.structure import ROOT
from harmony.constrain.value_rules import Converter

if TYPE_CHECKING:
    from harmony.constrain.completion import CompletionGrammar

Format = dict[str, Any]


def written(grammar: CompletionGrammar, *, explicit: bool) -> str:
    """``grammar`` as a structural tag; the token that ends an answer in it if ``explicit``.

    Raises:
        UnsupportedSchema: a schema cannot be expressed.
        InvalidSchema: no value satisfies a schema.
    """
    tag = {"type": "structural_tag", "format": _Formats(grammar, explicit=explicit).whole()}
    return json.dumps(tag, ensure_ascii=False)


class _Formats:
    def __init__(self, grammar: CompletionGrammar, *, explicit: bool) -> None:
        self._grammar = grammar
        self._explicit = explicit
        spec = grammar.encoding.spec
        # xgrammar refuses ids that the model has no embedding for.
        size = spec.table("vocabulary")["model_size"]
        self._special = [id for id in sorted(spec.special_texts) if id < size]
        self._json: dict[str, Format] = {}

    def whole(self) -> Format:
        """The format of a completion."""
        return self.format(self._grammar.structure.rules[ROOT])

    def format(self, node: Node) -> Format:  # noqa: PLR0911 (one a kind)
        """A node as a format; a format of the tag has no name, so rules are written out."""
        match node:
            case Text(text):
                return {"type": "const_string", "value": text}
            case Special(id):
                return {"type": "token", "token": id}
            case FreeText():
                return self._text()
            case Json(key):
                return self._value(key)
            case Ref(name):
                return self.format(self._grammar.structure.rules[name])
            case Star(part):
                return {"type": "star", "content": self.format(part)}
            case Sequence(parts):
                shown = [part for part in parts if self._says(part)]
                return {"type": "sequence", "elements": [self.format(part) for part in shown]}
            case Choice(alternatives):
                formats = [self.format(item) for item in alternatives if item != Sequence(())]
                one: Format = {"type": "or", "elements": formats}
                if Sequence(()) in alternatives:
                    return {"type": "optional", "content": one}
                return one

    def _says(self, node: Node) -> bool:
        return self._explicit or not (isinstance(node, Special) and node.returns)

    def _text(self) -> Format:
        """At least one token, and none of them special."""
        return {
            "type": "sequence",
            "elements": [
                {"type": "exclude_token", "exclude_tokens": self._special},
                {"type": "any_tokens", "exclude_tokens": self._special},
            ],
        }

    def _value(self, key: str) -> Format:
        if key not in self._json:
            found = Rules()
            texts = self._grammar.encoding.spec.special_texts.values()
            # xgrammar computes masks of every state before the first token: exact strings
            # made the tag of 64 tools take minutes.
            whitespace = self._grammar.choices.whitespace
            converter = Converter(found, texts, whitespace, exact=False)
            name = self._grammar.schemas.one_into(key, converter)
            prune(found, [name], {key: name})
            lines = [rules.written("root", rules.Ref(name))]
            lines += [rules.written(n, node) for n, node in found.rules.items()]
            self._json[key] = {"type": "grammar", "grammar": "\n".join(lines) + "\n"}
        return self._json[key]
