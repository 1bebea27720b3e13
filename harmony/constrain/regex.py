r"""Patterns of JSON Schema as automata: the regular part of ECMA 262.

A pattern is searched for, so `a` means any text with an `a` in it, and `^a$` just `a`. What
is not regular (`\1`, `(?=…)`), and word boundaries, are refused.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from harmony.constrain.automata import EVERY, Interval, State, TooComplex, joined, without

Node: TypeAlias = "Characters | Sequence | Choice | Repeat | Anchor"

MOST_COPIES = 3000
"""How many characters a pattern may have once its repeats are written out."""


class Irregular(ValueError):
    """A pattern is no regular expression, or is not read; the message says why."""


@attrs.frozen
class Characters:
    """One character of a class."""

    intervals: tuple[Interval, ...]


@attrs.frozen
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@attrs.frozen
class Choice:
    """One of several."""

    parts: tuple[Node, ...]


@attrs.frozen
class Repeat:
    """So many times; ``most`` None for no bound."""

    part: Node
    least: int
    most: int | None


@attrs.frozen
class Anchor:
    """The start of the text, or its end."""

    end: bool


DIGITS: tuple[Interval, ...] = ((0x30, 0x39),)
WORD: tuple[Interval, ...] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: tuple[Interval, ...] = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
LINE_ENDS: tuple[Interval, ...] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
CLASSES = {"d": DIGITS, "w": WORD, "s": SPACE}
CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
HEX_DIGITS = {"x": 2, "u": 4}


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise Irregular(f"unbalanced ')' at character {self._at}")
        return node

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at >= len(self._text):
            raise Irregular("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _skip(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _choice(self) -> Node:
        parts = [self._sequence()]
        while self._skip("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Node:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self, node: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return node
        if isinstance(node, Anchor):
            raise Irregular("an anchor is repeated")
        self._skip("?")  # Lazy or not, the language is the same.
        least, most = bounds
        if most is not None and most < least:
            raise Irregular(f"the repeat {{{least},{most}}} is empty")
        node = Repeat(node, least, most)
        if self._peek() in ("*", "+"):
            raise Irregular(f"nothing to repeat at character {self._at}")
        return node

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._skip(sign):
                return bounds
        end = self._text.find("}", self._at)
        if self._peek() != "{" or end < 0:
            return None
        least, comma, most = self._text[self._at + 1 : end].partition(",")
        if not least.isdecimal() or not (most.isdecimal() or not most):
            return None  # `{` stands for itself.
        self._at = end + 1
        return int(least), int(most) if most else None if comma else int(least)

    def _atom(self) -> Node:
        letter = self._take()
        match letter:
            case "^" | "$":
                return Anchor(letter == "$")
            case ".":
                return Characters(without(EVERY, LINE_ENDS))
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise Irregular(f"nothing to repeat at character {self._at - 1}")
        return Characters(((ord(letter), ord(letter)),))

    def _group(self) -> Node:
        if self._skip("?"):
            if any(self._text.startswith(sign, self._at) for sign in ("=", "!", "<=", "<!")):
                raise Irregular("look-around is not regular")
            if self._skip("P<") or self._skip("<"):
                end = self._text.find(">", self._at)
                if end < 0:
                    raise Irregular("the name of a group does not end")
                self._at = end + 1
            elif not self._skip(":"):
                raise Irregular(f"'(?{self._peek()}' is not read")
        node = self._choice()
        if not self._skip(")"):
            raise Irregular("a group does not end")
        return node

    def _escape(self) -> Node:
        letter = self._peek()
        if letter in ("b", "B"):
            raise Irregular("word boundaries are not read")
        if letter == "k" or (letter.isdecimal() and letter != "0"):
            raise Irregular("back-references are not regular")
        return Characters(self._escaped())

    def _escaped(self) -> tuple[Interval, ...]:
        """The characters of the escape behind a backslash."""
        letter = self._take()
        if letter.lower() in CLASSES:
            intervals = CLASSES[letter.lower()]
            return intervals if letter.islower() else without(EVERY, intervals)
        if letter in CONTROLS:
            return ((CONTROLS[letter], CONTROLS[letter]),)
        if letter == "c":
            code = ord(self._take()) % 32
            return ((code, code),)
        if letter in ("p", "P"):
            raise Irregular("classes of Unicode properties are not read")
        if letter in HEX_DIGITS:
            return self._hex(letter)
        return ((ord(letter), ord(letter)),)

    def _hex(self, letter: str) -> tuple[Interval, ...]:
        if self._skip("{"):
            end = self._text.find("}", self._at)
            digits = self._text[self._at : max(end, self._at)]
            self._at, complete = end + 1, end > 0
        else:
            digits = self._text[self._at : self._at + HEX_DIGITS[letter]]
            self._at += HEX_DIGITS[letter]
            complete = len(digits) == HEX_DIGITS[letter]
        try:
            code = int(digits if complete else "", 16)
            chr(code)
        except (ValueError, OverflowError):
            raise Irregular(f"\\{letter} is not followed by a character's code") from None
        return ((code, code),)

    def _class(self) -> Node:
        negated = self._skip("^")
        intervals: list[Interval] = []
        while not self._skip("]"):
            low = self._class_atom()
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                high = self._class_atom()
                single = all(len(part) == 1 and part[0][0] == part[0][1] for part in (low, high))
                if not single or low[0][0] > high[0][1]:
                    raise Irregular("a range of a class is empty, or ends in a class")
                low = ((low[0][0], high[0][1]),)
            intervals += low
        found = joined(intervals)
        return Characters(without(EVERY, found) if negated else found)

    def _class_atom(self) -> tuple[Interval, ...]:
        letter = self._take()
        if letter != "\\":
            return ((ord(letter), ord(letter)),)
        if self._skip("b"):
            return ((8, 8),)
        return self._escaped()


def parsed(pattern: str) -> Node:
    """The tree of a pattern. Raises `Irregular`."""
    try:
        return _Parser(pattern).whole()
    except RecursionError:
        raise Irregular("it is nested too deeply") from None


class Pattern:
    """A pattern as a `Machine`: it accepts the texts in which the pattern is found.

    Equal patterns are equal machines.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._moves: list[list[tuple[tuple[Interval, ...], int]]] = []
        self._jumps: list[list[tuple[str, int]]] = []
        first, self._last = self._state(), self._state()
        self._moves[first].append((EVERY, first))
        self._moves[self._last].append((EVERY, self._last))
        self._add(parsed(pattern), first, self._last)
        found = {i for moves in self._moves for intervals, _ in moves for i in intervals}
        self.cuts = frozenset(cut for low, high in found for cut in (low, high + 1))
        self.start: State = (True, self._closure(frozenset({first}), "^"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.pattern == self.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def _state(self) -> int:
        if len(self._moves) > MOST_COPIES:
            raise TooComplex
        self._moves.append([])
        self._jumps.append([])
        return len(self._moves) - 1

    def _add(self, node: Node, source: int, target: int) -> None:
        match node:
            case Characters(intervals):
                self._moves[source].append((intervals, target))
            case Anchor(end):
                self._jumps[source].append(("$" if end else "^", target))
            case Choice(parts):
                for part in parts:
                    self._add(part, source, target)
            case Sequence(parts):
                self._chain(parts, source, target)
            case Repeat(part, least, most):
                copies = (part,) * least
                if most is None:
                    loop = self._state()
                    self._chain(copies, source, loop)
                    again = self._state()
                    self._add(part, loop, again)
                    self._jumps[again].append(("", loop))
                    self._jumps[loop].append(("", target))
                else:
                    self._chain((*copies, *(Repeat(part, 0, 1),) * (most - least)), source, target)

    def _chain(self, parts: tuple[Node, ...], source: int, target: int) -> None:
        for part in parts:
            between = self._state()
            if isinstance(part, Repeat) and (part.least, part.most) == (0, 1):
                self._add(part.part, source, between)
                self._jumps[source].append(("", between))
            else:
                self._add(part, source, between)
            source = between
        self._jumps[source].append(("", target))

    def _closure(self, states: frozenset[int], anchors: str) -> frozenset[int]:
        found, todo = set(states), list(states)
        while todo:
            for label, target in self._jumps[todo.pop()]:
                if target not in found and (not label or label in anchors):
                    found.add(target)
                    todo.append(target)
        return frozenset(found)

    def step(self, state: State, character: int) -> State | None:
        """Where a character leads."""
        _, states = state
        if self._last in states:
            return (False, frozenset({self._last}))  # Found: whatever follows.
        reached = {
            target
            for source in states
            for intervals, target in self._moves[source]
            if any(low <= character <= high for low, high in intervals)
        }
        return (False, self._closure(frozenset(reached), ""))

    def accepts(self, state: State) -> bool:
        """Whether the pattern is found in a text that ends here."""
        first, states = state
        return self._last in self._closure(states, "^$" if first else "$")
