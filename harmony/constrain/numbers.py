"""Numbers of JSON as automata: exact bounds and multiples, digit by digit.

A number with a bound is written without an exponent, so that its value can be compared
while it is read.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from harmony.constrain.automata import Both, Interval, Machine, State, Table, table
from harmony.constrain.regex import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

CHARACTERS: tuple[Interval, ...] = tuple((ord(c), ord(c)) for c in "+-.0123456789Ee")
INTEGER = r"^(?:0|-?[1-9][0-9]*)$"
# Two digits of an exponent: with three, values would leave the range of a double.
NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?$"
DECIMAL = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$"
MOST_REMAINDERS = 2000

_EACH = frozenset(code + more for code, _ in CHARACTERS for more in (0, 1))


@attrs.frozen
class Bound:
    """Numbers that compare with ``limit`` in a way that ``keeps`` says.

    The state is the sign, how many digits were read and how they compare with the limit's.
    """

    limit: Decimal
    keeps: Callable[[int], bool]
    """Gets -1, 0 or 1: the number is below the limit, the limit itself, or above."""
    start: State = (False, "whole", 0, 0)
    cuts: frozenset[int] = _EACH

    def _digits(self) -> tuple[str, str]:
        whole, _, fraction = f"{abs(self.limit):f}".partition(".")
        return whole.lstrip("0"), fraction.rstrip("0")

    def step(self, state: State, character: int) -> State | None:
        """Where a character leads."""
        negative, part, count, compared = state
        whole, fraction = self._digits()
        letter = chr(character)
        if letter == "-":
            return (True, "whole", 0, 0)
        if letter == ".":
            return (negative, "fraction", 0, self._whole_compared(count, compared, whole))
        if not letter.isdecimal():
            return None
        if part == "whole":
            if count == 0 and letter == "0":
                return (negative, "whole", 0, 0)
            if count < len(whole):
                compared = compared or _sign(letter, whole[count])
            return (negative, "whole", min(count + 1, len(whole) + 1), compared)
        if compared:
            return (negative, "fraction", 0, compared)
        if count < len(fraction):
            return (negative, "fraction", count + 1, _sign(letter, fraction[count]))
        return (negative, "fraction", count, int(letter != "0"))

    @staticmethod
    def _whole_compared(count: int, compared: int, whole: str) -> int:
        return compared if count == len(whole) else 1 if count > len(whole) else -1

    def accepts(self, state: State) -> bool:
        """Whether the number may end here."""
        negative, part, count, compared = state
        whole, fraction = self._digits()
        if part == "whole":
            compared = self._whole_compared(count, compared, whole)
            count = 0
        if not compared and count < len(fraction):
            compared = -1
        if self.limit > 0:
            return self.keeps(-1 if negative else compared)
        if self.limit < 0:
            return self.keeps(-compared if negative else 1)
        return self.keeps(-compared if negative else compared)


def _sign(one: str, other: str) -> int:
    return (one > other) - (one < other)


@attrs.frozen
class Multiple:
    """Multiples of ``units`` tenth powers: 25 and 2 for multiples of 0.25."""

    units: int
    places: int
    start: State = (None, 0)
    cuts: frozenset[int] = _EACH

    def step(self, state: State, character: int) -> State | None:
        """The state is how many places of the fraction were read, and the remainder."""
        places, remainder = state
        letter = chr(character)
        if letter == "-":
            return state
        if letter == ".":
            return (0, remainder)
        if not letter.isdecimal():
            return None
        if places is not None:
            if places == self.places:
                return state if letter == "0" else None
            places += 1
        return (places, (remainder * 10 + int(letter)) % self.units)

    def accepts(self, state: State) -> bool:
        """Whether nothing remains."""
        places, remainder = state
        left = self.places - (places or 0)
        return bool(remainder * 10**left % self.units == 0)


def multiple_of(value: object) -> Multiple | None:
    """The multiples of ``value``; None where there are too many remainders to tell apart."""
    exact = Decimal(str(value)).normalize()
    _, digits, exponent = exact.as_tuple()
    assert isinstance(exponent, int)
    units = int("".join(map(str, digits)))
    if exponent > 0:
        units, exponent = units * 10 ** min(exponent, 6), 0
    return Multiple(units, -exponent) if 0 < units <= MOST_REMAINDERS else None


KEEPS: dict[str, Callable[[int], bool]] = {
    "minimum": lambda compared: compared >= 0,
    "exclusiveMinimum": lambda compared: compared > 0,
    "maximum": lambda compared: compared <= 0,
    "exclusiveMaximum": lambda compared: compared < 0,
}
"""For each keyword that bounds a number, how the number may compare with it."""


@functools.lru_cache(maxsize=256)
def table_of(machine: Machine) -> Table | None:
    """The numbers that ``machine`` accepts, as a table. Raises `TooComplex`."""
    return table(machine, CHARACTERS)


def machine(bounds: list[tuple[str, object]], multiples: list[Multiple], *, whole: bool) -> Machine:
    """The numbers within ``bounds`` that are such multiples; integers if ``whole``."""
    syntax = INTEGER if whole else DECIMAL if bounds or multiples else NUMBER
    limits = [Bound(Decimal(str(value)), KEEPS[keyword]) for keyword, value in bounds]
    return Both((Pattern(syntax), *limits, *multiples))
