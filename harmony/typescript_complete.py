"""The complete style: a JSON Schema as TypeScript that the compiler accepts.

An instance of the schema has the type; what a type cannot say is a remark above it
(harmony/typescript_remarks.py). Two readings of a schema are a matter of choice: without a
``type``, ``properties`` mean an object and ``items`` an array; and an object is closed where
``additionalProperties`` is missing, as its author most often means it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from harmony.errors import InvalidSchema
from harmony.json_text import below
from harmony.schema_references import References
from harmony.type_text import INTERSECTION, UNION, WHOLE, Written, member
from harmony.typescript_remarks import remarks, written_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harmony.json_text import Json

_VARIANT_INDENT = "   "
_MEMBER_INDENT = "    "
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_OBJECT_KEYWORDS = ("properties", "required", "additionalProperties", "patternProperties")
_ARRAY_KEYWORDS = ("items", "prefixItems")
_NOTES = frozenset(
    {"title", "description", "examples", "default", "nullable", "$defs", "definitions"}
)


@attrs.define(eq=False)
class CompleteStyle:
    """Writes one schema in the complete style."""

    root: Json
    words: dict[str, Any]
    """The table [typescript] of the spec."""
    suffix: str = ""
    """What the names of its types end with, where others have taken them."""
    named: dict[str, str] = attrs.field(factory=dict, init=False)
    """The types that have a name, in the order in which they were first referred to."""
    _references: References = attrs.field(init=False)
    _inlined: list[str] = attrs.field(factory=lambda: [""], init=False)
    _waiting: list[str] = attrs.field(factory=list, init=False)
    _bare: set[str] = attrs.field(factory=set, init=False)
    _inside: int = attrs.field(default=0, init=False)
    _count: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._references = References(self.root, frozenset(self.words["reserved"]))

    def type(self, indent: str) -> str:
        """The type of the whole schema; fills `named`. Raises `InvalidSchema`."""
        text = self._write(self.root, "", indent).annotated(indent)
        refers: dict[str, set[str]] = {}
        # More are referred to while these are written.
        for path in self._waiting:
            self._bare, self._inlined = set(), [path]
            written = self._write(self._references.at(path), path, indent)
            self.named[self._name(path)] = written.annotated(indent)
            refers[path] = self._bare
        self._refuse_empty_circles(refers)
        return text

    def _refuse_empty_circles(self, refers: dict[str, set[str]]) -> None:
        # TypeScript refuses `type A = A | string;`: nothing stands between A and itself.
        for path in refers:
            reached: set[str] = set()
            waiting = [path]
            while waiting:
                found = refers[waiting.pop()] - reached
                reached |= found
                waiting += found
            if path in reached:
                raise InvalidSchema("the definition is nothing but itself", path=path)

    def _name(self, path: str) -> str:
        return self._references.type_names[path] + self.suffix

    # ---- any schema ------------------------------------------------------------------------

    def _write(self, schema: Json, path: str, indent: str) -> Written:
        if schema is True:
            return Written(str(self.words["unknown_type"]))
        if schema is False:
            raise InvalidSchema(
                "the schema `false` allows nothing, and no type says that", path=path
            )
        if not isinstance(schema, dict):
            raise InvalidSchema("a schema is an object or a boolean", path=path)
        self._count += 1
        if self._count > self.words["max_schemas"]:
            raise InvalidSchema("the schema is too large, its references written out", path=path)
        if "$ref" in schema:
            target = self._references.target(schema["$ref"], below(path, "$ref"))
            if not self._references.is_named(target):
                return self._inline(schema, target, path, indent)
        if schema.get("nullable") is True:
            null = Written(str(self.words["null_type"]))
            core = self._core(schema, path, indent)
            variants = core.alternatives or (self._core(schema, path, indent + _VARIANT_INDENT),)
            core = self._union([*variants, null], indent)
        else:
            core = self._core(schema, path, indent)
        return self._with_remarks(core, schema, indent)

    def _with_remarks(self, core: Written, schema: dict[str, Json], indent: str) -> Written:
        own = remarks(schema, self.words, self._said(schema))
        default = None
        if "default" in schema:
            value = written_json(schema["default"])
            default = self.words["default_comment"].format(value=value)
        if not own and default is None:
            return core
        if core.remarks or core.default is not None:
            core = Written(core.operand(WHOLE, indent))
        return attrs.evolve(core, remarks=tuple(own), default=default)

    def _said(self, schema: dict[str, Json]) -> set[str]:
        """The keywords among the remarks that the type says."""
        types = schema.get("type")
        integer = types == "integer" or (isinstance(types, list) and "integer" in types)
        said = set() if integer and "enum" not in schema and "const" not in schema else {"type"}
        if isinstance(prefix := schema.get("prefixItems", schema.get("items")), list):
            least = schema.get("minItems")
            if isinstance(least, int) and least <= len(prefix):
                said.add("minItems")
        return said

    def _core(self, schema: dict[str, Json], path: str, indent: str) -> Written:
        return self._intersection(self._parts(schema, path, indent), indent)

    def _parts(self, schema: dict[str, Json], path: str, indent: str) -> list[Written]:
        """What the keywords say, each for itself: an instance has all these types."""
        parts: list[Written] = []
        if "$ref" in schema:
            parts.append(self._refer(self._references.target(schema["$ref"], path)))
        if "const" in schema:
            parts.append(self._value(schema["const"], below(path, "const"), indent))
        elif "enum" in schema:
            parts.append(self._enum(schema, path, indent))
        else:
            parts += self._typed(schema, path, indent)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                variants = list(self._listed(schema, keyword, path))
                if not variants:
                    place = below(path, keyword)
                    raise InvalidSchema(f"an empty `{keyword}` allows nothing", path=place)
                parts.append(self._union_of(self._write, variants, indent))
        for item, place in self._listed(schema, "allOf", path):
            parts.append(self._write(item, place, indent))
        return parts

    def _intersection(self, parts: list[Written], indent: str) -> Written:
        if not parts:
            return Written(str(self.words["unknown_type"]))
        if len(parts) == 1:
            return parts[0]
        return Written(" & ".join(p.operand(INTERSECTION, indent) for p in parts), INTERSECTION)

    def _union_of(
        self,
        write: Callable[[Json, str, str], Written],
        variants: list[tuple[Json, str]],
        indent: str,
    ) -> Written:
        """The union of what ``write`` makes of the variants."""
        written = [write(v, p, indent + _VARIANT_INDENT) for v, p in variants]
        union = self._union(written, indent)
        # Of several that are written alike one is left: it stands alone, and less deep.
        is_alone = any(union is variant for variant in written)
        return write(*variants[0], indent) if is_alone else union

    def _union(self, variants: list[Written], indent: str) -> Written:
        found: list[Written] = []
        for variant in variants:
            inner = variant.alternatives if variant.is_one_line else ()
            found += [one for one in inner or (variant,) if one not in found]
        if len(found) == 1:
            return found[0]
        if all(variant.is_one_line for variant in found):
            text = " | ".join(variant.operand(INTERSECTION, indent) for variant in found)
        else:
            inside = indent + _VARIANT_INDENT
            lines = []
            for variant in found:
                # Comments stand between the bar and the type; a union in a union is in parentheses.
                core = Written(variant.text, variant.strength).operand(INTERSECTION, inside)
                lines.append(f"\n{indent} | {attrs.evolve(variant, text=core).annotated(inside)}")
            text = "".join(lines)
        return Written(text, UNION, alternatives=tuple(found))

    def _listed(
        self, schema: dict[str, Json], keyword: str, path: str
    ) -> Iterator[tuple[Json, str]]:
        """The items of ``keyword``, each with its place; none if it is missing."""
        items = schema.get(keyword, [])
        place = below(path, keyword)
        if not isinstance(items, list):
            raise InvalidSchema(f"`{keyword}` is a list", path=place)
        for index, item in enumerate(items):
            yield item, below(place, str(index))

    # ---- references ------------------------------------------------------------------------

    def _refer(self, target: str) -> Written:
        if target not in self._waiting:
            self._waiting.append(target)
        if not self._inside:
            self._bare.add(target)
        return Written(self._name(target))

    def _inline(self, schema: dict[str, Json], target: str, path: str, indent: str) -> Written:
        if target in self._inlined:
            raise InvalidSchema(
                f"the reference '#{target}' goes in a circle, and has no name: "
                "put the schema in `$defs`",
                path=below(path, "$ref"),
            )
        self._inlined.append(target)
        others = {key: value for key, value in schema.items() if key != "$ref"}
        found = self._references.at(target)
        if (
            isinstance(found, dict)
            and others.get("type", found.get("type")) == found.get("type")
            and _NOTES.union(self.words["remarks"]).issuperset(others)
        ):
            # What is said where the reference stands goes before what is said at its target.
            written = self._write({**found, **others}, target, indent)
        else:
            nullable = others.get("nullable") is True
            inside = indent + _VARIANT_INDENT if nullable else indent
            beside = {**others, "allOf": others.get("allOf", [])}
            parts = [self._write(found, target, inside), *self._parts(beside, path, inside)]
            core = self._intersection(parts, inside)
            if nullable:
                core = self._union([core, Written(str(self.words["null_type"]))], indent)
            written = self._with_remarks(core, others, indent)
        self._inlined.pop()
        return written

    # ---- values ----------------------------------------------------------------------------

    def _enum(self, schema: dict[str, Json], path: str, indent: str) -> Written:
        listed = list(self._listed(schema, "enum", path))
        kinds = set(self._types(schema, path))
        fitting = [(v, p) for v, p in listed if not kinds or kinds & _kinds_of(v)]
        if not fitting:
            raise InvalidSchema("an enum without a value allows nothing", path=below(path, "enum"))
        return self._union_of(self._value, fitting, indent)

    def _value(self, value: Json, path: str, indent: str) -> Written:
        if isinstance(value, dict):
            members: Json = {key: {"const": item} for key, item in value.items()}
            return self._object({"properties": members, "required": [*value]}, path, indent)
        if isinstance(value, list):
            items: Json = [{"const": item} for item in value]
            schema: dict[str, Json] = {"prefixItems": items, "items": False, "minItems": len(value)}
            return self._array(schema, path, indent)
        return Written(written_json(value))

    # ---- types -----------------------------------------------------------------------------

    def _types(self, schema: dict[str, Json], path: str) -> list[str]:
        named = schema.get("type", [])
        names = named if isinstance(named, list) else [named]
        known = {*self.words["types"], self.words["null_type"], "object", "array"}
        for name in names:
            if not isinstance(name, str) or name not in known:
                raise InvalidSchema(f"there is no type {name!r}", path=below(path, "type"))
        return [*map(str, names)]

    def _typed(self, schema: dict[str, Json], path: str, indent: str) -> list[Written]:
        """What ``type`` and the keywords of objects and arrays say: nothing, or one type."""
        names = self._types(schema, path)
        if not names:
            names += ["object"] * any(keyword in schema for keyword in _OBJECT_KEYWORDS)
            names += ["array"] * any(keyword in schema for keyword in _ARRAY_KEYWORDS)
        elif (
            names == ["object"]
            and not any(keyword in schema for keyword in _OBJECT_KEYWORDS)
            and any(keyword in schema for keyword in ("$ref", "oneOf", "anyOf", "allOf"))
        ):
            # `{}` says nothing beside what else the object has to be.
            return []
        if not names:
            return []

        def write(name: Json, path: str, indent: str) -> Written:
            return self._of_type(str(name), schema, path, indent)

        return [self._union_of(write, [(name, path) for name in names], indent)]

    def _of_type(self, name: str, schema: dict[str, Json], path: str, indent: str) -> Written:
        self._inside += 1
        try:
            if name == "object":
                return self._object(schema, path, indent)
            if name == "array":
                return self._array(schema, path, indent)
        finally:
            self._inside -= 1
        return Written(str(self.words["types"].get(name, name)))

    def _array(self, schema: dict[str, Json], path: str, indent: str) -> Written:
        items, place = schema.get("items", True), below(path, "items")
        prefix = list(self._listed(schema, "prefixItems", path))
        if isinstance(items, list):
            # Before draft 2020-12, `items` was `prefixItems`, and `additionalItems` the rest.
            prefix = list(self._listed(schema, "items", path))
            items, place = schema.get("additionalItems", True), below(path, "additionalItems")
        if not prefix and items is not False:
            return Written(f"{self._write(items, place, indent).operand(WHOLE, indent)}[]")
        most, least = schema.get("maxItems"), schema.get("minItems")
        if isinstance(most, int) and most <= len(prefix):
            prefix, items = prefix[:most], False
        elements = []
        for index, (item, item_place) in enumerate(prefix):
            written = self._write(item, item_place, indent)
            if isinstance(least, int) and index < least:
                elements.append(written.operand(UNION, indent))
            else:
                elements.append(f"{written.operand(WHOLE, indent)}?")
        if items is not False:
            elements.append(f"...{self._write(items, place, indent).operand(WHOLE, indent)}[]")
        return Written(f"[{', '.join(elements)}]")

    def _object(self, schema: dict[str, Json], path: str, indent: str) -> Written:
        properties = schema.get("properties", {})
        place = below(path, "properties")
        if not isinstance(properties, dict):
            raise InvalidSchema("`properties` is an object", path=place)
        required = {}
        for name, name_place in self._listed(schema, "required", path):
            if not isinstance(name, str):
                raise InvalidSchema("`required` is a list of strings", path=name_place)
            required[name] = True
        lines = []
        for key, value in properties.items():
            written = self._write(value, below(place, key), indent + _MEMBER_INDENT)
            name = key if _IDENTIFIER.fullmatch(key) else written_json(key)
            lines.append(member(name if key in required else f"{name}?", written, indent))
        for key in required:
            if key not in properties:
                name = key if _IDENTIFIER.fullmatch(key) else written_json(key)
                lines.append(member(name, Written(self.words["unknown_type"]), indent))
        lines += self._others(schema, path, indent, alone=not lines)
        return Written("{\n" + "".join(lines) + indent + "}")

    def _others(
        self, schema: dict[str, Json], path: str, indent: str, *, alone: bool
    ) -> Iterator[str]:
        """The index signature, for the properties that have no name."""
        others = schema.get("additionalProperties", False)
        unknown = Written(str(self.words["unknown_type"]))
        if "patternProperties" in schema:
            written = unknown
        elif others is False:
            return
        else:
            inside = indent + _MEMBER_INDENT
            written = self._write(others, below(path, "additionalProperties"), inside)
            if not alone and written.text != unknown.text:
                # An index signature holds for the named members too, and theirs may differ.
                variant = self._write(
                    others, below(path, "additionalProperties"), inside + _VARIANT_INDENT
                )
                written = self._union([variant, unknown], inside)
        yield member(self.words["index_signature"], written, indent)


def _kinds_of(value: Json) -> set[str]:
    """The types of JSON Schema that ``value`` has."""
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, (int, float)):
        return {"number", "integer"} if value == int(value) else {"number"}
    return (
        {"string"} if isinstance(value, str) else {"object" if isinstance(value, dict) else "array"}
    )
