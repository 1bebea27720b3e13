"""JSON Schemas as trees: where a schema holds others, what its references mean, and whether
it is one at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from harmony.errors import InvalidSchema
from harmony.json_text import below, plain
from harmony.schema_references import References
from harmony.validation import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 100
TYPES = {
    "null": ("null",),
    "boolean": ("boolean",),
    "object": ("object",),
    "array": ("array",),
    "string": ("string",),
    "integer": ("integer",),
    "number": ("integer", "fraction"),
}
"""For each type of JSON Schema what it is made of; a number is an integer or is none."""

_ONE = frozenset(
    (
        "additionalProperties",
        "additionalItems",
        "contains",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedItems",
        "unevaluatedProperties",
        "contentSchema",
    )
)
_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_MAPS = frozenset(("properties", "patternProperties", "dependentSchemas"))
_DEFINITIONS = frozenset(("$defs", "definitions"))
_COUNTS = frozenset(
    (
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minContains",
        "maxContains",
    )
)
_NUMBERS = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"))
_TEXTS = frozenset(("pattern", "format", "$ref", "$anchor", "$id", "$dynamicRef"))

ANNOTATIONS = frozenset(
    (
        "$schema",
        "$id",
        "$anchor",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "$vocabulary",
        "$dynamicAnchor",
        "discriminator",
        "nullable",
        "strict",
        "x-guidance",
    )
)
"""Keywords that say nothing about which values are valid."""


@attrs.frozen
class Place:
    """A schema, and where it stands."""

    schema: Any
    """A dict or a bool."""
    path: str
    """Where, as a JSON pointer."""

    def under(self, *names: str | int) -> Place:
        """What stands below, at these keys or indices."""
        found = self.schema
        for name in names:
            found = found[name]
        return Place(found, below(self.path, *map(str, names)))

    def parts(self) -> Iterator[Place]:
        """The schemas that this one holds, definitions left out."""
        if not isinstance(self.schema, dict):
            return
        for keyword, value in self.schema.items():
            if keyword in _ONE or (keyword == "items" and not isinstance(value, list)):
                yield self.under(keyword)
            elif keyword in _LISTS or keyword == "items":
                yield from (self.under(keyword, index) for index in range(len(value)))
            elif keyword in _MAPS:
                yield from (self.under(keyword, name) for name in value)


class Document:
    """A whole JSON Schema, looked at once: every schema in it that is used is one.

    Raises:
        InvalidSchema: it is not valid; names the path.
    """

    def __init__(self, schema: object) -> None:
        self.root = Place(plain(schema, max_depth=MAX_DEPTH), "")
        self._references = References(self.root.schema, frozenset())
        self._anchors: dict[str, str] = {}
        self.places: list[Place] = []
        """Every schema that is used, the root first."""
        seen: set[str] = set()
        self._find_anchors(self.root)
        todo = [self.root]
        while todo:
            place = todo.pop()
            if place.path in seen:
                continue
            seen.add(place.path)
            check(place)
            self.places.append(place)
            todo += reversed(list(place.parts()))
            if isinstance(place.schema, dict) and "$ref" in place.schema:
                todo.append(self.target(place))

    def _find_anchors(self, place: Place) -> None:
        todo: list[tuple[Any, str]] = [(place.schema, place.path)]
        while todo:
            value, path = todo.pop()
            if isinstance(value, dict):
                if isinstance(value.get("$anchor"), str):
                    self._anchors[f"#{value['$anchor']}"] = path
                todo += [(item, below(path, key)) for key, item in value.items()]

    def target(self, place: Place) -> Place:
        """What the reference of a schema refers to. Raises `InvalidSchema`."""
        reference, path = place.schema["$ref"], below(place.path, "$ref")
        target = self._anchors.get(reference)
        if target is None:
            target = self._references.target(reference, path)
        return Place(self._references.at(target), target)


def check(place: Place) -> None:
    """That the keywords of one schema have values as they should. Raises `InvalidSchema`."""
    schema = place.schema
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise InvalidSchema(
            f"expected a schema, an object or a boolean, got {shortened(schema)}", path=place.path
        )
    for keyword, value in schema.items():
        expected = _expected(keyword, value)
        if expected:
            raise InvalidSchema(
                f"{keyword!r}: expected {expected}, got {shortened(value)}",
                path=below(place.path, keyword),
            )


def _expected(keyword: str, value: Any) -> str:  # noqa: PLR0911 (one answer a kind of keyword)
    """What should stand under ``keyword``; ``""`` if ``value`` is that."""
    if keyword == "type":
        names = value if isinstance(value, list) else [value]
        known = all(isinstance(name, str) and name in TYPES for name in names)
        return "" if known and names else f"a type, or a list of them: {', '.join(TYPES)}"
    if keyword in _COUNTS:
        whole = not isinstance(value, bool) and isinstance(value, (int, float)) and value >= 0
        return "" if whole and value == int(value) else "a number of 0 or more"
    if keyword in _NUMBERS:
        return "" if _is_number(value) else "a number"
    if keyword == "multipleOf":
        return "" if _is_number(value) and value > 0 else "a number above 0"
    if keyword in _TEXTS:
        return "" if isinstance(value, str) else "a string"
    if keyword in _MAPS or keyword in _DEFINITIONS:
        return "" if isinstance(value, dict) else "an object of schemas"
    if keyword in _LISTS:
        least = isinstance(value, list) and (value or keyword == "prefixItems")
        return "" if least else "a list of schemas"
    if keyword == "enum":
        return "" if isinstance(value, list) else "a list of values"
    if keyword == "required":
        texts = isinstance(value, list) and all(isinstance(name, str) for name in value)
        return "" if texts else "a list of names"
    if keyword == "uniqueItems":
        return "" if isinstance(value, bool) else "a boolean"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
