"""The JSON Schemas of the dict forms, read off the attrs classes themselves.

Draft 2020-12. A field is described by its type; what the classes take beyond that, such as
a string in the place of contents, is added here.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from harmony import contents, events, messages, tools, transcript
from harmony.errors import UnknownName
from harmony.spec import load_spec

if TYPE_CHECKING:
    from harmony.spec import Spec

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAMES = {
    "conversation": messages.Conversation,
    "message": messages.Message,
    "diagnostic": transcript.Diagnostic,
    "events": None,
}
_SCALARS: dict[object, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
}
_NAMESPACE: dict[str, Any] = {
    name: value
    for module in (contents, messages, tools, transcript, events)
    for name, value in vars(module).items()
} | {"Any": Any, "NamedTuple": NamedTuple}


def json_schema(name: str, spec: Spec | None = None) -> dict[str, Any]:
    """The schema ``"conversation"``, ``"message"``, ``"diagnostic"`` or ``"events"``.

    ``spec`` says which roles there are; the library's own if None.

    Raises:
        UnknownName: there is no such schema.
    """
    if name not in _NAMES:
        raise UnknownName(f"no schema {name!r}; there are: {', '.join(_NAMES)}")
    kind = _NAMES[name]
    made = _Schemas(load_spec() if spec is None else spec)
    if kind is None:
        top = {"oneOf": [made.event(each) for each in typing.get_args(events.Event)]}
    else:
        top = made.of(kind)
    return {"$schema": DRAFT, "title": name, **top, "$defs": made.definitions}


class _Schemas:
    """Schemas of types; those of classes stand in `definitions`."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self.definitions: dict[str, Any] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type."""
        if kind in _SCALARS:
            return dict(_SCALARS[kind])
        if kind is Any:
            return {}
        if kind is transcript.TokenRange:
            return {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
        if kind is contents.Content:
            kinds = (contents.TextContent, contents.SystemContent, contents.DeveloperContent)
            return {"oneOf": [self.of(each) for each in kinds]}
        if kind is messages.Role:
            return {"enum": self._spec.role_names}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        if attrs.has(kind):
            return self._class(kind)
        return self._generic(kind)

    def _generic(self, kind: Any) -> dict[str, Any]:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        assert origin in (list, tuple, Sequence), kind
        return {"type": "array", "items": self.of(arguments[0])}

    def _class(self, kind: type[Any]) -> dict[str, Any]:
        name = kind.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # One that refers to itself ends here.
            self.definitions[name] = self._properties(kind)
        return {"$ref": f"#/$defs/{name}"}

    def _properties(self, kind: type[Any]) -> dict[str, Any]:
        hints = typing.get_type_hints(kind, _NAMESPACE)
        properties = {}
        required = []
        for field in attrs.fields(kind):
            if field.name.startswith("_"):
                continue  # `extra` of a message, below.
            properties[field.name] = self.of(hints[field.name])
            if field.default is attrs.NOTHING:
                required.append(field.name)
        tag = getattr(kind, "kind", None)
        if isinstance(tag, str):
            properties["type"] = {"const": tag}
            required.append("type")
        out = _object(kind, properties, required)
        if kind is messages.Message:
            self._as_read(out)
        elif kind is messages.Conversation:
            out["required"] = ["messages"]
        elif kind is transcript.Diagnostic:
            out["properties"] |= {"file": {"type": "string"}, "line": {"type": "integer"}}
        return out

    def _as_read(self, message: dict[str, Any]) -> None:
        """A message has its author's fields itself, and text may stand for its contents."""
        properties = message["properties"]
        del properties["author"]
        author = self._properties(messages.Author)["properties"]
        listed = properties.pop("content")
        text = {"type": "string"}
        listed["items"] = {"anyOf": [text, listed["items"]]}
        extra = {"type": "object", "additionalProperties": text}
        properties["extra"] = {"anyOf": [extra, {"type": "null"}]}
        message["properties"] = {**author, "content": {"anyOf": [text, listed]}, **properties}
        message["required"] = ["role", "content"]

    def event(self, kind: type[Any]) -> dict[str, Any]:
        """The schema of an event, as ``parse --stream`` writes it."""
        schema = self._properties(kind)
        schema["properties"] = {"event": {"const": events.event_name(kind)}, **schema["properties"]}
        schema["required"] = list(schema["properties"])
        return schema


def _object(kind: type[Any], properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": properties,
    }
    if required:
        out["required"] = required
    return out
