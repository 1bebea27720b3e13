"""Schemas taken apart: references, `allOf`, `anyOf` and `oneOf` merged away.

What several schemas demand of one value is a list of `Flat`s, of which the value has to meet
one. In a `Flat` every keyword stands once, merged where that can be decided.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from harmony.constrain.schema_places import ANNOTATIONS, TYPES, Place
from harmony.json_text import below, compact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.constrain.schema_places import Document

MOST_ALTERNATIVES = 100
ALL_TYPES = frozenset(part for parts in TYPES.values() for part in parts)
UNSUPPORTED = frozenset(
    (
        "not",
        "if",
        "uniqueItems",
        "contains",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
    )
)
"""Keywords that no grammar here can express."""
ANYTHING = Place(True, "")


class Problems(Protocol):
    """What is told of keywords that cannot be expressed: it raises, or takes a note."""

    def __call__(self, keyword: str, path: str, reason: str) -> None:
        """``path`` is that of the keyword."""


@attrs.frozen
class Members:
    """What one schema says about the properties of an object."""

    properties: dict[str, Place]
    patterns: dict[str, Place]
    additional: Place


@attrs.frozen
class Items:
    """What one schema says about the items of an array."""

    first: tuple[Place, ...]
    rest: Place


@attrs.frozen
class Flat:
    """What a value has to be, keyword by keyword."""

    types: frozenset[str] = ALL_TYPES
    """The parts of types, see `TYPES`."""
    values: tuple[Any, ...] | None = None
    """Just these, if not None: of `enum` and `const`."""
    places: tuple[Place, ...] = ()
    """The schemas that this was made of."""
    bounds: tuple[tuple[str, Any, str], ...] = ()
    """Of numbers: keyword, value, path."""
    multiples: tuple[tuple[Any, str], ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    """Of strings: the pattern, and its path."""
    formats: tuple[tuple[str, str], ...] = ()
    least: dict[str, int] = attrs.field(factory=dict)
    """By `Length`, `Items`, `Properties`: at least so many."""
    most: dict[str, int] = attrs.field(factory=dict)
    members: tuple[Members, ...] = ()
    required: tuple[str, ...] = ()
    items: tuple[Items, ...] = ()

    def with_(self, other: Flat) -> Flat | None:
        """What meets both; None if nothing does."""
        types = self.types & other.types
        values = self.values
        if other.values is not None:
            known = {compact(value) for value in other.values}
            kept = self.values if self.values is not None else other.values
            values = tuple(value for value in kept if compact(value) in known)
        if not types or values == ():
            return None
        keys = {*self.least, *other.least}
        tops = {*self.most, *other.most}
        return Flat(
            types=types,
            values=values,
            places=self.places + other.places,
            bounds=self.bounds + other.bounds,
            multiples=self.multiples + other.multiples,
            patterns=self.patterns + other.patterns,
            formats=self.formats + other.formats,
            least={k: max(self.least.get(k, 0), other.least.get(k, 0)) for k in keys},
            most={k: min(f.most[k] for f in (self, other) if k in f.most) for k in tops},
            members=self.members + other.members,
            required=tuple(dict.fromkeys(self.required + other.required)),
            items=self.items + other.items,
        )


class Flattener:
    """Takes the schemas of one document apart."""

    def __init__(self, document: Document, problem: Problems) -> None:
        self._document = document
        self._problem = problem

    def flat(self, places: Iterable[Place], entered: frozenset[str] = frozenset()) -> list[Flat]:
        """The alternatives that meet all of ``places``; none if nothing can."""
        found = [Flat()]
        for place in places:
            alternatives = self._alternatives(place, entered)
            pairs = itertools.product(found, alternatives)
            found = [both for one, other in pairs if (both := one.with_(other)) is not None]
            if len(found) > MOST_ALTERNATIVES:
                self._problem("anyOf", place.path, "it has too many combinations")
                found = found[:1]
        return found

    def _alternatives(self, place: Place, entered: frozenset[str]) -> list[Flat]:
        schema = place.schema
        if isinstance(schema, bool):
            return [Flat()] if schema else []
        found = [self._own(place)]
        groups: list[list[Flat]] = []
        if "$ref" in schema:
            target = self._document.target(place)
            if target.path in entered:
                return []  # `{"$ref": "#"}`: no value is described.
            groups.append(self.flat([target], entered | {target.path}))
        every = range(len(schema.get("allOf", ())))
        groups += [self.flat([place.under("allOf", index)], entered) for index in every]
        for keyword in ("anyOf", "oneOf"):
            if keyword not in schema:
                continue
            parts = [place.under(keyword, index) for index in range(len(schema[keyword]))]
            if keyword == "oneOf":
                self.check_one_of(place)
            groups.append([flat for part in parts for flat in self.flat([part], entered)])
        for group in groups:
            pairs = itertools.product(found, group)
            found = [both for one, other in pairs if (both := one.with_(other)) is not None]
        return found

    def _own(self, place: Place) -> Flat:
        """What the keywords of one schema say, those that hold alternatives left out."""
        schema, path = place.schema, place.path
        for keyword in schema:
            if keyword in UNSUPPORTED and not harmless(keyword, schema):
                reason = "no grammar can express it"
                self._problem(keyword, below(path, keyword), reason)
        names = schema.get("type", list(TYPES))
        types = {part for name in ([names] if isinstance(names, str) else names)
                 for part in TYPES[name]}  # fmt: skip
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        kinds = ("Length", "Items", "Properties")
        bounds = [(k, schema[k], below(path, k)) for k in BOUNDS if k in schema]
        return Flat(
            types=frozenset(types),
            values=None if values is None else tuple(values),
            places=(place,) if set(schema) - ANNOTATIONS - {"type", "enum", "const"} else (),
            bounds=tuple(bounds),
            multiples=_listed(schema, "multipleOf", path),
            patterns=_listed(schema, "pattern", path),
            formats=_listed(schema, "format", path),
            least={kind: int(schema[f"min{kind}"]) for kind in kinds if f"min{kind}" in schema},
            most={kind: int(schema[f"max{kind}"]) for kind in kinds if f"max{kind}" in schema},
            members=_members(place),
            required=tuple(schema.get("required", ())),
            items=_items(place),
        )

    def check_one_of(self, place: Place) -> bool:
        """Whether no value meets two of the alternatives of `oneOf`; else that is a problem."""
        alternatives = [
            self.flat([place.under("oneOf", index)]) for index in range(len(place.schema["oneOf"]))
        ]
        for one, other in itertools.combinations(alternatives, 2):
            if not all(disjoint(a, b) for a in one for b in other):
                self._problem(
                    "oneOf", below(place.path, "oneOf"), "its alternatives may overlap; use anyOf"
                )
                return False
        return True


BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def harmless(keyword: str, schema: dict[str, Any]) -> bool:
    """Whether a keyword that cannot be expressed says nothing here."""
    value = schema[keyword]
    if keyword in ("uniqueItems", "not"):
        return value is False
    if keyword in ("unevaluatedItems", "unevaluatedProperties", "propertyNames"):
        return value is True or value == {}
    if keyword == "if":
        return "then" not in schema and "else" not in schema
    return keyword in ("dependentRequired", "dependentSchemas", "dependencies") and not value


def _listed(schema: dict[str, Any], keyword: str, path: str) -> tuple[tuple[Any, str], ...]:
    return ((schema[keyword], below(path, keyword)),) if keyword in schema else ()


def _members(place: Place) -> tuple[Members, ...]:
    schema = place.schema
    keywords = ("properties", "patternProperties", "additionalProperties")
    if not any(keyword in schema for keyword in keywords):
        return ()
    named = {k: place.under("properties", k) for k in schema.get("properties", ())}
    matched = {k: place.under("patternProperties", k) for k in schema.get("patternProperties", ())}
    rest = place.under("additionalProperties") if "additionalProperties" in schema else ANYTHING
    return (Members(named, matched, rest),)


def _items(place: Place) -> tuple[Items, ...]:
    schema = place.schema
    if not any(keyword in schema for keyword in ("items", "prefixItems")):
        return ()
    # Before 2020 `prefixItems` was a list under `items`, and `items` was `additionalItems`.
    old = isinstance(schema.get("items"), list)
    first, rest = ("items", "additionalItems") if old else ("prefixItems", "items")
    places = tuple(place.under(first, index) for index in range(len(schema.get(first, ()))))
    return (Items(places, place.under(rest) if rest in schema else ANYTHING),)


def disjoint(one: Flat, other: Flat) -> bool:
    """Whether it is plain that no value meets both."""
    types = one.types & other.types
    if not types:
        return True
    if one.values is not None and other.values is not None:
        known = {compact(value) for value in one.values}
        return not any(compact(value) in known for value in other.values)
    if types != {"object"}:
        return False
    for name in {*one.required, *other.required}:
        first, second = _property(one, name), _property(other, name)
        if (name in one.required and second is False) or (
            name in other.required and first is False
        ):
            return True
        if name in one.required and name in other.required and _apart(first, second):
            return True
    return False


def _property(flat: Flat, name: str) -> Any:
    """The schema of a property; None if several say something of it."""
    found = [m.properties.get(name, m.additional).schema for m in flat.members if not m.patterns]
    return found[0] if len(found) == 1 and len(flat.members) == 1 else None


def _apart(one: Any, other: Any) -> bool:
    """Whether two schemas name values, and none that both name."""
    sets = []
    for schema in (one, other):
        if not isinstance(schema, dict) or not {"const", "enum"} & set(schema):
            return False
        values = [schema["const"]] if "const" in schema else schema["enum"]
        sets.append({compact(value) for value in values})
    return not sets[0] & sets[1]
