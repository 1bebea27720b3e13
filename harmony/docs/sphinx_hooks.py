"""What Sphinx is told to do with our pages and docstrings."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from harmony.docs.book import DIAGRAMS
from harmony.docs.extra import needs
from harmony.docs.svg import without_style

SHORT = 26
"""Characters of inline code that stand in one line."""
SMALLEST = 0.72
"""To what part of its width a diagram may shrink; on a narrower screen it scrolls."""
COLON = "\ue000"
"""Stands for a colon, which Napoleon would take for the end of an attribute's type."""


def finish_page(app: Any, doctree: Any, _: str, *, special: list[str]) -> None:
    """Put the diagrams into the page, and colour the ``special`` tokens of inline code."""
    nodes = needs("docutils.nodes")
    for literal in list(doctree.findall(nodes.literal)):
        # In a title it is also an entry of the contents list.
        if not isinstance(literal.parent, nodes.title):
            literal.replace_self(
                nodes.raw("", inline_code(literal.astext(), special), format="html")
            )
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].startswith(f"{DIAGRAMS}/"):
            svg = (Path(app.srcdir) / image["uri"]).read_text(encoding="utf-8")
            image.replace_self(nodes.raw("", diagram(svg), format="html"))


def diagram(svg: str) -> str:
    """A diagram as HTML: it shrinks with the page, as long as it can be read."""
    (natural,) = re.findall(r'<svg [^>]*? width="([\d.]+)"', svg)
    width = float(natural) * SMALLEST
    drawn = without_style(svg).replace("<svg ", f'<svg style="min-width: {width:g}px" ', 1)
    return f'<div class="diagram">{drawn}</div>'


def inline_code(text: str, special: list[str]) -> str:
    """Inline code as HTML; a long one may break around its special tokens."""
    parts = [
        f'<span class="special">{escape(part)}</span>' if index % 2 else escape(part)
        for index, part in enumerate(re.split(f"({'|'.join(map(re.escape, special))})", text))
    ]
    long = len(text) > SHORT
    kind = "docutils literal notranslate" + (" long" if long else "")
    return f'<code class="{kind}">{("<wbr>" if long else "").join(parts)}</code>'


def code_in_docstring(*given: Any) -> None:
    """Our docstrings have code in single backticks, as Markdown has; Sphinx wants two."""
    _, what, *_, lines = given
    for index, line in enumerate(lines):
        # Behind code a letter needs a mark: "`ToolDescription`s".
        lines[index] = re.sub(r"(?<!`)`([^`]+)`(?!`)(?=(\w?))", _double, line)
        if what in ("attribute", "property", "data"):
            lines[index] = lines[index].replace(":", COLON)


def plain_defaults(*given: Any) -> tuple[str | None, str | None]:
    """Defaults that attrs makes anew each time, which it has expressions of its own for."""
    *_, signature, returns = given
    if signature is not None:
        signature = re.sub(r"attr_dict\['\w+'\]\.default", "...", signature)
    return signature, returns


def colons_back(*given: Any) -> None:
    """Undo what `code_in_docstring` did to colons."""
    lines = given[-1]
    for index, line in enumerate(lines):
        lines[index] = line.replace(COLON, ":")


def _double(found: re.Match[str]) -> str:
    return f"``{found[1]}``" + ("\\ " if found[2] else "")
