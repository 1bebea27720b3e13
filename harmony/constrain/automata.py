"""Finite automata over characters: what a string or a number may be, letter by letter.

A `Machine` says where a character leads; machines are put together with `Both` and turned
into a table with `table`, which keeps only states that can still accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

State: TypeAlias = Any
"""What a machine remembers: hashable, and each machine's own."""
Interval: TypeAlias = tuple[int, int]
"""Code points, both ends included."""

LAST_CHARACTER = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
MOST_STATES = 6000
MOST_MERGED = 400
"""Above so many states none are merged: a counter would need a round for each."""
EVERY: tuple[Interval, ...] = ((0, SURROGATES[0] - 1), (SURROGATES[1] + 1, LAST_CHARACTER))
"""All characters: surrogates are none."""


class TooComplex(Exception):
    """More states than a grammar should have."""


class Machine(Protocol):
    """A deterministic automaton whose states are made as they are needed."""

    @property
    def start(self) -> State:
        """Where it begins."""

    @property
    def cuts(self) -> frozenset[int]:
        """The code points from which on it may behave otherwise than just before."""

    def __hash__(self) -> int:
        """Machines that accept the same may be equal, and are then remembered as one."""

    def step(self, state: State, character: int) -> State | None:
        """Where ``character`` leads; None if nowhere."""

    def accepts(self, state: State) -> bool:
        """Whether the text may end here."""


@attrs.frozen
class Both:
    """What all of several machines accept."""

    machines: tuple[Machine, ...]

    @property
    def start(self) -> State:
        """Where it begins."""
        return tuple(machine.start for machine in self.machines)

    @property
    def cuts(self) -> frozenset[int]:
        """Where it may change."""
        return frozenset().union(*(machine.cuts for machine in self.machines))

    def step(self, state: State, character: int) -> State | None:
        """Where a character leads."""
        reached = []
        for machine, own in zip(self.machines, state, strict=True):
            target = machine.step(own, character)
            if target is None:
                return None
            reached.append(target)
        return tuple(reached)

    def accepts(self, state: State) -> bool:
        """Whether all of them accept."""
        pairs = zip(self.machines, state, strict=True)
        return all(machine.accepts(own) for machine, own in pairs)


@attrs.frozen
class Not:
    """What ``machine`` does not accept."""

    machine: Machine

    @property
    def start(self) -> State:
        """Where it begins."""
        return (self.machine.start,)

    @property
    def cuts(self) -> frozenset[int]:
        """Where it may change."""
        return self.machine.cuts

    def step(self, state: State, character: int) -> State | None:
        """Where a character leads; the empty tuple is where the other one is lost."""
        if state == ():
            return ()
        target = self.machine.step(state[0], character)
        return () if target is None else (target,)

    def accepts(self, state: State) -> bool:
        """Whether the other one does not."""
        return state == () or not self.machine.accepts(state[0])


@attrs.frozen
class Words:
    """Just these words."""

    words: frozenset[str]
    start: str = ""

    @property
    def cuts(self) -> frozenset[int]:
        """Each letter, and the one behind it."""
        letters = {ord(letter) for word in self.words for letter in word}
        return frozenset(letters | {letter + 1 for letter in letters})

    def step(self, state: State, character: int) -> State | None:
        """The state is what was read."""
        read = f"{state}{chr(character)}"
        return read if any(word.startswith(read) for word in self.words) else None

    def accepts(self, state: State) -> bool:
        """Whether a word was read."""
        return state in self.words


@attrs.frozen
class Length:
    """So many characters; ``most`` None for no bound."""

    least: int
    most: int | None
    start: int = 0
    cuts: frozenset[int] = frozenset()

    def step(self, state: State, _: int) -> State | None:
        """The state is how many were read, as far as that matters."""
        assert isinstance(state, int)
        if self.most is None:
            return min(state + 1, self.least)
        return state + 1 if state < self.most else None

    def accepts(self, state: State) -> bool:
        """Whether there are enough."""
        return isinstance(state, int) and state >= self.least


class Without:
    """Any text that none of ``words`` occurs in: Aho and Corasick's automaton."""

    def __init__(self, words: Iterable[str]) -> None:
        self.start: State = 0
        self._edges: list[dict[str, int]] = [{}]
        self._fails = [0]
        self._forbidden: set[int] = set()
        for word in words:
            node = 0
            for letter in word:
                if letter not in self._edges[node]:
                    self._edges[node][letter] = len(self._edges)
                    self._edges.append({})
                    self._fails.append(0)
                node = self._edges[node][letter]
            self._forbidden.add(node)
        queue = list(self._edges[0].values())
        for node in queue:
            for letter, child in self._edges[node].items():
                self._fails[child] = self._next(self._fails[node], letter)
                if self._fails[child] in self._forbidden:
                    self._forbidden.add(child)
                queue.append(child)
        letters = {ord(letter) for edges in self._edges for letter in edges}
        self.cuts = frozenset(letters | {letter + 1 for letter in letters})

    def _next(self, node: int, letter: str) -> int:
        while letter not in self._edges[node] and node:
            node = self._fails[node]
        return self._edges[node].get(letter, 0)

    def step(self, state: State, character: int) -> State | None:
        """Where a character leads; None if it ends a forbidden word."""
        assert isinstance(state, int)
        node = self._next(state, chr(character))
        return None if node in self._forbidden else node

    def accepts(self, state: State) -> bool:
        """Always."""
        return state is not None


