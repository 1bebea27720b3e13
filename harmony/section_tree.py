"""From the parse trees of grammar/sections.lark to content."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import attrs

from harmony.contents import (
    ChannelConfig,
    DeveloperContent,
    ReasoningEffort,
    ResponseFormat,
    SystemContent,
)
from harmony.errors import InvalidType
from harmony.section_terminals import (
    channels_pattern,
    namespace_heading_pattern,
    reasoning_pattern,
    response_format_pattern,
    tool_pattern,
    tool_without_pattern,
)
from harmony.text_grammar import template_pattern
from harmony.tools import ToolDescription, ToolNamespaceConfig
from harmony.typescript import typescript_to_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lark import Token, Tree

    from harmony.spec import Spec


@attrs.frozen
class SectionTree:
    """Reads the trees of one text. Every method raises `InvalidType`."""

    spec: Spec
    base: int
    """The offset of what was parsed in the whole text."""
    schema_style: str | None = None

    def system(self, tree: Tree[Token]) -> tuple[SystemContent, bool]:
        """The content but for the identity, and whether the note on functions stood there."""
        content = SystemContent(None, None, None, None, None, None)
        function_tools = False
        words = self.spec.table("system_message")
        for section in tree.iter_subtrees_topdown():  # type: ignore[no-untyped-call]
            match section.data:
                case "cutoff":
                    line = words["cutoff_line"]
                    content.knowledge_cutoff = _field(line, "knowledge_cutoff", section)
                case "date":
                    line = words["date_line"]
                    content.conversation_start_date = _field(
                        line, "conversation_start_date", section
                    )
                case "reasoning":
                    content.reasoning_effort = self._reasoning_effort(section)
                case "channels":
                    content.channel_config, function_tools = self._channels(section)
                case "tools":
                    content.tools = self._tools(section)
        return content, function_tools

    def developer(self, tree: Tree[Token]) -> DeveloperContent:
        """The content but for the instructions."""
        content = DeveloperContent()
        for section in map(_subtree, tree.children):
            if section.data == "tools":
                content.tools = self._tools(section)
            else:
                formats = [self._response_format(_subtree(t)) for t in section.children[1:]]
                content.response_formats = formats
        return content

    def _reasoning_effort(self, tree: Tree[Token]) -> ReasoningEffort:
        (text,) = _groups(reasoning_pattern(self.spec), tree.children[0])
        rows = self.spec.rows("reasoning_efforts")
        value = next(row["value"] for row in rows if row["text"] == text)
        return ReasoningEffort(value)

    def _channels(self, tree: Tree[Token]) -> tuple[ChannelConfig, bool]:
        words = self.spec.table("system_message")
        channels, required, tools = _groups(channels_pattern(words), tree.children[0])
        names = (channels or "").split(words["channels_separator"])
        return ChannelConfig(names, required is not None), tools is not None

    # ---- tools -----------------------------------------------------------------------------

    def _tools(self, tree: Tree[Token]) -> dict[str, ToolNamespaceConfig]:
        namespaces = [self._namespace(_subtree(child)) for child in tree.children[1:]]
        return {namespace.name: namespace for namespace in namespaces}

    def _namespace(self, tree: Tree[Token]) -> ToolNamespaceConfig:
        words = self.spec.table("tools_section")
        heading = str(tree.children[0]).removeprefix(words["separator"]).removesuffix("\n")
        (name,) = _groups(namespace_heading_pattern(words), heading)
        namespace = ToolNamespaceConfig(name or "")
        lines = self._comment(tree)
        for child in tree.children[1:]:
            match getattr(child, "type", None) or _subtree(child).data:
                case "TEXT_AHEAD":
                    lines = lines or [""]
                case "NAMESPACE_TEXT":
                    lines = str(child).split("\n")
        namespace.description = text_of(lines) if lines else None
        declared: dict[str, str] = {}
        for child in tree.children:
            if isinstance(child, str):
                continue
            if child.data == "named_type":
                declared |= self._named_type(child)
            else:
                namespace.tools.append(self._tool(child, declared))
        return namespace

    def _named_type(self, tree: Tree[Token]) -> dict[str, str]:
        template = self.spec.table("typescript")["named_type"]
        pattern = template_pattern(template, {"name": "(.*?)", "type": "((?s:.*))"})
        name, written = _groups(pattern, str(tree.children[0]).removesuffix("\n\n"))
        return {name or "": written or ""}

    def _tool(self, tree: Tree[Token], declared: Mapping[str, str]) -> ToolDescription:
        words = self.spec.table("tools_section")
        description = text_of(self._comment(tree))
        token: Any = tree.children[-1]
        statement = str(token).removesuffix("\n\n")
        if token.type == "TOOL_WITHOUT_PARAMETERS":
            (name,) = _groups(tool_without_pattern(words), statement)
            return ToolDescription(name or "", description)
        name, written = _groups(tool_pattern(words), statement)
        try:
            schema = typescript_to_schema(
                written or "", style=self.schema_style, spec=self.spec, declared=declared
            )
        except InvalidType as error:
            within = statement.index(written or "", len(name or ""))
            offset = self.base + (token.start_pos or 0) + within + error.offset
            raise InvalidType(error.reason, offset=offset) from None
        return ToolDescription(name or "", description, schema)

    # ---- response formats ------------------------------------------------------------------

    def _response_format(self, tree: Tree[Token]) -> ResponseFormat:
        separator = self.spec.table("developer_message")["section_separator"]
        heading = str(tree.children[0])[len(separator) :].removesuffix(separator)
        (name,) = _groups(response_format_pattern(self.spec), heading)
        lines = self._comment(tree)
        written: Any = tree.children[-1]
        try:
            schema = json.loads(written)
        except (ValueError, RecursionError) as error:
            offset = self.base + (written.start_pos or 0)
            raise InvalidType(f"this is not JSON: {error}", offset=offset) from None
        return ResponseFormat(name or "", schema, text_of(lines) if lines else None)

    def _comment(self, tree: Tree[Token]) -> list[str]:
        """The lines of the comment that stands in front."""
        template = self.spec.table("tools_section")["comment"]
        tokens = [t for t in tree.children if getattr(t, "type", "") == "COMMENT_LINE"]
        return [_field(template, "line", str(token).removesuffix("\n")) for token in tokens]


def text_of(lines: list[str]) -> str:
    """The text that `harmony.sections.lines_of` splits into ``lines``."""
    if not lines:
        return ""
    *ended, last = lines
    # A carriage return before a line feed belongs to the line's end, so it takes another.
    before = [f"{line}\r\n" if line.endswith("\r") else f"{line}\n" for line in ended]
    return "".join(before) + (last or "\n")


def _field(template: str, name: str, source: Any) -> str:
    text = source if isinstance(source, str) else source.children[0]
    (value,) = _groups(template_pattern(template, {name: "(.*)"}), text)
    return value or ""


def _groups(pattern: str, text: Any) -> tuple[str | None, ...]:
    found = re.fullmatch(pattern, str(text))
    assert found is not None, (pattern, text)
    return found.groups()


def _subtree(node: Any) -> Tree[Token]:
    assert not isinstance(node, str)
    return node  # type: ignore[no-any-return]
