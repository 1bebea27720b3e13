"""Values of JSON as rules over characters: what schemas are written with.

Values without a schema of their own, strings and numbers are written once in a grammar.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.constrain import numbers, rules
from harmony.constrain.rules import Node, Ref, Rules, Text, choice, sequence
from harmony.constrain.strings import Strings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.constrain.automata import Machine

WHITE_SPACE = ((0x09, 0x0A), (0x20, 0x20))


class Converter:
    """Writes schemas into one set of rules, in which they share what they have in common."""

    def __init__(
        self,
        grammar: Rules,
        special_texts: Iterable[str],
        whitespace: int,
        *,
        exact: bool = True,
    ) -> None:
        """``exact`` is that of `Strings`."""
        self.grammar = grammar
        self._strings = Strings(grammar, special_texts, exact=exact)
        space = rules.repeated(rules.Characters(WHITE_SPACE), 0, whitespace)
        self.space: Node = grammar.named("ws", space) if whitespace else rules.EMPTY
        self._common: dict[str, Ref] = {}
        self._numbers: dict[Machine, Ref] = {}

    def spaced(self, *parts: Node) -> Node:
        """The parts with white space between them."""
        found: list[Node] = []
        for part in parts:
            found += [self.space, part] if found else [part]
        return sequence(*found)

    @property
    def comma(self) -> Node:
        """A comma, white space around it."""
        return sequence(self.space, Text(","), self.space)

    def run(self, item: Node, least: int, most: int | None, *, begun: bool) -> Node:
        """``item`` so many times, each behind a comma; the first only if a list has ``begun``."""
        if item == rules.NEVER or most == 0:
            return rules.NEVER if least else rules.EMPTY
        following = sequence(self.comma, item)
        if begun:
            return rules.repeated(following, least, most)
        left = None if most is None else most - 1
        node = sequence(self.space, item, rules.repeated(following, max(least - 1, 0), left))
        return node if least else choice(rules.EMPTY, node)

    def string(self) -> Ref:
        """Any string."""
        if "string" not in self._common:
            self._common["string"] = self._strings.any()
        return self._common["string"]

    def strings(self, machines: list[Machine], least: int, most: int | None) -> Node:
        """Strings of a kind. Raises `TooComplex`."""
        if not machines and not least and most is None:
            return self.string()
        return self._strings.of(machines, least, most)

    def number(self, machine: Machine, hint: str) -> Node:
        """The numbers that ``machine`` accepts. Raises `TooComplex`."""
        if machine in self._numbers:
            return self._numbers[machine]
        found = numbers.table_of(machine)
        if found is None:
            return rules.NEVER
        name = self.grammar.fresh(hint)
        names = [name if not i else f"{name}-s{i}" for i in range(len(found.edges))]
        for index, edges in enumerate(found.edges):
            parts: list[Node] = [
                sequence(rules.Characters(intervals), Ref(names[target]))
                for target, intervals in edges.items()
            ]
            if index in found.accepting:
                parts.append(rules.EMPTY)
            self.grammar.rules[names[index]] = choice(*parts)
        self._numbers[machine] = Ref(name)
        return Ref(name)

    def common(self, kind: str) -> Ref:
        """What has no schema of its own: any integer, number, object, array or value."""
        if kind in self._common:
            return self._common[kind]
        ref = self._common[kind] = Ref(self.grammar.fresh(kind))
        self.grammar.rules[ref.name] = rules.NEVER  # The name is taken.
        value = ref if kind == "value" else self.common("value")
        node: Node
        if kind in ("integer", "number"):
            node = self.number(numbers.machine([], [], whole=kind == "integer"), kind)
        elif kind == "object":
            member = self.spaced(self.string(), Text(":"), value)
            node = self.braced("{", self.run(member, 0, None, begun=False), "}")
        elif kind == "array":
            node = self.braced("[", self.run(value, 0, None, begun=False), "]")
        else:
            node = choice(
                *(self.common(name) for name in ("object", "array", "number")),
                self.string(), *map(Text, ("true", "false", "null")),
            )  # fmt: skip
        self.grammar.rules[ref.name] = node
        return ref

    def braced(self, opening: str, inside: Node, closing: str) -> Node:
        """``inside``, which begins with its white space, in braces or brackets."""
        return sequence(Text(opening), inside, self.space, Text(closing))

    def literal(self, value: Any) -> Node:
        """Just this value."""
        if isinstance(value, str):
            return self._strings.literal(value)
        if isinstance(value, dict):
            members: list[Node] = []
            for key, item in value.items():
                members += [Text(",")] if members else []
                members += [self._strings.literal(key), Text(":"), self.literal(item)]
            return self.spaced(Text("{"), *members, Text("}"))
        if isinstance(value, list):
            items: list[Node] = []
            for item in value:
                items += [Text(","), self.literal(item)] if items else [self.literal(item)]
            return self.spaced(Text("["), *items, Text("]"))
        return Text(json.dumps(value))

    def key(self, name: str) -> Node:
        """A property's name."""
        return self._strings.literal(name)
