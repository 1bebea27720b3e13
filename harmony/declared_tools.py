"""The tools that a caller declares, in all the forms in which callers have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.errors import InvalidMessage
from harmony.tools import ToolDescription, ToolNamespaceConfig
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from harmony.spec import Spec

Tool: TypeAlias = "ToolDescription | ToolNamespaceConfig | Mapping[str, Any] | str"
# What a caller may hand in as the declared tools.
Tools: TypeAlias = "Iterable[Tool] | Tool | None"


@attrs.frozen
class DeclaredTool:
    """One recipient of calls, and what is known of it. Spec: [tools_section]."""

    recipient: str
    """To whom a call of it goes: ``"functions.get_weather"``, ``"python"``."""
    name: str
    """Its name within its namespace."""
    namespace: str | None = None
    """The namespace that it is declared in; None of a recipient that is all that is known."""
    description: str | None = None
    """What it does; None where there is no place for it, as for a namespace without tools."""
    parameters: Any = attrs.field(default=None, eq=False)
    """The JSON Schema of its arguments, unchecked; None where there is none."""
    path: str = "$"
    """The JSON path of the declaration in what was handed in."""


def tool_names(tools: Tools, spec: Spec) -> tuple[str, ...]:
    """The recipients that ``tools`` declare: ``("functions.bash", "python")``.

    Raises as `declared_tools` does.
    """
    return tuple(dict.fromkeys(tool.recipient for tool in declared_tools(tools, spec)))


def declared_tools(tools: Tools, spec: Spec) -> list[DeclaredTool]:
    """What ``tools`` declare, in their order.

    A tool alone belongs to the namespace of function tools; a namespace without tools, such
    as ``python``, is a recipient itself. Mappings are a tool or a namespace in their dict
    form, a tool in the form of Chat Completions, or namespaces by name. A string is a
    recipient as it is.

    Raises:
        InvalidMessage: one of them is none of these.
    """
    if tools is None:
        return []
    namespace = spec.table("system_message")["function_namespace"]
    if isinstance(tools, (str, Mapping, ToolDescription, ToolNamespaceConfig)):
        found = list(_declared(tools, namespace, "$"))
    elif isinstance(tools, Iterable):
        found = [
            each
            for index, tool in enumerate(tools)
            for each in _declared(tool, namespace, f"$[{index}]")
        ]
    else:
        raise InvalidMessage(f"tools: expected tools in a list, got {type_name(tools)}")
    return [tool for tool in found if tool.recipient]


def namespace_tools(namespace: ToolNamespaceConfig, path: str) -> list[DeclaredTool]:
    """What a namespace declares; ``path`` is the JSON path of the namespace."""
    return list(_declared(namespace, namespace.name, path))


def _declared(tool: Any, namespace: str, path: str) -> Iterator[DeclaredTool]:
    if isinstance(tool, str):
        yield DeclaredTool(tool, tool.rpartition(".")[2], path=path)
    elif isinstance(tool, ToolDescription):
        yield _tool(namespace, tool.name, tool.description, tool.parameters, path)
    elif isinstance(tool, ToolNamespaceConfig):
        yield from _namespace(tool.name, tool.tools, path)
    elif isinstance(tool, Mapping):
        yield from _mapping(tool, namespace, path)
    else:
        raise _no_tool(tool)


def _mapping(tool: Mapping[str, Any], namespace: str, path: str) -> Iterator[DeclaredTool]:
    if isinstance(tool.get("function"), Mapping):
        tool, path = tool["function"], f"{path}.function"
    name = tool.get("name")
    if isinstance(name, str):
        inner = tool.get("tools")
        if isinstance(inner, (list, tuple)):
            yield from _namespace(name, inner, path)
        else:
            description = tool.get("description")
            described = description if isinstance(description, str) else ""
            yield _tool(namespace, name, described, tool.get("parameters"), path)
    elif all(isinstance(value, (Mapping, ToolNamespaceConfig)) for value in tool.values()):
        for key, value in tool.items():
            yield from _declared(value, namespace, f"{path}.{key}")
    else:
        raise _no_tool(tool)


def _namespace(name: str, tools: Iterable[Any], path: str) -> Iterator[DeclaredTool]:
    found = [
        each
        for index, tool in enumerate(tools)
        for each in _declared(tool, name, f"{path}.tools[{index}]")
    ]
    yield from found or [DeclaredTool(name, name, name, path=path)]


def _tool(
    namespace: str, name: str, description: str, parameters: object, path: str
) -> DeclaredTool:
    return DeclaredTool(f"{namespace}.{name}", name, namespace, description, parameters, path)


def _no_tool(tool: object) -> InvalidMessage:
    return InvalidMessage(
        "tools: expected tools, namespaces or recipient names, "
        f"got {type_name(tool)}: {shortened(tool)}"
    )
