"""What the spec says about the two APIs, and about where Harmony puts what they hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from harmony.tools import ToolDescription, ToolNamespaceConfig

if TYPE_CHECKING:
    from harmony.spec import Spec


@attrs.frozen
class Facts:
    """The names that conversion needs. Spec: [conversion], [[namespaces]], [recipients]."""

    spec: Spec
    reasoning: str
    """The channel of reasoning."""
    answer: str
    """The channel of answers."""
    hidden: frozenset[str]
    """The channels that users do not see, that of reasoning among them."""
    functions: str
    """The namespace of the tools that a developer message declares."""
    calls: str
    """The channel on which functions are called, and of preambles."""
    arguments_type: str
    """The content type of a function's arguments, as it is written."""
    code_type: str
    """The content type of a call to a built-in tool."""
    search: str
    """The namespace whose calls are web search calls."""
    code: str
    """The namespace whose calls are code interpreter calls."""
    actions: dict[str, str]
    """The type of a web search call's action, and the tool of the namespace that does it."""
    efforts: dict[str, str]
    """The reasoning efforts of requests, and those of the format."""
    tool_types: dict[str, str]
    """The types of built-in tools, and their namespaces."""
    phases: dict[str, str]
    """Channels, and the phases of messages on them."""
    channels: dict[str, str]
    """Built-in namespaces, and the channels on which they are called."""
    everyone: str
    """The recipient that stands for no recipient."""

    @classmethod
    def of(cls, spec: Spec) -> Facts:
        """The facts of ``spec``. Raises `GrammarError` where it lacks one."""
        words = spec.table("conversion")
        dropping = spec.table("analysis_dropping")
        functions = spec.table("system_message")["function_namespace"]
        return cls(
            spec=spec,
            reasoning=dropping["channel"],
            answer=dropping["until_channel"],
            hidden=frozenset(
                row["name"] for row in spec.rows("channels") if not row.get("visible", True)
            ),
            functions=functions,
            calls=spec.row("namespaces", functions)["channel"],
            arguments_type=spec.token("constrain").text + words["arguments_content_type"],
            code_type=words["built_in_content_type"],
            search=words["search_namespace"],
            code=words["code_namespace"],
            actions=words["search_actions"],
            efforts=words["efforts"],
            tool_types=words["built_in_tools"],
            phases=words["phases"],
            channels={
                row["name"]: row["channel"]
                for row in spec.rows("namespaces")
                if row["name"] != functions
            },
            everyone=spec.table("recipients")["everyone"],
        )

    @property
    def results_to(self) -> str:
        """Whom tools answer."""
        return str(self.spec.table("recipients")["tool_results"])

    def built_in(self, name: str) -> ToolNamespaceConfig:
        """The built-in namespace ``name``, as this spec describes it."""
        row: dict[str, Any] = self.spec.row("namespaces", name)
        tools = [
            ToolDescription(tool["name"], tool["description"], json.loads(tool["parameters"]))
            for tool in row.get("tools", [])
        ]
        return ToolNamespaceConfig(name, row.get("description"), tools)

    def namespace_of(self, recipient: str) -> str | None:
        """The built-in namespace that ``recipient`` belongs to, if it belongs to one."""
        name = recipient.partition(".")[0]
        return name if name in self.channels else None

    def called(self, function: str) -> str:
        """The recipient of a call to ``function``."""
        prefix = f"{self.functions}."
        return function if function.startswith(prefix) else prefix + function