@attrs.frozen
class Table:
    """An automaton written out. Its states are numbers, 0 is the start."""

    edges: list[dict[int, tuple[Interval, ...]]]
    """For each state the states that it leads to, and by which characters."""
    accepting: frozenset[int]
    """The states in which the text may end."""


def table(
    machine: Machine,
    characters: tuple[Interval, ...] = EVERY,
    *,
    merged: int = MOST_MERGED,
    most: int = MOST_STATES,
) -> Table | None:
    """``machine`` over ``characters`` as a table; None if it accepts nothing.

    With up to ``merged`` states those that accept the same are merged.

    Raises:
        TooComplex: it has more than ``most`` states.
    """
    intervals = _cut(characters, machine.cuts)
    numbers: dict[State, int] = {machine.start: 0}
    order: list[State] = [machine.start]
    reached: list[list[tuple[Interval, int]]] = []
    for state in order:
        edges = []
        for interval in intervals:
            target = machine.step(state, interval[0])
            if target is None:
                continue
            if target not in numbers:
                if len(numbers) >= most:
                    raise TooComplex
                numbers[target] = len(order)
                order.append(target)
            edges.append((interval, numbers[target]))
        reached.append(edges)
    accepting = {numbers[state] for state in order if machine.accepts(state)}
    live = _live(reached, accepting)
    if 0 not in live:
        return None
    reached = [[(i, t) for i, t in edges if t in live] for edges in reached]
    return _numbered(
        reached, accepting, _classes(reached, accepting, live, merge=len(order) <= merged)
    )


def _cut(characters: tuple[Interval, ...], cuts: frozenset[int]) -> list[Interval]:
    intervals = []
    for low, high in characters:
        starts = sorted({low} | {cut for cut in cuts if low < cut <= high})
        ends = [start - 1 for start in starts[1:]] + [high]
        intervals += list(zip(starts, ends, strict=True))
    return intervals


def _live(reached: list[list[tuple[Interval, int]]], accepting: set[int]) -> set[int]:
    """The states from which an accepting one can be reached."""
    before: dict[int, set[int]] = {}
    for state, edges in enumerate(reached):
        for _, target in edges:
            before.setdefault(target, set()).add(state)
    live, todo = set(accepting), list(accepting)
    while todo:
        for state in before.get(todo.pop(), ()):
            if state not in live:
                live.add(state)
                todo.append(state)
    return live


def _classes(
    reached: list[list[tuple[Interval, int]]], accepting: set[int], live: set[int], *, merge: bool
) -> dict[int, int]:
    """For each live state its class: states of one class accept the same (Moore)."""
    if not merge:
        return {state: state for state in live}
    classes = {state: int(state in accepting) for state in live}
    count = len(set(classes.values()))
    while True:
        seen: dict[object, int] = {}
        refined = {}
        for state in sorted(live):
            edges = tuple((interval, classes[target]) for interval, target in reached[state])
            refined[state] = seen.setdefault((classes[state], edges), len(seen))
        classes = refined
        if len(seen) == count:
            return classes
        count = len(seen)


def _numbered(
    reached: list[list[tuple[Interval, int]]], accepting: set[int], classes: dict[int, int]
) -> Table:
    """The table of the classes, numbered as they are met from the start."""
    members = {number: state for state, number in sorted(classes.items(), reverse=True)}
    numbers = {classes[0]: 0}
    order = [classes[0]]
    table_edges: list[dict[int, tuple[Interval, ...]]] = []
    for number in order:
        edges: dict[int, list[Interval]] = {}
        for interval, target in reached[members[number]]:
            target_class = classes[target]
            if target_class not in numbers:
                numbers[target_class] = len(order)
                order.append(target_class)
            edges.setdefault(numbers[target_class], []).append(interval)
        table_edges.append({target: joined(intervals) for target, intervals in edges.items()})
    finals = frozenset(numbers[classes[state]] for state in accepting)
    return Table(table_edges, finals)


def joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The intervals in their order, those that touch put together."""
    result: list[Interval] = []
    for low, high in sorted(intervals):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def without(intervals: Iterable[Interval], removed: Iterable[Interval]) -> tuple[Interval, ...]:
    """``intervals`` less ``removed``."""
    left = list(intervals)
    for low, high in removed:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, low - 1)), (max(start, high + 1), end))
            if part[0] <= part[1]
        ]
    return joined(left)


def overlap(intervals: Iterable[Interval], low: int, high: int) -> tuple[Interval, ...]:
    """The part of ``intervals`` from ``low`` to ``high``."""
    return tuple((max(a, low), min(b, high)) for a, b in intervals if a <= high and b >= low)
