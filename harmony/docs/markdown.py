"""Markdown that GitHub and the site's generator read alike."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTICE = "<!-- Written by `harmony docs build` from spec/ and grammar/. Do not edit. -->"
"""Stands on every page that is built; a page without it is written by hand."""


def table(headings: list[str], rows: Iterable[list[object]]) -> str:
    """A table; a list in a cell is joined with commas."""
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.replace("|", "\\|").replace("\n", "<br>")


def code(value: object) -> str:
    """Inline code; a value that is no text as JSON. Nothing for an empty text."""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if not shown:
        return ""
    shown = shown.replace("\n", "\\n").replace("\t", "\\t")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    marks = "`" * (longest + 1)
    space = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else ""
    return f"{marks}{space}{shown}{space}{marks}"


def fence(text: str, language: str = "") -> str:
    """A block of code."""
    marks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{marks}{language}\n{text.rstrip(chr(10))}\n{marks}"


def paragraphs(*parts: str) -> str:
    """The parts that are not empty, each with a blank line behind it."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def slug(heading: str) -> str:
    """What a link to a heading of that text is called."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
