"""The reference style: what openai-harmony 0.0.8 writes for a JSON Schema, text for text.

It says little of a schema (`anyOf`, `$ref` and `const` become `any`) and escapes nothing,
but it is what gpt-oss was trained on. A property's `oneOf` is written one variant a line
below its key; a `oneOf` anywhere else one variant a line, each behind ` | `.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import attrs

from harmony.json_text import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harmony.json_text import Json

_VARIANT_INDENT = "   "
_MEMBER_INDENT = "    "


@attrs.frozen
class ReferenceStyle:
    """Writes schemas in the reference style."""

    words: dict[str, Any]
    """The table [typescript] of the spec."""

    def type_of(self, schema: Json, indent: str) -> str:
        """The type of ``schema``; its lines after the first begin with ``indent``."""
        if not isinstance(schema, dict):
            return str(self.words["unknown_type"])
        variants = schema.get("oneOf")
        if isinstance(variants, list):
            return "".join(f"\n{indent} | {text}" for text in self._variants(variants, indent))
        named = schema.get("type")
        if isinstance(named, list) and any(isinstance(name, str) for name in named):
            return self._union_of_types(named)
        if not isinstance(named, str):
            return str(self.words["unknown_type"])
        writers: dict[str, Callable[[dict[str, Json], str], str]] = {
            "object": self._object,
            "array": self._array,
            "string": lambda schema, _: self._string(schema),
        }
        if named in writers:
            return writers[named](schema, indent)
        return str(self.words["types"].get(named, self.words["unknown_type"]))

    def _union_of_types(self, names: list[Json]) -> str:
        # Here, unlike alone, "null" is `null` and "foo" is `foo`; only "integer" is renamed.
        known = self.words["types"]
        return " | ".join(known.get(name, name) for name in names if isinstance(name, str))

    def _string(self, schema: dict[str, Json]) -> str:
        values = schema.get("enum")
        literals = [f'"{v}"' for v in values if isinstance(v, str)] if _filled(values) else []
        return " | ".join(literals) or str(self.words["types"]["string"])

    def _array(self, schema: dict[str, Json], indent: str) -> str:
        if "items" not in schema:
            return str(self.words["untyped_array"])
        return f"{self.type_of(schema['items'], indent)}[]"

    def _object(self, schema: dict[str, Json], indent: str) -> str:
        opening = "".join(_comment(text, indent) for text in _texts(schema, "description"))
        members = "".join(self._members(schema, indent))
        return f"{opening}{{\n{members}{indent}}}"

    def _members(self, schema: dict[str, Json], indent: str) -> Iterator[str]:
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, dict):
            return
        needed = {r for r in required if isinstance(r, str)} if _filled(required) else set()
        for key, value in properties.items():
            member = key if key in needed else f"{key}?"
            if isinstance(value, dict):
                yield from (_comment(f"{t}\n{indent}//", indent) for t in _texts(value, "title"))
                if isinstance(value.get("oneOf"), list):
                    yield from self._union_member(member, value, indent)
                    continue
                if "oneOf" not in value:
                    yield from (_comment(text, indent) for text in _texts(value, "description"))
                yield from self._examples(value, indent)
            yield f"{indent}{member}: {self._nullable(value, indent + _MEMBER_INDENT)},"
            if isinstance(value, dict) and "oneOf" not in value:
                yield from (f" // {default}" for default in self._default(value))
            yield "\n"

    def _union_member(self, member: str, schema: dict[str, Json], indent: str) -> Iterator[str]:
        """A property with a ``oneOf``: comments, key, and one variant a line."""
        variants = schema["oneOf"]
        assert isinstance(variants, list)
        yield from self._examples(schema, indent)
        first = variants[0] if variants else None
        said = list(_texts(schema, "description"))
        above = said if said != list(_texts(first, "description")) else []
        yield from (_comment(text, indent) for text in above)
        yield from (_comment(default, indent) for default in self._default(schema))
        yield f"{indent}{member}:\n"
        for index, variant in enumerate(variants):
            notes = [] if above and index == 0 else list(_texts(variant, "description"))
            notes = [note for note in notes if note not in said]
            notes += self._default(variant)
            yield f"{indent} | {self._variant(variant, notes, indent)}\n"
        yield f"{indent},\n"

    def _variants(self, variants: list[Json], indent: str) -> Iterator[str]:
        for variant in variants:
            notes = [*_texts(variant, "description"), *self._default(variant, quoted=True)]
            yield self._variant(variant, notes, indent)

    def _variant(self, variant: Json, notes: list[str], indent: str) -> str:
        text = self._nullable(variant, indent + _VARIANT_INDENT)
        return f"{text} // {' '.join(notes)}" if notes else text

    def _nullable(self, schema: Json, indent: str) -> str:
        text, null = self.type_of(schema, indent), self.words["null_type"]
        # `null` may also stand in a literal or a comment; the reference looks no closer.
        if isinstance(schema, dict) and schema.get("nullable") is True and null not in text:
            return f"{text} | {null}"
        return text

    def _default(self, schema: Json, *, quoted: bool = False) -> Iterator[str]:
        """The default as a comment: JSON, but a string stands unescaped.

        Of an enum it stands without quotes too, or ``quoted`` as JSON.
        """
        if not isinstance(schema, dict) or "default" not in schema:
            return
        value = schema["default"]
        written = compact(value)
        if isinstance(value, str):
            if not _filled(schema.get("enum")):
                written = f'"{value}"'
            elif not quoted:
                written = value
        yield self.words["default_comment"].format(value=written)

    def _examples(self, schema: dict[str, Json], indent: str) -> Iterator[str]:
        examples = schema.get("examples")
        if not _filled(examples):
            return
        yield _comment(self.words["examples_comment"], indent)
        for example in examples:
            if isinstance(example, str):
                yield _comment(self.words["example_comment"].format(example=example), indent)


def _comment(text: str, indent: str) -> str:
    return f"{indent}// {text}\n"


def _texts(schema: Json, keyword: str) -> Iterator[str]:
    """The value of ``keyword``, if it is there and a string."""
    text = schema.get(keyword) if isinstance(schema, dict) else None
    if isinstance(text, str):
        yield text


def _filled(value: Json) -> TypeGuard[list[Json]]:
    return isinstance(value, list) and bool(value)
