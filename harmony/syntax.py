"""The productions of a grammar, as they are written: the one form that all products share.

A `.lark` file is read by Lark's own loader, before Lark expands it to BNF (there optionals
multiply), and kept as a tree of the nodes below. The compiler turns that tree into bytes
expressions (matcher.py), the renderer walks it backwards (writer.py), the documentation
prints it. For a parse, Lark builds its LALR tables from the same text (grammar.py).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.errors import GrammarError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Node: TypeAlias = "Sequence | Choice | Repeat | Rule | Terminal"


@attrs.frozen
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@attrs.frozen
class Choice:
    """One of several alternatives; each with the alias that the grammar gives it, or ``""``."""

    alternatives: tuple[Node, ...]
    aliases: tuple[str, ...]


@attrs.frozen
class Repeat:
    """A part from ``least`` to ``most`` times; ``most`` None for no bound."""

    part: Node
    least: int
    most: int | None


@attrs.frozen
class Rule:
    """A reference to a rule."""

    name: str


@attrs.frozen
class Terminal:
    """A reference to a terminal."""

    name: str


@attrs.frozen
class Syntax:
    """The rules and terminals of a grammar."""

    rules: dict[str, Node]
    terminals: dict[str, str]
    """For each terminal a regular expression; over bytes, written in Latin-1."""
    literals: dict[str, str]
    """For each terminal that is one fixed text, that text."""

    def rule(self, name: str) -> Node:
        """The right side of the rule ``name``. Raises `GrammarError`."""
        try:
            return self.rules[name]
        except KeyError:
            raise GrammarError(f"the grammar has no rule {name!r}") from None

    def walk(self, node: Node) -> Iterator[Node]:
        """``node`` and every node below it, rules entered once each."""
        seen: set[str] = set()
        todo = [node]
        while todo:
            current = todo.pop()
            yield current
            match current:
                case Sequence(parts):
                    todo.extend(reversed(parts))
                case Choice(alternatives, _):
                    todo.extend(reversed(alternatives))
                case Repeat(part, _, _):
                    todo.append(part)
                case Rule(name) if name not in seen:
                    seen.add(name)
                    todo.append(self.rule(name))
                case _:
                    pass


def read_syntax(text: str, imports: Callable[[Any, str], tuple[Any, str]]) -> Syntax:
    """The syntax of the grammar ``text``; ``imports`` gives the text of an imported file.

    Raises:
        GrammarError: the text is not a grammar in Lark's language, or uses what a regular
            expression cannot hold (templates).
    """
    from lark.exceptions import LarkError
    from lark.load_grammar import load_grammar

    try:
        read: Any = load_grammar  # Lark does not annotate it.
        grammar, _ = read(text, "<grammar>", [imports], False)
        rules = {
            str(name): _node(tree) for name, params, tree, _ in grammar.rule_defs if not params
        }
        definitions = {str(name): tree for name, (tree, _) in grammar.term_defs}
        terminals = {name: _pattern(tree, definitions) for name, tree in definitions.items()}
        literals = {
            name: literal
            for name, tree in definitions.items()
            if (literal := _fixed_text(tree)) is not None
        }
    except (LarkError, OSError) as error:
        raise GrammarError(f"the grammar cannot be read: {error}") from error
    return Syntax(rules, terminals, literals)


def _name(symbol: Any) -> str:
    return str(symbol.name)


def _node(tree: Any) -> Node:
    from lark.grammar import NonTerminal
    from lark.grammar import Terminal as LarkTerminal

    if isinstance(tree, LarkTerminal):
        return Terminal(_name(tree))
    if isinstance(tree, NonTerminal):
        return Rule(_name(tree))
    children = tree.children
    match tree.data:
        case "expansions":
            alternatives = [_aliased(child) for child in children]
            if len(alternatives) == 1 and not alternatives[0][1]:
                return alternatives[0][0]
            return Choice(tuple(a[0] for a in alternatives), tuple(a[1] for a in alternatives))
        case "expansion":
            parts = tuple(_node(child) for child in children)
            return parts[0] if len(parts) == 1 else Sequence(parts)
        case "value":
            return _node(children[0])
        case "maybe":
            return Repeat(_node(children[0]), 0, 1)
        case "expr":
            return _repeat(children)
        case _:
            raise GrammarError(
                f"the grammar uses `{tree.data}`; name the text with a terminal instead"
            )


def _aliased(tree: Any) -> tuple[Node, str]:
    if tree.data == "alias":
        expansion, alias = tree.children
        return _node(expansion), _name(alias) if alias is not None else ""
    return _node(tree), ""


def _repeat(children: list[Any]) -> Node:
    part, operator, *counts = children
    bounds = {"?": (0, 1), "*": (0, None), "+": (1, None)}
    if str(operator) in bounds:
        return Repeat(_node(part), *bounds[str(operator)])
    return Repeat(_node(part), int(counts[0]), int(counts[-1]))  # `part~2`, `part~2..4`


def _pattern(tree: Any, definitions: dict[str, Any]) -> str:
    """The regular expression of a terminal's definition."""
    if tree is None:
        raise GrammarError("a terminal of the grammar is declared, but not defined")
    if not hasattr(tree, "data"):
        return _pattern(definitions[_name(tree)], definitions)
    children = tree.children
    match tree.data:
        case "expansions":
            choices = [_pattern(child, definitions) for child in children]
            return choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"
        case "expansion":
            return "".join(_pattern(child, definitions) for child in children)
        case "value":
            return _pattern(children[0], definitions)
        case "maybe":
            return f"(?:{_pattern(children[0], definitions)})?"
        case "expr":
            part, operator, *counts = children
            times = str(operator) if not counts else f"{{{','.join(map(str, counts))}}}"
            return f"(?:{_pattern(part, definitions)}){times}"
        case "literal":
            return _literal_pattern(str(children[0]))
        case "range":
            first, last = (re.escape(_unquoted(str(child))) for child in children)
            return f"[{first}-{last}]"
        case _:
            raise GrammarError(f"a terminal of the grammar uses `{tree.data}`, which is not read")


def _literal_pattern(source: str) -> str:
    if source.startswith('"'):
        text = re.escape(_unquoted(source))
        return f"(?i:{text})" if source.endswith("i") else text
    body, _, flags = source[1:].rpartition("/")
    # Grouped only where it must be: an expression's length is what it costs to compile.
    return f"(?{flags}:{body})" if flags or "|" in body else body


def _unquoted(source: str) -> str:
    return str(ast.literal_eval(source.rstrip("i")))


def _fixed_text(tree: Any) -> str | None:
    while hasattr(tree, "data") and tree.data in ("expansions", "expansion", "value"):
        if len(tree.children) != 1:
            return None
        tree = tree.children[0]
    if getattr(tree, "data", None) == "literal":
        source = str(tree.children[0])
        if source.startswith('"') and not source.endswith("i"):
            return _unquoted(source)
    return None
