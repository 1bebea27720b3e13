"""JSON Schema ⇄ the TypeScript-like types of the tools section. Spec: [typescript]."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import attrs

from harmony.errors import InvalidSchema, InvalidType, UnknownName
from harmony.json_text import plain
from harmony.spec import load_spec
from harmony.text_grammar import first_difference
from harmony.typescript_complete import CompleteStyle
from harmony.typescript_complete_reader import read_complete_type
from harmony.typescript_reader import read_reference_type
from harmony.typescript_reference import ReferenceStyle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.spec import Spec

STYLES = ("reference", "complete")


@attrs.frozen
class TypeText:
    """A type as text, with the types that it refers to."""

    text: str
    """The type itself."""
    named: dict[str, str] = attrs.field(factory=dict)
    """The types that refer to themselves, by name; the reference style has none."""


def schema_to_type(
    schema: Mapping[str, Any],
    indent: str = "",
    *,
    style: str | None = None,
    spec: Spec | None = None,
    taken: Mapping[str, str | None] | None = None,
) -> TypeText:
    """The type that a JSON Schema is written as. Implements [typescript].

    Args:
        schema: a JSON Schema. In the reference style, what is none is written as ``any``.
        indent: what every line of the type but the first begins with.
        style: ``"reference"`` (the default) is text for text what openai-harmony writes;
            ``"complete"`` says all that TypeScript can say.
        spec: whose templates to use; the library's own if None.
        taken: the names that stand for something else where the type is to stand, each with
            the type that it stands for, if it does for one.

    Raises:
        InvalidSchema: ``schema`` holds what JSON cannot hold or is nested too deeply; in the
            complete style also where no type can say what it says. Names the path.
        UnknownName: there is no such style.
    """
    words = (spec or load_spec()).table("typescript")
    style = _known(style, words)
    try:
        value = plain(schema, max_depth=words["max_depth"])
        if style == "reference":
            return TypeText(ReferenceStyle(words).type_of(value, indent))
        others = taken or {}
        for number in count(1):
            writer = CompleteStyle(value, words, "" if number == 1 else f"_{number}")
            written = TypeText(writer.type(indent), writer.named)
            if all(others.get(n, t) == t for n, t in written.named.items()):
                return written
        raise AssertionError
    except RecursionError:
        raise InvalidSchema("the schema is nested too deeply") from None


def schema_to_typescript(
    schema: Mapping[str, Any],
    indent: str = "",
    *,
    style: str | None = None,
    spec: Spec | None = None,
) -> str:
    """The text of `schema_to_type`; what it refers to by name is declared in front of it."""
    written = schema_to_type(schema, indent, style=style, spec=spec)
    template = (spec or load_spec()).table("typescript")["named_type"]
    named = [template.format(name=name, type=text) for name, text in written.named.items()]
    return "\n\n".join([*named, written.text])


def typescript_to_schema(
    text: str,
    *,
    style: str | None = None,
    spec: Spec | None = None,
    declared: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON Schema that is written as ``text``. Implements [typescript].

    Many schemas are written alike; this gives one in canonical form, for which
    ``typescript_to_schema(schema_to_typescript(schema)) == schema``.

    Args:
        text: a type; in the complete style, declarations of named types may precede it.
        style: the style in which it is written; the reference's if None.
        spec: whose templates to use; the library's own if None.
        declared: named types that are declared elsewhere, by name.

    Raises:
        InvalidType: no schema is written as ``text``; names the offset from which on it
            departs.
        UnknownName: there is no such style.
    """
    spec = spec or load_spec()
    words = spec.table("typescript")
    style = _known(style, words)
    try:
        if style == "reference":
            schema = read_reference_type(text, words)
        else:
            schema = read_complete_type(text, words, declared or {})
        again = schema_to_type(schema, style=style, spec=spec)
    except InvalidSchema as error:
        raise InvalidType(f"the type stands for no schema: {error}") from None
    except RecursionError:
        raise InvalidType("the type is nested too deeply") from None
    for name, written in (declared or {}).items():
        if again.named.get(name, written) != written:
            raise InvalidType(f"the type {name} stands for no schema")
    template = words["named_type"]
    own = {name: t for name, t in again.named.items() if name not in (declared or {})}
    named = [template.format(name=name, type=written) for name, written in own.items()]
    whole = "\n\n".join([*named, again.text])
    if whole != text:
        offset = first_difference(whole, text)
        raise InvalidType(
            f"{text[offset : offset + 20]!r} where the schema that was read is written as "
            f"{whole[offset : offset + 20]!r}",
            offset=offset,
        )
    return schema


def _known(style: str | None, words: dict[str, Any]) -> str:
    style = str(words["default_style"]) if style is None else style
    if style not in STYLES:
        raise UnknownName(f"unknown schema style {style!r}; there are: {', '.join(STYLES)}")
    return style
