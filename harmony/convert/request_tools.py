"""What a request says of tools: their declarations, and which may be called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from harmony.tools import ToolDescription

if TYPE_CHECKING:
    from harmony.convert.facts import Facts
    from harmony.convert.plain import Node

# The date of a type's version, as in `web_search_2025_08_26`.
VERSION = re.compile(r"_\d{4}_\d{2}_\d{2}$")
MODES = ("auto", "none", "required")


@attrs.define
class DeclaredTools:
    """The tools of a request."""

    functions: list[ToolDescription] = attrs.field(factory=list)
    """Those that the developer message declares, in their order."""
    built_in: list[str] = attrs.field(factory=list)
    """The built-in namespaces."""
    choice: str = "auto"
    """``"auto"``, ``"none"``, ``"required"`` or the name of the tool that is to be called."""
    allowed: list[str] | None = None
    """The names of those that may be called; None for all."""
    parallel: bool = True
    """Whether several may be called at once."""


def read_tools(request: Node, facts: Facts) -> DeclaredTools:
    """The tools of ``request``, of either API.

    Raises:
        InvalidRequest: a tool is of a kind that Harmony cannot declare, or is declared twice;
            the choice names a tool that is not declared.
    """
    found = DeclaredTools(parallel=request["parallel_tool_calls"].flag(default=True))
    for tool in request["tools"].items():
        kind = tool["type"].text_or_none() or "function"
        if kind == "function":
            _add(found, tool["function"] or tool)
        else:
            _add_built_in(found, _namespace(tool["type"], facts), facts)
    # The older form of `tools`.
    for function in request["functions"].items():
        _add(found, function)
    for name in request["builtin_tools"].items():
        _add_built_in(found, _namespace(name, facts), facts)
    if request["web_search_options"]:
        _add_built_in(found, facts.search, facts)
    _choose(found, request, facts)
    return found


def _add(found: DeclaredTools, function: Node) -> None:
    name, parameters = function["name"], function["parameters"]
    if not name.text():
        raise name.error("expected the name of a tool, got an empty string")
    if any(letter.isspace() for letter in name.value):
        # No call could name it: a space ends a word of a header.
        raise name.error(
            f"the name {name.value!r} cannot stand in a header; use letters, digits, `_`, `-` "
            "and `.`"
        )
    if any(tool.name == name.value for tool in found.functions):
        raise name.error(f"the tool {name.value!r} is declared twice; give each its own name")
    if parameters and not isinstance(parameters.value, dict):
        raise parameters.expected("a JSON Schema (an object)")
    description = function["description"].text_or_none() or ""
    found.functions.append(ToolDescription(name.value, description, parameters.value))


def _namespace(kind: Node, facts: Facts) -> str:
    name = VERSION.sub("", kind.text())
    if name in facts.channels:
        return name
    if name not in facts.tool_types:
        known = ", ".join(
            map(repr, dict.fromkeys(["function", *facts.tool_types, *facts.channels]))
        )
        raise kind.error(
            f"Harmony has no tool of the type {kind.value!r}; it has: {known}. "
            "Declare it as a function, and call it yourself"
        )
    return facts.tool_types[name]


def _add_built_in(found: DeclaredTools, namespace: str, facts: Facts) -> None:
    assert namespace in facts.channels
    if namespace not in found.built_in:
        found.built_in.append(namespace)


def _choose(found: DeclaredTools, request: Node, facts: Facts) -> None:
    choice = request["tool_choice"]
    if not choice:
        choice = request["function_call"]
    if not choice:
        return
    if isinstance(choice.value, str):
        found.choice = _mode(choice)
    elif choice["type"].value == "allowed_tools":
        allowed = choice["allowed_tools"] or choice
        found.choice = _mode(allowed["mode"])
        found.allowed = [_chosen(tool, found, facts) for tool in allowed["tools"].items()]
    else:
        found.choice = _chosen(choice, found, facts)
    if found.choice == "required" and not (found.functions or found.built_in):
        raise choice.error("a call is required, but the request declares no tools")


def _mode(mode: Node) -> str:
    if mode.text() not in MODES:
        raise mode.expected(f"one of {', '.join(map(repr, MODES))}, or an object naming a function")
    return mode.text()


def _chosen(choice: Node, found: DeclaredTools, facts: Facts) -> str:
    """The name of the tool that ``choice`` names; a built-in one by its namespace."""
    kind: Any = choice["type"].text_or_none() or "function"
    if kind != "function":
        namespace = _namespace(choice["type"], facts)
        if namespace not in found.built_in:
            raise choice.error(f"the request does not declare the tool {kind!r}")
        return namespace
    name = (choice["function"] or choice)["name"]
    names = [tool.name for tool in found.functions]
    if name.text() not in names:
        known = ", ".join(map(repr, names)) or "none"
        raise name.error(f"no tool is called {name.value!r}; the request declares: {known}")
    return name.text()
