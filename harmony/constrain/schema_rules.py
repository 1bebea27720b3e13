"""JSON Schema as rules over characters: our own converter, for GBNF and xgrammar.

Their own converters let raw control characters into strings, drop bounds of integers and
widen types. Properties stand in the order of the schema, others behind them, as llguidance
has it.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from harmony.constrain import numbers, rules
from harmony.constrain.automata import Machine, Not, TooComplex, Words
from harmony.constrain.formats import pattern_of
from harmony.constrain.regex import Irregular, Pattern
from harmony.constrain.rules import Node, Ref, Text, choice, sequence
from harmony.constrain.schema_flat import Flat, Flattener
from harmony.constrain.schema_places import ANNOTATIONS, Place
from harmony.errors import MissingExtra
from harmony.json_text import below

if TYPE_CHECKING:
    from harmony.constrain.schema_flat import Problems
    from harmony.constrain.schema_places import Document
    from harmony.constrain.value_rules import Converter

MOST_PATTERNS = 4


def convert(converter: Converter, document: Document, hint: str, problem: Problems) -> Ref:
    """The rule for the values that the schema of ``document`` describes.

    Its name begins with ``hint``. What cannot be expressed goes to ``problem``; if that
    returns, it is left out.
    """
    return _Schema(converter, document, hint, problem).value([document.root])


class _Schema:
    """Converts one document."""

    def __init__(
        self, converter: Converter, document: Document, hint: str, problem: Problems
    ) -> None:
        self._converter = converter
        self._document = document
        self._hint = hint
        self._problem = problem
        self._flattener = Flattener(document, problem)
        self._known: dict[str, Ref] = {}

    # ---- any value -------------------------------------------------------------------------

    def value(self, places: list[Place]) -> Ref:
        """The rule for what meets all of ``places``."""
        places = [place for place in places if place.schema not in (True, {})]
        if not places:
            return self._converter.common("value")
        key = json.dumps(sorted(json.dumps(place.schema) for place in places))
        ref = self._known.get(key)
        if ref is None:
            grammar = self._converter.grammar
            ref = self._known[key] = Ref(grammar.fresh(self._hint))
            grammar.rules[ref.name] = rules.NEVER  # The name is taken.
            grammar.rules[ref.name] = self._described(places)
        return ref

    def _described(self, places: list[Place]) -> Node:
        if len(places) == 1 and isinstance(places[0].schema, dict):
            (place,) = places
            words = set(place.schema) - ANNOTATIONS
            if words == {"$ref"}:
                return self.value([self._document.target(place)])
            if words == {"anyOf"}:
                options = range(len(place.schema["anyOf"]))
                return choice(*(self.value([place.under("anyOf", i)]) for i in options))
        return choice(*(self._flat(flat) for flat in self._flattener.flat(places)))

    def _flat(self, flat: Flat) -> Node:
        if flat.values is not None:
            return choice(*(self._converter.literal(v) for v in self._valid(flat)))
        parts: list[Node] = []
        if "null" in flat.types:
            parts.append(Text("null"))
        if "boolean" in flat.types:
            parts += [Text("true"), Text("false")]
        if "integer" in flat.types:
            parts.append(self._number(flat, whole="fraction" not in flat.types))
        if "string" in flat.types:
            parts.append(self._string(flat))
        if "array" in flat.types:
            parts.append(self._array(flat))
        if "object" in flat.types:
            parts.append(self._object(flat))
        return choice(*parts)

    def _valid(self, flat: Flat) -> list[Any]:
        """The values of `enum` and `const` that meet the other keywords."""
        assert flat.values is not None
        values = [value for value in flat.values if _types_of(value) & flat.types]
        if not flat.places:
            return values
        try:
            from jsonschema import Draft202012Validator
        except ImportError as error:
            raise MissingExtra(
                "a schema with `enum` beside other keywords needs jsonschema: "
                "pip install 'harmony-format[constrain]'"
            ) from error
        root = Draft202012Validator(self._document.root.schema)
        validators = [root.evolve(schema=place.schema) for place in flat.places]
        return [v for v in values if all(validator.is_valid(v) for validator in validators)]

    # ---- numbers and strings ---------------------------------------------------------------

    def _number(self, flat: Flat, *, whole: bool) -> Node:
        if not flat.bounds and not flat.multiples:
            return self._converter.common("integer" if whole else "number")
        multiples = []
        for value, path in flat.multiples:
            multiple = numbers.multiple_of(value)
            if multiple is None:
                self._problem("multipleOf", path, f"{value} has too many remainders")
            else:
                multiples.append(multiple)
        bounds = [(keyword, value) for keyword, value, _ in flat.bounds]
        try:
            machine = numbers.machine(bounds, multiples, whole=whole)
            return self._converter.number(machine, f"{self._hint}-number")
        except TooComplex:
            keyword, path = (
                ("multipleOf", flat.multiples[0][1]) if multiples else (flat.bounds[0][0::2])
            )
            self._problem(keyword, path, "the numbers are too many to tell apart")
            return self._converter.common("integer" if whole else "number")

    def _string(self, flat: Flat) -> Node:
        machines: list[Machine] = []
        for pattern, path in flat.patterns:
            machines += self._pattern(pattern, "pattern", path)
        for name, path in flat.formats:
            format_pattern = pattern_of(name)
            if format_pattern is None:
                self._problem("format", path, f"the format {name!r} is not known")
            else:
                machines.append(Pattern(format_pattern))
        least, most = flat.least.get("Length", 0), flat.most.get("Length")
        if most is not None and least > most:
            return rules.NEVER
        try:
            return self._converter.strings(machines, least, most)
        except TooComplex:
            if not flat.patterns or most or least:
                keyword = "maxLength" if most is not None else "minLength"
                path = below(flat.places[0].path, keyword)
            else:
                keyword, path = "pattern", flat.patterns[0][1]
            self._problem(keyword, path, "the automaton is too large")
            return self._converter.string()

    def _pattern(self, pattern: str, keyword: str, path: str) -> list[Machine]:
        try:
            return [Pattern(pattern)]
        except Irregular as error:
            self._problem(keyword, path, str(error))
        except TooComplex:
            self._problem(keyword, path, "the pattern is too long")
        return []

    # ---- arrays ----------------------------------------------------------------------------

    def _array(self, flat: Flat) -> Node:
        least, most = flat.least.get("Items", 0), flat.most.get("Items")
        if most is not None and least > most:
            return rules.NEVER
        count = max((len(group.first) for group in flat.items), default=0)
        if not flat.items and not least and most is None:
            return self._converter.common("array")
        converter = self._converter
        rest = self.value(self._item(flat, count))
        left = None if most is None else max(most - count, 0)
        # From the back: what may stand behind each of the first items.
        tail = converter.run(rest, max(least - count, 0), left, begun=count > 0)
        for index in reversed(range(count)):
            if most is not None and index >= most:
                tail = rules.EMPTY
                continue
            lead = converter.comma if index else converter.space
            tail = sequence(lead, self.value(self._item(flat, index)), tail)
            if index >= least:
                tail = choice(rules.EMPTY, tail)
        return converter.braced("[", tail, "]")

    @staticmethod
    def _item(flat: Flat, index: int) -> list[Place]:
        return [
            group.first[index] if index < len(group.first) else group.rest for group in flat.items
        ]

    # ---- objects ---------------------------------------------------------------------------

    def _object(self, flat: Flat) -> Node:
        least, most = flat.least.get("Properties", 0), flat.most.get("Properties")
        if not flat.members and not flat.required and not least and most is None:
            return self._converter.common("object")
        converter = self._converter
        names = dict.fromkeys(name for group in flat.members for name in group.properties)
        names |= dict.fromkeys(flat.required)
        members: list[tuple[Node, bool]] = []
        for name in names:
            value = self.value(self._applied(flat, name))
            node = converter.spaced(converter.key(name), Text(":"), value)
            members.append((node, name in flat.required))
        others = self._others(flat, list(names))
        needed = max(least - len(flat.required), 0)
        if needed > 1 and others != rules.NEVER:
            # Two equal keys are one property: how many there are cannot be counted.
            path = below(flat.places[0].path, "minProperties")
            self._problem("minProperties", path, "keys that are not declared cannot be counted")
            least = 0
        return self._counted(members, others, least, most)

    def _counted(
        self, members: list[tuple[Node, bool]], others: Node, least: int, most: int | None
    ) -> Node:
        """The object whose members are these in this order, and then ``others``."""
        converter = self._converter
        if least <= sum(required for _, required in members):
            least = 0  # Met by those that are required.
        counts = least > 0 or most is not None
        memo: dict[tuple[int, int], Node] = {}

        def behind(index: int, count: int) -> Node:
            """What may follow when ``count`` members (one or none, unless it matters) stand."""
            if (index, count) not in memo:
                memo[index, count] = converter.grammar.named(
                    f"{self._hint}-rest", _behind(index, count)
                )
            return memo[index, count]

        def _behind(index: int, count: int) -> Node:
            if index == len(members):
                left = None if most is None else most - count
                return converter.run(others, max(least - count, 0), left, begun=count > 0)
            node, required = members[index]
            after = count + 1 if counts else 1
            if most is not None and after > most:
                return rules.NEVER if required else behind(index + 1, count)
            lead = converter.comma if count else converter.space
            taken = sequence(lead, node, behind(index + 1, after))
            return taken if required else choice(taken, behind(index + 1, count))

        return converter.braced("{", behind(0, 0), "}")

    @staticmethod
    def _applied(flat: Flat, name: str) -> list[Place]:
        """The schemas that a property of this name has to meet."""
        found: list[Place] = []
        for group in flat.members:
            own = [group.properties[name]] if name in group.properties else []
            own += [place for pattern, place in group.patterns.items() if _found(pattern, name)]
            found += own or [group.additional]
        return found

    def _others(self, flat: Flat, names: list[str]) -> Node:
        """A member that no name declares: its key, and the value that the key asks for."""
        converter = self._converter
        patterns = list(dict.fromkeys(p for group in flat.members for p in group.patterns))
        machines: dict[str, Machine] = {}
        for pattern in patterns:
            path = below(flat.places[0].path, "patternProperties", pattern)
            for machine in self._pattern(pattern, "patternProperties", path):
                machines[pattern] = machine
        if len(machines) > MOST_PATTERNS:
            path = below(flat.places[0].path, "patternProperties")
            self._problem("patternProperties", path, "too many patterns may match one key")
            machines = {}
        parts: list[Node] = []
        excluded: list[Machine] = [Not(Words(frozenset(names)))] if names else []
        for chosen in itertools.product((True, False), repeat=len(machines)):
            matched = [pattern for pattern, yes in zip(machines, chosen, strict=True) if yes]
            places = [
                place
                for group in flat.members
                for place in (
                    [p for pattern, p in group.patterns.items() if pattern in matched]
                    or [group.additional]
                )
            ]
            if any(place.schema is False for place in places):
                continue
            kinds = [m if p in matched else Not(m) for p, m in machines.items()]
            try:
                key = converter.strings([*kinds, *excluded], 0, None)
            except TooComplex:
                path = below(flat.places[0].path, "patternProperties")
                self._problem("patternProperties", path, "the automaton is too large")
                continue
            parts.append(converter.spaced(key, Text(":"), self.value(places)))
        return choice(*parts)


def _found(pattern: str, name: str) -> bool:
    """Whether a pattern is found in a property's name."""
    try:
        machine = Pattern(pattern)
    except (Irregular, TooComplex):
        return False
    state = machine.start
    for letter in name:
        state = machine.step(state, ord(letter))
    return machine.accepts(state)


def _types_of(value: Any) -> set[str]:
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, (int, float)):
        return {"integer"} if value == int(value) else {"fraction"}
    if isinstance(value, str):
        return {"string"}
    return {"array" if isinstance(value, list) else "object"}
