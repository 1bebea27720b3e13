"""What a request declares: the tools that may be called, and what the answer has to be.

Tools come as `ToolDescription`s, as namespaces, or as the tool objects of the Chat
Completions and Responses APIs; response formats as a JSON Schema or in the forms of both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.contents import ResponseFormat
from harmony.errors import InvalidMessage, UnknownName
from harmony.tools import ToolDescription, ToolNamespaceConfig
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harmony.spec import Spec

Tool: TypeAlias = "ToolDescription | ToolNamespaceConfig | Mapping[str, Any]"
Format: TypeAlias = "ResponseFormat | Mapping[str, Any] | bool | None"

RESPONSE_FORMAT = "response_format"
NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@attrs.frozen
class Call:
    """A tool that may be called."""

    recipient: str
    """To whom: ``"functions.get_weather"``."""
    channel: str
    """On which channel."""
    schema: dict[str, Any] | bool | None
    """The JSON Schema of the arguments; None where the content is free text, as code is."""
    content_types: tuple[str, ...]
    """The content types that a call may name."""


class Declared:
    """Reads what a request declares. Spec: [[namespaces]], [system_message]."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._functions: str = spec.table("system_message")["function_namespace"]

    def calls(self, tools: Iterable[Tool], builtin_tools: Iterable[str | Tool]) -> list[Call]:
        """The calls that the tools allow, in their order.

        Raises:
            InvalidMessage: a tool that is none, or that is declared twice.
            UnknownName: no built-in tool has that name.
        """
        found: dict[str, Call] = {}
        declared = [*self._function_calls(tools), *self._builtin_calls(builtin_tools)]
        for call in declared:
            if call.recipient in found:
                raise InvalidMessage(
                    f"the tool {call.recipient!r} is declared twice; each needs a name of its own"
                )
            found[call.recipient] = call
        return list(found.values())

    def _function_calls(self, tools: Iterable[Tool]) -> Iterator[Call]:
        for index, tool in enumerate(_listed(tools, "tools")):
            if isinstance(tool, ToolNamespaceConfig):
                yield from self._of_namespace(tool)
            else:
                yield self._call(self._functions, function_of(tool, f"tools[{index}]"))

    def _of_namespace(self, namespace: ToolNamespaceConfig) -> Iterator[Call]:
        if not namespace.tools:
            yield self._free(namespace.name)
        for tool in namespace.tools:
            yield self._call(namespace.name, tool)

    def _row(self, namespace: str) -> dict[str, Any]:
        rows = {row["name"]: row for row in self._spec.rows("namespaces")}
        return rows.get(namespace) or rows[self._functions]

    def _call(self, namespace: str, tool: ToolDescription) -> Call:
        row = self._row(namespace)
        parameters = tool.parameters
        return Call(
            recipient=f"{namespace}.{tool.name}",
            channel=row["channel"],
            schema=NO_ARGUMENTS if parameters is None else parameters,
            content_types=tuple(row.get("content_types", ())),
        )

    def _free(self, namespace: str) -> Call:
        row = self._row(namespace)
        return Call(namespace, row["channel"], None, tuple(row.get("content_types", ())))

    def _builtin_calls(self, names: Iterable[str | Tool]) -> Iterator[Call]:
        for name in _listed(names, "builtin_tools"):
            if isinstance(name, ToolNamespaceConfig):
                yield from self._of_namespace(name)
                continue
            namespace, _, tool = str(name).partition(".")
            builtin = self._builtin(namespace) if isinstance(name, str) else None
            calls = [] if builtin is None else list(self._of_namespace(builtin))
            if tool:
                calls = [call for call in calls if call.recipient == name]
            if not calls:
                known = [row["name"] for row in self._spec.rows("namespaces")]
                known.remove(self._functions)
                raise UnknownName(
                    f"there is no built-in tool {name!r}; there are: {', '.join(known)}. "
                    "Tools of your own go into `tools`"
                )
            yield from calls

    def _builtin(self, name: str) -> ToolNamespaceConfig | None:
        """The built-in namespace as this spec has it, which may be an overlaid one."""
        row = next((r for r in self._spec.rows("namespaces") if r["name"] == name), None)
        if row is None or name == self._functions:
            return None
        tools = [
            ToolDescription(t["name"], t.get("description", ""), json.loads(t["parameters"]))
            for t in row.get("tools", [])
        ]
        return ToolNamespaceConfig(name, row.get("description"), tools)

    def chosen(self, tool_choice: object, calls: list[Call]) -> list[Call] | str:
        """What ``tool_choice`` asks for: one of the words, or the calls that it forces.

        Raises:
            UnknownName: it is no word and names no declared tool.
        """
        name = _chosen_name(tool_choice)
        if name in ("auto", "none", "required"):
            if name == "required" and not calls:
                raise UnknownName(
                    "tool_choice is 'required', but no tool is declared: pass `tools` or "
                    "`builtin_tools`"
                )
            return name
        wanted = {name, f"{self._functions}.{name}"}
        forced = [call for call in calls if call.recipient in wanted]
        # `browser` is all that the namespace has.
        forced = forced or [call for call in calls if call.recipient.partition(".")[0] == name]
        if not forced:
            known = ", ".join(repr(call.recipient) for call in calls) or "none"
            raise UnknownName(
                f"unknown tool_choice {tool_choice!r}: expected 'auto', 'none', 'required' or "
                f"the name of a declared tool; declared: {known}"
            )
        return forced


