"""The grammar in llama.cpp's language, GBNF.

llama.cpp matches special tokens by their text wherever characters are matched, so free text
and strings are automata that never spell one. Tokens that end the generation are allowed
there only where the grammar is complete: they are left out. Free text may be empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.constrain import nodes, rules
from harmony.constrain.free_text import free_text
from harmony.constrain.nodes import Choice, FreeText, Json, Node, Ref, Sequence, Special, Star, Text
from harmony.constrain.rules import Rules
from harmony.constrain.structure import ROOT
from harmony.constrain.value_rules import Converter
from harmony.errors import InvalidMessage, InvalidSchema

if TYPE_CHECKING:
    from harmony.constrain.completion import CompletionGrammar

START = "root"


def written(grammar: CompletionGrammar, *, tokens: bool) -> str:
    """``grammar`` in GBNF, special tokens as ids if ``tokens``, else as text.

    Raises:
        InvalidMessage: a call may follow a call: that token ends the generation.
        UnsupportedSchema: a schema cannot be expressed.
        InvalidSchema: no value satisfies a schema.
    """
    if grammar.structure.several_calls:
        raise InvalidMessage(
            "GBNF cannot express several calls in one completion: llama.cpp ends at the first. "
            "Pass parallel_tool_calls=False"
        )
    found = Rules()
    texts = tuple(grammar.encoding.spec.special_texts.values())
    converter = Converter(found, texts, grammar.choices.whitespace)
    schemas = grammar.schemas.into(converter)
    lines = _Lines(found, texts, schemas, tokens=tokens)
    structure = [
        f"{_name(name)} ::= {lines.node(node)}" for name, node in grammar.structure.rules.items()
    ]
    roots = [*schemas.values(), *lines.texts]
    prune(found, roots, schemas)
    return "\n".join([*structure, *(rules.written(n, r) for n, r in found.rules.items())]) + "\n"


def prune(found: Rules, roots: list[str], schemas: dict[str, str]) -> None:
    """Keep what ``roots`` need. Raises `InvalidSchema` where no value satisfies a schema."""
    impossible = found.pruned(*roots)
    if impossible is not None:
        keys = {name: key for key, name in schemas.items()}
        raise InvalidSchema(f"no value satisfies the schema of {keys[impossible]}")


def _name(name: str) -> str:
    # A rule of GBNF has letters, digits and dashes in its name; ours begin with no letter of
    # a schema's rule.
    return START if name == ROOT else "m-" + name.replace("_", "-")


class _Lines:
    def __init__(
        self, found: Rules, texts: tuple[str, ...], schemas: dict[str, str], *, tokens: bool
    ) -> None:
        self._found = found
        self._special_texts = texts
        self._schemas = schemas
        self._tokens = tokens
        self.texts: list[str] = []

    def node(self, node: Node, *, inner: bool = False) -> str:  # noqa: PLR0911 (one a kind)
        """``node`` as the right side of a rule."""
        match node:
            case Text(text):
                return rules.quoted(text)
            case Special(id, text, stops=stops):
                if stops:
                    return '""'
                return f"<[{id}]>" if self._tokens else rules.quoted(text)
            case FreeText():
                if not self.texts:
                    self.texts.append(free_text(self._found, self._special_texts).name)
                return self.texts[0]
            case Json(key):
                return self._schemas[key]
            case Ref(name):
                return _name(name)
            case Star(part):
                return f"({self.node(part)})*"
            case Sequence(parts):
                written = [self.node(part, inner=True) for part in parts if not _stops(part)]
                return " ".join(written) or '""'
            case Choice(alternatives):
                text = " | ".join(self.node(item) for item in alternatives)
                return f"({text})" if inner else text


def _stops(node: Node) -> bool:
    return isinstance(node, nodes.Special) and node.stops
