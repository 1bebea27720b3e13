"""Tools and their namespaces. Spec: [[namespaces]], [tools_section]."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from harmony.errors import InvalidMessage
from harmony.spec import load_spec
from harmony.validation import is_a, list_of, mapping, type_name


def as_dict(value: object) -> dict[str, Any] | None:
    """A converter: any mapping as a dict; everything else as it is, for a validator."""
    return dict(value) if isinstance(value, Mapping) else value  # type: ignore[return-value]


@attrs.define(on_setattr=attrs.setters.NO_OP)
class ToolDescription:
    """One tool: its name, what it does, and the JSON Schema of its parameters."""

    name: str = attrs.field(validator=is_a(str))
    """The name within its namespace: ``"get_weather"``."""
    description: str = attrs.field(validator=is_a(str))
    """What it does; may have several lines."""
    parameters: dict[str, Any] | None = attrs.field(
        default=None, converter=as_dict, validator=is_a(dict, optional=True)
    )
    """A JSON Schema of type ``object``, or None for a tool that takes nothing."""

    @classmethod
    def new(
        cls, name: str, description: str, parameters: dict[str, Any] | None = None
    ) -> ToolDescription:
        """A tool of these fields."""
        return cls(name=name, description=description, parameters=parameters)

    def to_dict(self) -> dict[str, Any]:
        """The dict form: the fields that are set."""
        attrs.validate(self)
        out: dict[str, Any] = {"name": self.name, "description": self.description}
        if self.parameters is not None:
            out["parameters"] = self.parameters
        return out


def _tool(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    try:
        return ToolDescription(value["name"], value["description"], value.get("parameters"))
    except KeyError as error:
        raise InvalidMessage(f"ToolDescription: the field {error} is missing") from None


def _tools(value: object) -> object:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_tool(item) for item in value]
    return value


@attrs.define(on_setattr=attrs.setters.NO_OP)
class ToolNamespaceConfig:
    """A namespace of tools: ``functions``, or a built-in one. Spec: [[namespaces]]."""

    name: str = attrs.field(validator=is_a(str))
    """The name before the dot of a recipient."""
    description: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """What the namespace is for; may have several lines."""
    tools: list[ToolDescription] = attrs.field(
        factory=list, converter=_tools, validator=list_of(ToolDescription)
    )
    """Its tools, in the order in which they are rendered."""

    @staticmethod
    def built_in(name: str) -> ToolNamespaceConfig:
        """The built-in namespace of that name, as the spec describes it."""
        row = load_spec().row("namespaces", name)
        tools = [
            ToolDescription(t["name"], t["description"], json.loads(t["parameters"]))
            for t in row.get("tools", [])
        ]
        return ToolNamespaceConfig(name, row.get("description"), tools)

    @staticmethod
    def browser() -> ToolNamespaceConfig:
        """The built-in ``browser`` namespace."""
        return ToolNamespaceConfig.built_in("browser")

    @staticmethod
    def python() -> ToolNamespaceConfig:
        """The built-in ``python`` namespace."""
        return ToolNamespaceConfig.built_in("python")

    def to_dict(self) -> dict[str, Any]:
        """The dict form: the fields that are set."""
        attrs.validate(self)
        out: dict[str, Any] = {"name": self.name}
        if self.description is not None:
            out["description"] = self.description
        out["tools"] = [tool.to_dict() for tool in self.tools]
        return out


def _namespace(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    if "name" not in value:
        raise InvalidMessage("ToolNamespaceConfig: the field 'name' is missing")
    return ToolNamespaceConfig(value["name"], value.get("description"), value.get("tools", []))


def _namespaces(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _namespace(item) for key, item in value.items()}
    return value


def _are_namespaces(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    where = f"{type(instance).__name__}.{attribute.name}"
    if value is None:
        return
    for key, item in mapping(value, where).items():
        if not isinstance(item, ToolNamespaceConfig):
            raise InvalidMessage(
                f"{where}[{key!r}]: expected a ToolNamespaceConfig, got {type_name(item)}"
            )


def tools_field() -> Any:
    """The attrs field of a content that holds namespaces by name."""
    return attrs.field(default=None, converter=_namespaces, validator=_are_namespaces)
