"""The text of system and developer messages, from their content.

Every heading and line is a template of the spec: [system_message], [developer_message],
[tools_section], [response_format]. `harmony.section_reader` reads the text back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.contents import ChannelConfig, ResponseFormat
from harmony.errors import InvalidMessage, InvalidSchema
from harmony.tools import ToolDescription, ToolNamespaceConfig
from harmony.typescript import TypeText, schema_to_type
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.contents import DeveloperContent, SystemContent
    from harmony.spec import Spec


def system_text(content: SystemContent, spec: Spec, *, function_tools: bool = False) -> str:
    """The text of a system message. Implements [system_message].

    Args:
        content: what it says. A field that is None is left out.
        spec: the templates.
        function_tools: whether a developer message of the conversation declares function
            tools, of which a note then follows the channels.

    Raises:
        InvalidMessage: a field holds a value of another type.
        InvalidSchema: a tool's parameters cannot be written.
    """
    words = spec.table("system_message")
    top = [
        words[template].format(**{field: _text(content, field)})
        for template, field in (
            ("identity_line", "model_identity"),
            ("cutoff_line", "knowledge_cutoff"),
            ("date_line", "conversation_start_date"),
        )
        if getattr(content, field) is not None
    ]
    sections = ["\n".join(top)] if top else []
    if content.reasoning_effort is not None:
        effort = _reasoning_effort(content.reasoning_effort, spec)
        sections.append(words["reasoning_line"].format(reasoning_effort=effort))
    sections += _tools_section(content, spec, schema_style=None)
    if content.channel_config is not None:
        sections += _channels(content.channel_config, words, function_tools=function_tools)
    return str(words["section_separator"].join(sections))


def developer_text(
    content: DeveloperContent, spec: Spec, *, schema_style: str | None = None
) -> str:
    """The text of a developer message. Implements [developer_message].

    Args:
        content: what it says. A field that is None is left out.
        spec: the templates.
        schema_style: how parameters are written; see `schema_to_typescript`.

    Raises:
        InvalidMessage: a field holds a value of another type.
        InvalidSchema: a schema cannot be written.
        UnknownName: there is no such schema style.
    """
    words = spec.table("developer_message")
    sections = []
    if content.instructions is not None:
        sections += [words["instructions_heading"], _text(content, "instructions")]
    sections += _tools_section(content, spec, schema_style=schema_style)
    if content.response_formats:
        sections.append(words["response_formats_heading"])
        sections += _response_formats(content, spec)
    return str(words["section_separator"].join(sections))


def _reasoning_effort(effort: Any, spec: Spec) -> str:
    for row in spec.rows("reasoning_efforts"):
        if effort == row["value"]:
            return str(row["text"])
    known = ", ".join(repr(row["value"]) for row in spec.rows("reasoning_efforts"))
    raise InvalidMessage(
        f"SystemContent.reasoning_effort: expected one of {known}, got {shortened(effort)}"
    )


def _channels(config: Any, words: dict[str, Any], *, function_tools: bool) -> Iterator[str]:
    """The section of channels. Implements [system_message]."""
    _is(config, ChannelConfig, "SystemContent.channel_config")
    names = _list(config.valid_channels, str, "ChannelConfig.valid_channels")
    if not names:
        return
    section = words["channels_line"].format(channels=words["channels_separator"].join(names))
    if config.channel_required:
        section += words["channels_required_note"]
    if function_tools:
        section += "\n" + words["function_tools_note"]
    yield section


# ---- tools -------------------------------------------------------------------------------


def _tools_section(
    content: SystemContent | DeveloperContent, spec: Spec, *, schema_style: str | None
) -> Iterator[str]:
    """The section of tools, if there are any. Implements [tools_section]."""
    if not content.tools:
        return
    where = f"{type(content).__name__}.tools"
    _is(content.tools, dict, where)
    for key, namespace in content.tools.items():
        _is(key, str, f"{where}: a key")
        _is(namespace, ToolNamespaceConfig, f"{where}[{key!r}]")
    words = spec.table("tools_section")
    parts = [words["heading"]]
    for _, namespace in sorted(content.tools.items(), key=lambda item: item[0]):
        lines = _namespace_lines(namespace, spec, words, schema_style=schema_style)
        parts.append("\n".join(lines))
    yield words["separator"].join(parts)


def _namespace_lines(
    namespace: ToolNamespaceConfig, spec: Spec, words: dict[str, Any], *, schema_style: str | None
) -> Iterator[str]:
    name = _text(namespace, "name")
    tools = _list(namespace.tools, ToolDescription, "ToolNamespaceConfig.tools")
    described = _text(namespace, "description") if namespace.description is not None else ""
    yield words["namespace_heading"].format(name=name)
    yield ""
    if not tools:
        yield from lines_of(described)
        return
    yield from _comment_lines(described, words)
    yield words["namespace_opening"].format(name=name)
    yield ""
    taken: dict[str, str | None] = {_text(tool, "name"): None for tool in tools}
    for tool in tools:
        yield from _tool_lines(tool, spec, schema_style=schema_style, taken=taken)
    yield words["namespace_closing"].format(name=name)


def _tool_lines(
    tool: ToolDescription, spec: Spec, *, schema_style: str | None, taken: dict[str, str | None]
) -> Iterator[str]:
    """A tool, and before it the named types that it is the first to refer to."""
    words, name = spec.table("tools_section"), _text(tool, "name")
    parameters = None
    if tool.parameters is not None:
        parameters = _parameters(tool, spec, schema_style, taken)
        for named, text in parameters.named.items():
            if named not in taken:
                yield spec.table("typescript")["named_type"].format(name=named, type=text)
                yield ""
        taken |= parameters.named
    yield from _comment_lines(_text(tool, "description"), words)
    if parameters is None:
        yield words["type_without_parameters"].format(name=name)
    else:
        yield words["type_with_parameters"].format(name=name, parameters=parameters.text)
    yield ""


def _parameters(
    tool: ToolDescription, spec: Spec, schema_style: str | None, taken: dict[str, str | None]
) -> TypeText:
    schema = tool.parameters
    _is(schema, dict, f"tool {tool.name!r}: parameters")
    assert schema is not None
    try:
        return schema_to_type(schema, style=schema_style, spec=spec, taken=taken)
    except InvalidSchema as error:
        reason = error.message.removesuffix(f" (at {error.path or '/'} in the schema)")
        raise InvalidSchema(f"tool {tool.name!r}: {reason}", path=error.path) from None


def _comment_lines(text: str, words: dict[str, Any]) -> Iterator[str]:
    for line in lines_of(text):
        yield words["comment"].format(line=line)


def lines_of(text: str) -> list[str]:
    r"""The lines of ``text``, as the reference splits it: at ``\n`` and ``\r\n`` only.

    What follows the last line feed is a line if it is not empty. (`str.splitlines` would
    also split at U+2028 and at form feeds.)
    """
    *ended, last = text.split("\n")
    return [line.removesuffix("\r") for line in ended] + ([last] if last else [])


# ---- response formats --------------------------------------------------------------------


def _response_formats(content: DeveloperContent, spec: Spec) -> Iterator[str]:
    """A heading and a body for each response format. Implements [developer_message]."""
    where = "DeveloperContent.response_formats"
    heading = spec.table("developer_message")["response_format_heading"]
    for response_format in _list(content.response_formats, ResponseFormat, where):
        yield heading.format(name=_text(response_format, "name"))
        described = response_format.description
        text = _text(response_format, "description") if described is not None else ""
        body = [*_comment_lines(text, spec.table("tools_section")), _json(response_format)]
        yield "\n".join(body)


def _json(response_format: ResponseFormat) -> str:
    try:
        return json.dumps(
            response_format.schema, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidSchema(
            f"response format {response_format.name!r}: not to be written as JSON: {error}"
        ) from None


# ---- what users may have set since -------------------------------------------------------


def _text(holder: Any, field: str) -> str:
    value = getattr(holder, field)
    _is(value, str, f"{type(holder).__name__}.{field}")
    return str.__str__(value)


def _list(values: Any, kind: type, where: str) -> list[Any]:
    _is(values, list, where)
    for index, value in enumerate(values):
        _is(value, kind, f"{where}[{index}]")
    return list(values)


def _is(value: Any, kind: type, where: str) -> None:
    if not isinstance(value, kind):
        raise InvalidMessage(
            f"{where}: expected a {kind.__name__}, got {type_name(value)}: {shortened(value)}"
        )
