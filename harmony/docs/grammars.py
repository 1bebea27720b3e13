"""All grammars of the library, by name: of messages, sections and types, bound to one spec."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from harmony import resources, typescript_complete_reader, typescript_reader
from harmony.errors import UnknownName
from harmony.section_terminals import section_terminals
from harmony.syntax import Syntax, read_syntax

if TYPE_CHECKING:
    from harmony.grammar import Grammar

IMPORT = re.compile(r"^%import \.spec \([^)]*\)\n", re.MULTILINE)
"""What a grammar takes from the spec."""


@attrs.frozen
class NamedGrammar:
    """A grammar, and the terminals that the spec binds."""

    name: str
    """Its name: that of its file."""
    title: str
    """What it is the grammar of."""
    text: str = attrs.field(repr=False)
    """The grammar, in Lark's language."""
    bound: str = attrs.field(repr=False)
    """The terminals that it imports from the spec, in Lark's language."""
    source: Grammar | None = attrs.field(default=None, repr=False)
    """The grammar of messages, if it is that one: it reads lexed bytes, the others text."""

    @functools.cached_property
    def syntax(self) -> Syntax:
        """The productions. Raises `GrammarError`."""
        if self.source is not None:
            return self.source.syntax
        return read_syntax(self.text, self._imported)

    def _imported(self, _: Any, path: str) -> tuple[str, str]:
        if Path(path).name == "spec.lark":
            return "<spec>", self.bound
        raise OSError(path)  # So Lark looks for it among its own grammars.

    def whole(self) -> str:
        """The text with what it imports from the spec written out: a grammar by itself."""
        definitions = f"// ---- bound from spec/ ----\n\n{self.bound}\n"
        text = IMPORT.sub("", self.text).strip("\n")
        return f"{text}\n\n{definitions}"


def grammars(grammar: Grammar) -> dict[str, NamedGrammar]:
    """The grammars by name: ``"message"``, ``"sections"`` and those of types.

    Args:
        grammar: the grammar of messages; its spec is what the others are bound to.
    """
    spec = grammar.spec
    words = spec.table("typescript")
    message = NamedGrammar("message", "Messages", grammar.text, grammar.bound, grammar)
    others = [
        (
            "sections",
            "System and developer messages",
            section_terminals(spec, "developer_message"),
        ),
        (
            "typescript",
            "Types of tools, reference style",
            typescript_reader.bound_terminals(words),
        ),
        (
            "typescript_complete",
            "Types of tools, complete style",
            typescript_complete_reader.bound_terminals(words),
        ),
    ]
    return {
        "message": message,
        **{
            name: NamedGrammar(name, title, resources.read_text("grammar", f"{name}.lark"), bound)
            for name, title, bound in others
        },
    }


def grammar_named(grammar: Grammar, name: str) -> NamedGrammar:
    """One of `grammars`. Raises `UnknownName`."""
    known = grammars(grammar)
    try:
        return known[name]
    except KeyError:
        raise UnknownName(f"there is no grammar {name!r}; there are: {', '.join(known)}") from None
