"""The content of system and developer messages, from their text. Reads grammar/sections.lark.

What is read is rendered again: content comes back only if it gives the very text. Identity
and instructions may be any text, and so may look like what follows them: the shortest one
is taken behind which the rest is in the grammar.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from harmony.contents import DeveloperContent, SystemContent
from harmony.errors import HarmonyError, InvalidType
from harmony.section_terminals import opening_words, section_openings, section_terminals
from harmony.section_tree import SectionTree
from harmony.sections import developer_text, system_text
from harmony.text_grammar import fault, first_difference, text_grammar
from harmony.tools import ToolNamespaceConfig
from harmony.typescript import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Token, Tree

    from harmony.spec import Spec

_STARTS = ("system", "after_identity", "developer", "after_instructions")
# A text with more places than these at which its first section may end is taken as text:
# each costs a parse.
_MOST_PLACES = 64


@attrs.frozen
class Departure:
    """Where and how a text departs from the template."""

    offset: int
    """The index of the character from which on it departs."""
    sentence: str
    """What stands there, and what the template has there."""


@attrs.frozen
class SystemReading:
    """What a system message says."""

    content: SystemContent | None
    """None if the text does not follow the template."""
    function_tools: bool = False
    """Whether the note on function tools stood there: `system_text` has to be told."""
    departure: Departure | None = None
    """Where the text departs, if ``content`` is None."""


@attrs.frozen
class DeveloperReading:
    """What a developer message says."""

    content: DeveloperContent | None
    """None if the text does not follow the template."""
    schema_style: str = STYLES[0]
    """The style in which its parameters are written."""
    departure: Departure | None = None
    """Where the text departs. Beside content: a heading within the instructions that looks
    like a section's, but is followed by something else."""


def read_system(text: str, spec: Spec) -> SystemReading:
    """Read the text of a system message. Implements [system_message].

    `system_text` gives ``text`` again, for the content and ``function_tools`` of the result.
    A text that holds none of the template's lines is no template, though it might be an
    identity and nothing else.
    """
    words = spec.table("system_message")
    top = "|".join(opening_words(words[line]) for line in ("cutoff_line", "date_line"))
    separator = re.escape(words["section_separator"])
    ends = re.compile(f"\n(?={top})|{separator}(?={section_openings(spec)})")
    found = [match.start() for match in islice(ends.finditer(text), _MOST_PLACES)]
    departures = []
    for rule, position in [("system", 0), *(("after_identity", end) for end in found)]:
        try:
            return _system(text, rule, position, spec)
        except InvalidType as departure:
            departures.append(Departure(departure.offset, departure.reason))
    return SystemReading(None, departure=_furthest(departures))


def _system(text: str, rule: str, position: int, spec: Spec) -> SystemReading:
    tree = _tree(text, rule, position, spec, "system_message")
    content, function_tools = SectionTree(spec, position).system(tree)
    _declares_tools(content, position)
    if rule == "after_identity":
        content.model_identity = text[:position]
    _verify(text, lambda: system_text(content, spec, function_tools=function_tools))
    return SystemReading(content, function_tools)


def read_developer(text: str, spec: Spec, *, schema_style: str | None = None) -> DeveloperReading:
    """Read the text of a developer message. Implements [developer_message].

    `developer_text` gives ``text`` again, for the content and ``schema_style`` of the result.
    Some texts can be read in either style, `"a b"?: 1` for one: ``schema_style`` is the one
    that is tried first.
    """
    styles = sorted(STYLES, key=lambda style: style != schema_style)
    words = spec.table("developer_message")
    separator = words["section_separator"]
    heading = words["instructions_heading"] + separator
    instructed = text.startswith(heading)
    places = [("developer", 0)]
    if instructed:
        ends = re.compile(f"{re.escape(separator)}(?={section_openings(spec)})")
        found = islice(ends.finditer(text, len(heading)), _MOST_PLACES)
        # `# Instructions` and nothing: the first section may follow at once.
        places = [("after_instructions", match.start()) for match in found]
    departures: list[Departure] = []
    for rule, position in places:
        faults = []
        for style in styles:
            try:
                content = _developer(text, rule, position, style, spec)
            except InvalidType as departure:
                faults.append(Departure(departure.offset, departure.reason))
            else:
                return DeveloperReading(content, style, _furthest(departures))
        departures += faults
    whole = DeveloperContent(instructions=text[len(heading) :]) if instructed else None
    return DeveloperReading(whole, departure=_furthest(departures))


def _developer(text: str, rule: str, position: int, style: str, spec: Spec) -> DeveloperContent:
    tree = _tree(text, rule, position, spec, "developer_message")
    content = SectionTree(spec, position, style).developer(tree)
    if rule == "after_instructions":
        words = spec.table("developer_message")
        heading = words["instructions_heading"] + words["section_separator"]
        content.instructions = text[len(heading) : position]
        _declares_tools(content, position)
    _verify(text, lambda: developer_text(content, spec, schema_style=style))
    return content


def _declares_tools(content: SystemContent | DeveloperContent, position: int) -> None:
    # Prompts are often markdown: "# Tools\n\n## search\n\nUse it with care."
    if content.tools and not any(map(_is_declared, content.tools.values())):
        raise InvalidType("a heading of tools, behind which no tool is declared", offset=position)


def _is_declared(namespace: ToolNamespaceConfig) -> bool:
    if namespace.tools:
        return True
    try:
        return namespace == ToolNamespaceConfig.built_in(namespace.name)
    except HarmonyError:
        return False


def _tree(text: str, rule: str, position: int, spec: Spec, message: str) -> Tree[Token]:
    from lark import UnexpectedInput

    rest = text[position:]
    try:
        return text_grammar("sections", section_terminals(spec, message), _STARTS).parse(rest, rule)
    except UnexpectedInput as error:
        offset, sentence = fault(error, rest)
        raise InvalidType(sentence, offset=position + offset) from None


def _verify(text: str, render: Callable[[], str]) -> None:
    try:
        again = render()
    except HarmonyError as error:
        raise InvalidType(f"what was read cannot be rendered: {error}") from None
    if again != text:
        offset = first_difference(again, text)
        raise InvalidType(
            f"{text[offset : offset + 20]!r} where the template has "
            f"{again[offset : offset + 20]!r}",
            offset=offset,
        )


def _furthest(departures: list[Departure]) -> Departure | None:
    return max(departures, key=lambda departure: departure.offset, default=None)
