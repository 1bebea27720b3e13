"""Response formats, in the forms in which callers have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from harmony.contents import ResponseFormat
from harmony.errors import InvalidMessage
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

Format: TypeAlias = "ResponseFormat | Mapping[str, Any] | bool"
Formats: TypeAlias = "Format | Sequence[Format] | None"
# What a caller may hand in as the declared response format; of several, one holds.

_TEXT, _OBJECT, _SCHEMA = "text", "json_object", "json_schema"


def format_schemas(formats: Formats) -> tuple[Any, ...] | None:
    """The JSON Schemas of response formats; None if none are declared.

    A format is a JSON Schema, a `ResponseFormat`, or what the Chat Completions and Responses
    interfaces take: ``{"type": "json_schema", "json_schema": {"schema": …}}``,
    ``{"type": "json_schema", "schema": …}``, ``{"type": "json_object"}``, ``{"type": "text"}``.

    Raises:
        InvalidMessage: it is none of these.
    """
    if formats is None:
        return None
    given = formats if isinstance(formats, (list, tuple)) else [formats]
    schemas = [schema for each in given for schema in _schemas(each)]
    return tuple(schemas) or None


def _schemas(format: object) -> list[Any]:
    if isinstance(format, ResponseFormat):
        return [format.schema]
    if isinstance(format, bool):
        return [format]
    if not isinstance(format, Mapping):
        raise InvalidMessage(
            "response_format: expected a JSON Schema, a ResponseFormat, or a list of them, "
            f"got {type_name(format)}: {shortened(format)}"
        )
    kind = format.get("type")
    if kind == _TEXT:
        return []
    if kind == _OBJECT:
        return [{"type": "object"}]
    if kind != _SCHEMA:
        return [dict(format)]
    inner = format.get(_SCHEMA, format)
    if not isinstance(inner, Mapping) or "schema" not in inner:
        raise InvalidMessage(
            f"response_format: a format of type {_SCHEMA!r} has no schema: {shortened(format)}"
        )
    return [inner["schema"]]