def _chosen_name(tool_choice: object) -> str:
    choice = tool_choice
    if isinstance(choice, Mapping):
        inner = choice.get("function")
        choice = inner.get("name") if isinstance(inner, Mapping) else choice.get("name")
    if not isinstance(choice, str):
        raise UnknownName(
            "tool_choice: expected 'auto', 'none', 'required' or a tool's name, got "
            f"{type_name(tool_choice)}: {shortened(tool_choice)}"
        )
    return choice


def _listed(value: object, where: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise InvalidMessage(f"{where}: expected a list, got {type_name(value)}")
    return list(value)


def function_of(tool: object, where: str) -> ToolDescription:
    """The function that a tool object declares.

    Taken are a `ToolDescription`, its dict form, ``{"type": "function", "function": {…}}``
    and ``{"type": "function", "name": …}``.

    Raises:
        InvalidMessage: it is none of them; ``where`` is named.
    """
    if isinstance(tool, ToolDescription):
        attrs.validate(tool)
        return _named(tool, where)
    if not isinstance(tool, Mapping):
        raise InvalidMessage(
            f"{where}: expected a ToolDescription or a tool object, got {type_name(tool)}"
        )
    kind = tool.get("type", "function")
    if kind != "function":
        raise InvalidMessage(
            f"{where}: a tool of type {kind!r} is no function; name built-in tools in "
            "`builtin_tools`"
        )
    body = tool.get("function", tool)
    if not isinstance(body, Mapping):
        raise InvalidMessage(f"{where}.function: expected an object, got {type_name(body)}")
    if "name" not in body:
        raise InvalidMessage(f"{where}: the field 'name' is missing")
    parameters = body.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidMessage(
            f"{where}.parameters: expected a JSON Schema (an object), got {type_name(parameters)}"
        )
    return _named(ToolDescription(body["name"], body.get("description") or "", parameters), where)


def _named(tool: ToolDescription, where: str) -> ToolDescription:
    if not tool.name:
        raise InvalidMessage(f"{where}: the name is empty")
    return tool


def answer_schema(response_format: object) -> dict[str, Any] | bool | None:
    """The JSON Schema that the answer keeps to, or None if it is free text.

    Taken are a `ResponseFormat`, a JSON Schema, ``{"type": "json_schema", "json_schema":
    {"schema": …}}``, ``{"type": "json_schema", "schema": …}``, ``{"type": "json_object"}``,
    ``{"type": "text"}`` and None.

    Raises:
        InvalidMessage: it is none of them.
    """
    if response_format is None:
        return None
    if isinstance(response_format, ResponseFormat):
        return dict(response_format.schema)
    if isinstance(response_format, bool):
        return response_format
    if not isinstance(response_format, Mapping):
        raise InvalidMessage(
            "response_format: expected a JSON Schema (an object) or a response format, got "
            f"{type_name(response_format)}"
        )
    kind = response_format.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if kind != "json_schema":
        return dict(response_format)
    holder = response_format.get("json_schema", response_format)
    schema = holder.get("schema") if isinstance(holder, Mapping) else None
    if not isinstance(schema, (Mapping, bool)):
        raise InvalidMessage(
            "response_format: the type 'json_schema' needs a JSON Schema under 'schema' or "
            f"'json_schema.schema', got {type_name(schema)}"
        )
    return dict(schema) if isinstance(schema, Mapping) else schema


def is_sequence(value: object) -> bool:
    """Whether ``value`` is a list or the like, and no text."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
