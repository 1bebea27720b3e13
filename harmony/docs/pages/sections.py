"""The pages of system and developer messages, tools and response formats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.contents import DeveloperContent, SystemContent
from harmony.docs.book import show
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.sections import system_text
from harmony.tools import ToolDescription, ToolNamespaceConfig
from harmony.typescript import STYLES, schema_to_typescript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.docs.book import Book


def system(book: Book) -> str:
    """The system message."""
    spec = book.spec
    return paragraphs(
        book.prose("system_message"),
        "## Template",
        _templates(spec.table("system_message")),
        "## Reasoning efforts",
        table(
            ["name", "value", "in the text"],
            (
                [code(row["name"]), code(row["value"]), code(row["text"])]
                for row in spec.rows("reasoning_efforts")
            ),
        ),
        "## Built-in tools",
        table(
            ["namespace", "called on", "purpose"],
            (
                [code(row["name"]), code(row.get("channel", "")), row.get("purpose", "")]
                for row in spec.rows("namespaces")
            ),
        ),
        *(_built_in(row, book) for row in spec.rows("namespaces") if "description" in row),
        "## Examples",
        *(show(example, book) for example in book.examples("system_message")),
        "The syntax is in [the grammars of contents](section-grammars.md).",
    )


def developer(book: Book) -> str:
    """The developer message."""
    return paragraphs(
        book.prose("developer_message"),
        "See [tools](tools.md) and [response formats](response-formats.md) for two of them.",
        "## Template",
        _templates(book.spec.table("developer_message")),
        "## Examples",
        *(show(example, book) for example in book.examples("developer_message")),
        "The syntax is in [the grammars of contents](section-grammars.md).",
    )


def tools(book: Book) -> str:
    """Tools: the section, and types for schemas in each style."""
    spec = book.spec
    found = book.examples("tools_section")
    described = [tool for example in found for tool in _tools(example.conversation.messages)]
    return paragraphs(
        book.prose("tools_section"),
        "## Template",
        _templates(spec.table("tools_section")),
        "## Examples",
        *(show(example, book) for example in found),
        "## Schemas as types",
        book.prose("typescript"),
        *(_styles(tool) for tool in described if tool.parameters),
        "### Names of types",
        table(
            ["JSON Schema", "type"],
            ([code(k), code(v)] for k, v in spec.table("typescript")["types"].items()),
        ),
    )


def response_formats(book: Book) -> str:
    """Response formats."""
    words = book.spec.table("developer_message")
    return paragraphs(
        "A response format is a JSON Schema with a name, in the developer message. What the model "
        "is to keep to it with is a content type in the header of its answer.",
        "## Template",
        _templates({k: v for k, v in words.items() if k.startswith("response_format")}),
        "## Examples",
        *(show(example, book) for example in book.examples("response_formats")),
    )


def _built_in(row: dict[str, Any], book: Book) -> str:
    """What a system message says of a built-in namespace."""
    tools = [
        ToolDescription(tool["name"], tool["description"], json.loads(tool["parameters"]))
        for tool in row.get("tools", [])
    ]
    name = row["name"]
    only = SystemContent(
        model_identity=None,
        reasoning_effort=None,
        conversation_start_date=None,
        knowledge_cutoff=None,
        channel_config=None,
        tools={name: ToolNamespaceConfig(name, row["description"], tools)},
    )
    return paragraphs(f"### {code(name)}", fence(system_text(only, book.spec), "markdown"))


def _templates(facts: dict[str, Any]) -> str:
    lines = [(k, v) for k, v in facts.items() if isinstance(v, str) and k != "prose"]
    return table(["part", "text"], ([k.replace("_", " "), code(v)] for k, v in lines))


def _tools(messages: list[Any]) -> Iterator[ToolDescription]:
    for message in messages:
        for content in message.content:
            if isinstance(content, DeveloperContent):
                for namespace in (content.tools or {}).values():
                    yield from namespace.tools


def _styles(tool: ToolDescription) -> str:
    """The parameters of a tool, as a schema and in each style."""
    schema: Any = tool.parameters
    return paragraphs(
        f"### The parameters of {code(tool.name)}",
        fence(json.dumps(schema, indent=2, ensure_ascii=False), "json"),
        *(
            paragraphs(
                f"In the {style} style:",
                fence(schema_to_typescript(schema, style=style), "typescript"),
            )
            for style in STYLES
        ),
    )
