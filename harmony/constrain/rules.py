"""Grammars over characters, as GBNF and xgrammar's EBNF have them, and how both write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from harmony.constrain.automata import Interval

Node: TypeAlias = "Text | Characters | Sequence | Choice | Repeat | Ref"

NO_MORE_THAN = 500
"""What a repeat is written with at most: llama.cpp refuses more than 2,000 copies."""


@attrs.frozen
class Text:
    """Fixed text."""

    text: str


@attrs.frozen
class Characters:
    """One character of a class."""

    intervals: tuple[Interval, ...]


@attrs.frozen
class Sequence:
    """One part after the other; without any, nothing."""

    parts: tuple[Node, ...]


@attrs.frozen
class Choice:
    """One of several; without any, no text at all."""

    parts: tuple[Node, ...]


@attrs.frozen
class Repeat:
    """So many times; ``most`` None for no bound."""

    part: Node
    least: int
    most: int | None


@attrs.frozen
class Ref:
    """A rule, by its name."""

    name: str


EMPTY = Sequence(())
NEVER = Choice(())


def sequence(*parts: Node) -> Node:
    """The parts one after the other; nothing, if any of them is impossible."""
    flat: list[Node] = []
    for part in parts:
        if part == NEVER:
            return NEVER
        for item in part.parts if isinstance(part, Sequence) else (part,):
            if isinstance(item, Text) and flat and isinstance(flat[-1], Text):
                flat[-1] = Text(flat[-1].text + item.text)
            else:
                flat.append(item)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(*parts: Node) -> Node:
    """One of the parts, the impossible ones left out."""
    flat: dict[Node, None] = {}
    for part in parts:
        flat |= dict.fromkeys(part.parts if isinstance(part, Choice) else (part,))
    unique = tuple(flat)
    return unique[0] if len(unique) == 1 else Choice(unique)


def repeated(part: Node, least: int, most: int | None) -> Node:
    """``part`` so many times, in repeats that engines take."""
    if part == NEVER:
        return EMPTY if least == 0 else NEVER
    if most == 0:
        return EMPTY
    block = NO_MORE_THAN
    required = [Repeat(part, block, block)] * (least // block)
    rest = least % block
    if most is None:
        return sequence(*required, Repeat(part, rest, None))
    blocks, extra = divmod(most - least, block)
    if not blocks:
        return sequence(*required, Repeat(part, rest, rest + extra))
    # Up to 1,200 more are up to two times 500, each of them whole, and up to 499 or 200 more.
    fixed = Repeat(part, rest, rest) if rest else EMPTY
    whole = Repeat(part, block, block)
    optional: Node = Repeat(part, 0, extra) if extra else EMPTY
    for _ in range(blocks):
        optional = choice(Repeat(part, 0, block - 1), sequence(whole, optional))
    return sequence(*required, fixed, optional)


@attrs.define
class Rules:
    """Named rules; names have small letters, digits and dashes, which all engines take."""

    rules: dict[str, Node] = attrs.field(factory=dict)
    """The right side of each rule."""

    def named(self, hint: str, node: Node) -> Ref:
        """A rule for ``node``: the one that says the same already, or a new one."""
        name = self.fresh(hint)
        self.rules[name] = node
        return Ref(name)

    def fresh(self, hint: str) -> str:
        """A name that no rule has yet."""
        name, number = hint, 1
        while name in self.rules:
            number += 1
            name = f"{hint}-{number}"
        return name

    def pruned(self, *roots: str) -> str | None:
        """Take away what can match no text, and what none of ``roots`` uses.

        Returns a root that can match no text, if there is one.
        """
        finite: set[str] = set()
        while True:
            more = {n for n, node in self.rules.items() if n not in finite and _ends(node, finite)}
            if not more:
                break
            finite |= more
        for root in roots:
            if root not in finite:
                return root
        kept: dict[str, Node] = {}
        todo = list(reversed(roots))
        while todo:
            name = todo.pop()
            if name not in kept:
                kept[name] = _finite(self.rules[name], finite)
                todo += reversed(_names(kept[name]))
        self.rules = kept
        return None


def _ends(node: Node, finite: set[str]) -> bool:
    """Whether ``node`` matches some text, given the rules that do."""
    match node:
        case Ref(name):
            return name in finite
        case Sequence(parts):
            return all(_ends(part, finite) for part in parts)
        case Choice(parts):
            return any(_ends(part, finite) for part in parts)
        case Repeat(part, least, _):
            return least == 0 or _ends(part, finite)
        case Characters(intervals):
            return bool(intervals)
        case Text():
            return True


def _finite(node: Node, finite: set[str]) -> Node:
    match node:
        case Sequence(parts):
            return Sequence(tuple(_finite(part, finite) for part in parts))
        case Choice(parts):
            return choice(*(_finite(part, finite) for part in parts if _ends(part, finite)))
        case Repeat(part, least, most):
            return Repeat(_finite(part, finite), least, most) if _ends(part, finite) else EMPTY
        case _:
            return node


def _names(node: Node) -> list[str]:
    match node:
        case Ref(name):
            return [name]
        case Sequence(parts) | Choice(parts):
            return [name for part in parts for name in _names(part)]
        case Repeat(part, _, _):
            return _names(part)
        case _:
            return []


# ---- as text -------------------------------------------------------------------------------


def written(name: str, node: Node) -> str:
    """A rule in the language that llama.cpp and xgrammar share."""
    return f"{name} ::= {text_of(node)}"


def text_of(node: Node, *, inner: bool = False) -> str:
    """The right side of a rule; in parentheses where it would else fall apart."""
    match node:
        case Text(text):
            return quoted(text)
        case Characters(intervals):
            return "[" + "".join(_range(low, high) for low, high in intervals) + "]"
        case Ref(name):
            return name
        case Repeat(part, least, most):
            return text_of(part, inner=True) + _times(least, most)
        case Sequence(parts):
            text = " ".join(
                f"({text_of(part)})" if isinstance(part, Choice) else text_of(part, inner=False)
                for part in parts
            )
            return f"({text})" if inner and parts else text or '""'
        case Choice(parts):
            text = " | ".join(text_of(part) for part in parts)
            return f"({text})" if inner else text


def _times(least: int, most: int | None) -> str:
    signs = {(0, 1): "?", (0, None): "*", (1, None): "+"}
    if (least, most) in signs:
        return signs[least, most]
    if least == most:
        return f"{{{least}}}"
    return f"{{{least},{'' if most is None else most}}}"


def quoted(text: str) -> str:
    """``text`` as a literal."""
    return '"' + "".join(_escaped(letter, '"\\') for letter in text) + '"'


def _range(low: int, high: int) -> str:
    first = _escaped(chr(low), "\\]^-[")
    return first if low == high else f"{first}-{_escaped(chr(high), chr(92) + ']^-[')}"


ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
FIRST_WIDE, FIRST_ASTRAL = 0x7F, 0x10000


def _escaped(letter: str, special: str) -> str:
    code = ord(letter)
    if letter in ESCAPES:
        return ESCAPES[letter]
    if letter in special:
        return f"\\x{code:02X}" if letter in "^-[" else f"\\{letter}"
    if code >= FIRST_ASTRAL:
        return f"\\U{code:08X}"
    if code >= FIRST_WIDE:
        return f"\\u{code:04X}"
    return letter if letter.isprintable() else f"\\x{code:02X}"
