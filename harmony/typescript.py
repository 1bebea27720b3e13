"""JSON Schema ⇄ the TypeScript-like types of the tools section. Spec: [typescript]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.errors import InvalidSchema, InvalidType, UnknownName
from harmony.json_text import plain
from harmony.spec import load_spec
from harmony.text_grammar import first_difference
from harmony.typescript_reader import read_reference_type
from harmony.typescript_reference import ReferenceStyle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.spec import Spec

STYLES = ("reference", "complete")


def schema_to_typescript(
    schema: Mapping[str, Any],
    indent: str = "",
    *,
    style: str | None = None,
    spec: Spec | None = None,
) -> str:
    """The type that a JSON Schema is written as. Implements [typescript].

    Args:
        schema: a JSON Schema. What is not one is written as the unknown type, ``any``.
        indent: what every line of the type begins with.
        style: ``"reference"`` (the default) is text for text what openai-harmony writes;
            ``"complete"`` says all that TypeScript can say.
        spec: whose templates to use; the library's own if None.

    Raises:
        InvalidSchema: ``schema`` holds what JSON cannot hold or is nested too deeply; in the
            complete style also where no type can say what it says. Names the path.
        UnknownName: there is no such style.
    """
    table = (spec or load_spec()).table("typescript")
    style = table["default_style"] if style is None else style
    if style not in STYLES:
        raise UnknownName(f"unknown schema style {style!r}; there are: {', '.join(STYLES)}")
    try:
        value = plain(schema, max_depth=table["max_depth"])
        return ReferenceStyle(table).type_of(value, indent)
    except RecursionError:
        raise InvalidSchema("the schema is nested too deeply") from None


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

    Raises:
        InvalidType: no schema is written as ``text``; names the offset from which on it
            departs.
        UnknownName: there is no such style.
    """
    spec = spec or load_spec()
    table = spec.table("typescript")
    try:
        schema = read_reference_type(text, table)
        again = schema_to_typescript(schema, style=style, spec=spec)
    except InvalidSchema as error:
        raise InvalidType(f"the type stands for no schema: {error}") from None
    except RecursionError:
        raise InvalidType("the type is nested too deeply") from None
    if again != text:
        offset = first_difference(again, text)
        raise InvalidType(
            f"{text[offset : offset + 20]!r} where the schema that was read is written as "
            f"{again[offset : offset + 20]!r}",
            offset=offset,
        )
    return schema
