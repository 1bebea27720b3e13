"""The terminals of grammar/sections.lark, made from the templates of the spec."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harmony.text_grammar import template_pattern, terminals

if TYPE_CHECKING:
    from harmony.spec import Spec

LINE = "[^\n]*"
LAZY_LINE = "[^\n]*?"
TEXT = "(?s:.+?)"


def section_terminals(spec: Spec, message: str) -> str:
    """The terminals, in Lark's language; ``message`` is the table of the message's words."""
    system, tools = spec.table("system_message"), spec.table("tools_section")
    separator = re.escape(spec.table(message)["section_separator"])
    between = re.escape(tools["separator"])
    comment = template_pattern(tools["comment"], {"line": LINE}) + "\n"
    opening = template_pattern(tools["namespace_opening"], {"name": LINE}) + "\n\n"
    ahead = f"(?:{comment})*{opening}"
    patterns = {
        "CUTOFF_LINE": template_pattern(system["cutoff_line"], {"knowledge_cutoff": LINE}),
        "DATE_LINE": template_pattern(system["date_line"], {"conversation_start_date": LINE}),
        "REASONING_LINE": reasoning_pattern(spec),
        "CHANNELS_SECTION": channels_pattern(system) + "(?=\n|\\Z)",
        "TOOLS_HEADING": re.escape(tools["heading"]),
        "NAMESPACE_HEADING.2": f"{between}{namespace_heading_pattern(tools)}\n",
        "_TOOLS_AHEAD": f"\n(?={ahead})",
        "TEXT_AHEAD": f"\n(?!{ahead})",
        # Up to the next namespace, or the section that may follow the tools.
        "NAMESPACE_TEXT": f"{TEXT}(?=\\Z|{between}{opening_words(tools['namespace_heading'])}"
        f"|{separator}(?:{opening_words(system['channels_line'])}|{formats_heading(spec)}))",
        "COMMENT_LINE": comment,
        "NAMESPACE_OPENING": opening,
        "NAMESPACE_CLOSING": template_pattern(tools["namespace_closing"], {"name": LINE}),
        **_types(spec, tools),
        "RESPONSE_FORMATS_HEADING": formats_heading(spec),
        "RESPONSE_FORMAT_HEADING": separator + response_format_pattern(spec) + separator,
        "_SEPARATOR.2": f"{separator}(?={section_openings(spec)})",
    }
    return terminals(patterns)


def _types(spec: Spec, tools: dict[str, Any]) -> dict[str, str]:
    """The statements inside a namespace, each with the blank line behind it."""
    after = "\n\n(?={})".format(
        "|".join(
            opening_words(template)
            for template in (
                tools["comment"],
                tools["type_with_parameters"],
                tools["namespace_closing"],
            )
        )
    )
    named = spec.table("typescript")["named_type"]
    return {
        "TOOL.2": tool_pattern(tools) + after,
        "TOOL_WITHOUT_PARAMETERS.2": tool_without_pattern(tools) + after,
        "NAMED_TYPE": template_pattern(named, {"name": r"[\w$]+", "type": TEXT}) + after,
    }


def reasoning_pattern(spec: Spec) -> str:
    """The line of the reasoning effort."""
    efforts = "|".join(re.escape(row["text"]) for row in spec.rows("reasoning_efforts"))
    return template_pattern(
        spec.table("system_message")["reasoning_line"], {"reasoning_effort": f"({efforts})"}
    )


def channels_pattern(system: dict[str, Any]) -> str:
    """The section of channels; its groups: the channels, and the two notes."""
    channels = template_pattern(system["channels_line"], {"channels": f"({LAZY_LINE})"})
    required = re.escape(system["channels_required_note"])
    tools = re.escape(system["function_tools_note"])
    return f"{channels}({required})?(\n{tools})?"


def namespace_heading_pattern(tools: dict[str, Any]) -> str:
    """The heading of a namespace; its group: the name."""
    return template_pattern(tools["namespace_heading"], {"name": f"({LINE})"})


def tool_pattern(tools: dict[str, Any]) -> str:
    """A tool; its groups: the name, and the type of its parameters."""
    fields = {"name": f"({LAZY_LINE})", "parameters": "((?s:.*?))"}
    return template_pattern(tools["type_with_parameters"], fields)


def tool_without_pattern(tools: dict[str, Any]) -> str:
    """A tool without parameters; its group: the name."""
    return template_pattern(tools["type_without_parameters"], {"name": f"({LAZY_LINE})"})


def formats_heading(spec: Spec) -> str:
    """The heading of the response formats."""
    return re.escape(str(spec.table("developer_message")["response_formats_heading"]))


def response_format_pattern(spec: Spec) -> str:
    """The heading of a response format; its group: the name."""
    template = spec.table("developer_message")["response_format_heading"]
    return template_pattern(template, {"name": f"({LINE})"})


def section_openings(spec: Spec) -> str:
    """How a section begins that can stand behind a blank line."""
    system, developer = spec.table("system_message"), spec.table("developer_message")
    tools = spec.table("tools_section")
    return "|".join(
        [
            opening_words(system["reasoning_line"]),
            opening_words(system["channels_line"]),
            re.escape(tools["heading"] + tools["separator"])
            + opening_words(tools["namespace_heading"]),
            formats_heading(spec)
            + re.escape(developer["section_separator"])
            + opening_words(developer["response_format_heading"]),
        ]
    )


def opening_words(template: str) -> str:
    """What ``template`` has before its first field."""
    literal = re.match(r"(?:[^{}]|\{\{|\}\})*", template)
    assert literal is not None
    return template_pattern(literal[0], {})
