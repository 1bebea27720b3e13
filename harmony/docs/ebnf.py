"""Productions as EBNF text: the notation of the W3C, one rule after the other.

A terminal that is one special token is written as that token, in quotes; a fixed text
likewise. All others stand by their names, with their expressions below the rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from harmony.docs.walking import alternatives
from harmony.syntax import Choice, Node, Repeat, Rule, Sequence, Syntax, Terminal
from harmony.vocabulary import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony.spec import Spec

LINE = 88
"""Characters of a line, from which on alternatives stand one a line."""
MARKER = MARK.decode("latin-1")


@attrs.frozen
class Printer:
    """Prints the productions of one grammar."""

    syntax: Syntax
    special: tuple[str, ...] = ()
    """How the special tokens are spelled."""

    @classmethod
    def of(cls, syntax: Syntax, spec: Spec) -> Printer:
        """The printer of ``syntax``, with the special tokens of ``spec``."""
        return cls(syntax, tuple(token.text for token in spec.special_tokens.values()))

    def literals(self, terminal: str) -> list[str]:
        """The fixed texts that the terminal stands for, markers as special tokens.

        Empty if it is an expression.
        """
        fixed = self.syntax.literals.get(terminal)
        if fixed is not None:
            return [fixed.removeprefix(MARKER)]
        pattern = self.syntax.terminals.get(terminal, "")
        found = [text for text in self.special if re.escape(MARKER + text) in pattern]
        found.sort(key=lambda text: pattern.index(re.escape(MARKER + text)))
        written = "|".join(re.escape(MARKER + text) for text in found)
        return found if found and pattern in (written, f"(?:{written})") else []

    def terminal(self, name: str) -> str:
        """A terminal as it stands in a rule."""
        texts = [quoted(text) for text in self.literals(name)]
        if len(texts) > 1:
            return f"( {' | '.join(texts)} )"
        return texts[0] if texts else name

    def node(self, node: Node, *, inside: bool = False) -> str:
        """A right side, in one line; ``inside`` a sequence or a repeat, in parentheses."""
        match node:
            case Terminal(name):
                return self.terminal(name)
            case Rule(name):
                return name
            case Sequence(()):
                return '""'
            case Sequence(parts):
                # A choice in a sequence needs parentheses, a sequence in a choice none.
                text = " ".join(self.node(part, inside=True) for part in parts)
                return f"( {text} )" if inside else text
            case Choice():
                text = " | ".join(self.node(part) for part, _ in alternatives(node))
                return f"( {text} )" if inside else text
            case Repeat(part, least, most):
                return f"{self.node(part, inside=True)}{times(least, most)}"

    def rule(self, name: str) -> str:
        """A production: ``name ::= …``."""
        node = self.syntax.rule(name)
        whole = f"{name} ::= {self.node(node)}"
        if not isinstance(node, Choice):
            return whole
        parts, aliases = zip(*alternatives(node), strict=True)
        if len(whole) <= LINE and not any(aliases):
            return whole
        lines = [self.node(part) for part in parts]
        width = max(len(line) for line in lines)
        shown = [
            f"{line:{width}}  /* {alias} */" if alias else line
            for line, alias in zip(lines, aliases, strict=True)
        ]
        return f"{name} ::= " + f"\n{' ' * len(name)}   | ".join(shown)

    def rules(self) -> str:
        """All productions."""
        return "\n\n".join(self.rule(name) for name in self.syntax.rules) + "\n"

    def named_terminals(self) -> list[str]:
        """The terminals that the rules name and that are expressions, in their order."""
        seen = dict.fromkeys(used_terminals(self.syntax, self.syntax.rules))
        return [name for name in seen if not self.literals(name)]

    def text(self) -> str:
        """The whole grammar: the rules, and the expressions of the terminals."""
        terminals = "\n".join(
            f"{name} ::= /{readable(self.syntax.terminals[name])}/"
            for name in self.named_terminals()
        )
        return f"{self.rules()}\n{terminals}\n" if terminals else self.rules()


def used_terminals(syntax: Syntax, rules: Iterable[str]) -> Iterator[str]:
    """The names of the terminals in these rules, as they come."""
    for rule in rules:
        for node in syntax.walk(syntax.rule(rule)):
            if isinstance(node, Terminal):
                yield node.name


def times(least: int, most: int | None) -> str:
    """How often, as EBNF has it."""
    marks = {(0, 1): "?", (0, None): "*", (1, None): "+"}
    if (least, most) in marks:
        return marks[least, most]
    return f"{{{least}}}" if least == most else f"{{{least},{'' if most is None else most}}}"


def quoted(text: str) -> str:
    """A fixed text as EBNF has it."""
    shown = text.replace("\n", "\\n").replace("\t", "\\t")
    return f"'{shown}'" if '"' in shown else f'"{shown}"'


def readable(pattern: str) -> str:
    r"""An expression in ASCII: bytes beyond it are escaped, as in ``\xff``, and spaces are not."""
    escapes = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    shown = re.sub(r"\\(.)", lambda m: m[1] if m[1] in " #" else m[0], pattern)
    return "".join(escapes.get(c) or _ascii(c) for c in shown)


def _ascii(character: str) -> str:
    plain = " " <= character <= "~" or character > MARKER
    return character if plain else f"\\x{ord(character):02x}"
