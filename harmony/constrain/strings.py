"""Strings of JSON: automata over characters, spelled as JSON spells them.

A character stands for itself or for its escapes, but control characters stand as escapes
only. The engines match special tokens by their text, so no string may spell one: `<|end|>`
is left to `\u003c|end|>`.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

import attrs

from harmony.constrain import rules
from harmony.constrain.automata import (
    EVERY,
    LAST_CHARACTER,
    MOST_STATES,
    Both,
    Interval,
    Length,
    Machine,
    State,
    Table,
    Without,
    joined,
    overlap,
    table,
    without,
)
from harmony.constrain.rules import Characters, Node, Ref, Rules, Sequence, Text, choice, sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTROLS: Interval = (0x00, 0x1F)
QUOTE, BACKSLASH = ord('"'), ord("\\")
UNESCAPED = without(EVERY, [CONTROLS, (QUOTE, QUOTE), (BACKSLASH, BACKSLASH)])
SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
LAST_BASIC = 0xFFFF
HEX = 16
# Strings with a bound on their length: an automaton that counts. Above this many characters
# it would have too many states.
MOST_COUNTED = 256


@attrs.frozen
class Anything:
    """Any text."""

    start: int = 0
    cuts: frozenset[int] = frozenset()

    def step(self, state: State, _: int) -> State | None:
        """Where a character leads."""
        return state

    def accepts(self, _: State) -> bool:
        """Always."""
        return True


@attrs.frozen
class _Spelled:
    """A machine for what a string says, and one for how it is spelled, side by side.

    Escapes are characters above Unicode: `ESCAPED` more than what they say.
    """

    says: Machine
    spells: Machine

    @property
    def start(self) -> State:
        return (self.says.start, self.spells.start)

    @property
    def cuts(self) -> frozenset[int]:
        says = self.says.cuts
        return says | self.spells.cuts | {ESCAPED + cut for cut in says}

    def step(self, state: State, character: int) -> State | None:
        said, spelled = state
        escaped = character >= ESCAPED
        said = self.says.step(said, character - ESCAPED if escaped else character)
        if said is None:
            return None
        # No special token's text has a backslash in it: the spelling begins anew.
        spelled = self.spells.start if escaped else self.spells.step(spelled, character)
        return None if spelled is None else (said, spelled)

    def accepts(self, state: State) -> bool:
        said, _ = state
        return self.says.accepts(said)


ESCAPED = LAST_CHARACTER + 1
ALPHABET = (*UNESCAPED, *((ESCAPED + low, ESCAPED + high) for low, high in EVERY))


@functools.lru_cache(maxsize=4)
def _any_string(texts: tuple[str, ...]) -> Table:
    """Any string that spells none of ``texts``: the same for all grammars of a vocabulary."""
    found = table(_Spelled(Anything(), Without(texts)), ALPHABET, merged=MOST_STATES)
    assert found is not None
    return found


@functools.lru_cache(maxsize=512)
def _strings(says: Machine, apart: tuple[str, ...]) -> Table | None:
    """The strings that say what ``says`` accepts and spell none of ``apart``.

    Remembered, since a server is sent the same tools again and again.
    """
    return table(_Spelled(says, Without(apart)), ALPHABET)


class Strings:
    """Writes strings as rules. ``special_texts`` is what no string may spell."""

    def __init__(self, grammar: Rules, special_texts: Iterable[str], *, exact: bool = True) -> None:
        """With ``exact``, any string is free but for the special tokens' very texts.

        Without, no string has what these begin with: two states in place of sixty.
        """
        self._rules = grammar
        self._texts = tuple(special_texts)
        self._exact = exact
        texts = list(self._texts)
        # For strings with a schema of their own, what all special tokens begin with: `<|`.
        begin = common_start(texts)
        self._apart = (begin,) if begin else self._texts
        self._known: dict[Machine, Ref] = {}
        self._escape_rules: dict[tuple[Interval, ...], Ref] = {}
        self._begin = begin or "<"

    def any(self) -> Ref:
        """Any string."""
        if self._exact:
            return self._put("string", _any_string(self._texts))
        return self._named("string", Anything())

    def of(self, machines: list[Machine], least: int, most: int | None) -> Node:
        """The strings that the machines accept, of so many characters.

        Raises:
            TooComplex: they have too many states.
        """
        if not machines and least == 0 and most is None:
            return self.any()
        if not machines and max(least, most or 0) > MOST_COUNTED:
            return self._long(least, most)
        if least or most is not None:
            machines = [*machines, Length(least, most)]
        return self._named("text", Both(tuple(machines)))

    def literal(self, text: str) -> Text:
        """Just this string."""
        written = json.dumps(text, ensure_ascii=False)
        try:
            written.encode()
        except UnicodeEncodeError:
            written = json.dumps(text)  # A lone surrogate, which only an escape can say.
        return Text(written.replace(self._begin, f"\\u{ord(self._begin[0]):04x}{self._begin[1:]}"))

    def _long(self, least: int, most: int | None) -> Node:
        """Strings too long to be counted by an automaton: without a letter of `<|` unescaped."""
        letter = ord(self._begin[-1])
        plain = Characters(without(UNESCAPED, [(letter, letter)]))
        unit = self._rules.named(
            "character", choice(plain, sequence(Text("\\"), self._escapes(EVERY)))
        )
        return sequence(Text('"'), rules.repeated(unit, least, most), Text('"'))

    def _named(self, hint: str, says: Machine) -> Ref:
        if says not in self._known:
            self._known[says] = self._put(hint, _strings(says, self._apart))
        return self._known[says]

    def _put(self, hint: str, found: Table | None) -> Ref:
        if found is None:
            return self._rules.named(hint, rules.NEVER)
        name = self._rules.fresh(hint)
        names = [name + "-of" if not i else f"{name}-{i}" for i in range(len(found.edges))]
        self._rules.rules[name] = sequence(Text('"'), Ref(names[0]))
        for index, edges in enumerate(found.edges):
            parts: list[Node] = [Text('"')] if index in found.accepting else []
            for target, intervals in edges.items():
                parts += self._edge(intervals, Ref(names[target]))
            self._rules.rules[names[index]] = choice(*parts)
        return Ref(name)

    def _edge(self, intervals: tuple[Interval, ...], target: Ref) -> list[Node]:
        plain = overlap(intervals, 0, LAST_CHARACTER)
        escaped = tuple(
            (low - ESCAPED, high - ESCAPED)
            for low, high in overlap(intervals, ESCAPED, 2 * ESCAPED)
        )
        parts: list[Node] = [Sequence((Characters(plain), target))] if plain else []
        if escaped:
            parts.append(Sequence((Text("\\"), self._escapes(escaped), target)))
        return parts

    def _escapes(self, intervals: tuple[Interval, ...]) -> Ref:
        """What stands behind the backslash for one character of ``intervals``."""
        if intervals in self._escape_rules:
            return self._escape_rules[intervals]
        letters = [s for c, s in SHORT.items() if overlap(intervals, ord(c), ord(c))]
        parts: list[Node] = [Characters(_of_letters(letters))] if letters else []
        codes = [
            node
            for low, high in overlap(intervals, 0, LAST_BASIC)
            for node in hex_range(f"{low:04x}", f"{high:04x}")
        ]
        astral = [(LAST_BASIC + 1, LAST_CHARACTER)]
        if not without(astral, intervals):
            codes.append(_surrogates())
        if codes:
            parts.append(sequence(Text("u"), choice(*codes)))
        ref = self._escape_rules[intervals] = self._rules.named("escape", choice(*parts))
        return ref


def _surrogates() -> Node:
    """The two escapes of a character above the basic plane, behind the first of their `u`s."""
    digit = _hex_digits(0, HEX - 1)
    first = sequence(_hex_digits(13, 13), _hex_digits(8, 11), digit, digit)
    second = sequence(_hex_digits(13, 13), _hex_digits(12, 15), digit, digit)
    return sequence(first, Text("\\u"), second)


def _of_letters(letters: list[str]) -> tuple[Interval, ...]:
    return tuple(sorted((ord(letter), ord(letter)) for letter in letters))


def _hex_digits(low: int, high: int) -> Characters:
    digits = {letter for value in range(low, high + 1) for letter in f"{value:x}{value:X}"}
    return Characters(joined((ord(letter), ord(letter)) for letter in digits))


def hex_range(low: str, high: str) -> list[Node]:
    """The hexadecimal numbers from ``low`` to ``high``, which have equally many digits."""
    if not low:
        return [rules.EMPTY]
    first, last = int(low[0], HEX), int(high[0], HEX)
    rest = len(low) - 1
    if low[1:] == "0" * rest and high[1:] == "f" * rest:
        return [sequence(_hex_digits(first, last), *[_hex_digits(0, HEX - 1)] * rest)]
    if first == last:
        return [sequence(_hex_digits(first, first), node) for node in hex_range(low[1:], high[1:])]
    nodes = [sequence(_hex_digits(first, first), node) for node in hex_range(low[1:], "f" * rest)]
    if last - first > 1:
        middle = _hex_digits(first + 1, last - 1)
        nodes.append(sequence(middle, *[_hex_digits(0, HEX - 1)] * rest))
    return nodes + [
        sequence(_hex_digits(last, last), node) for node in hex_range("0" * rest, high[1:])
    ]


def common_start(texts: list[str]) -> str:
    """What all of ``texts`` begin with."""
    if not texts:
        return ""
    first, last = min(texts), max(texts)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[:length]
