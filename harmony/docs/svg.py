"""What all diagrams share: their colours, light and dark, and how an SVG file is put together."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIGHT = {
    "line": "#8c959f",
    "text": "#1f2328",
    "muted": "#59636e",
    "special": "#8250df",
    "special-fill": "#f6f0ff",
    "rule": "#0550ae",
    "rule-fill": "#eaf3ff",
    "literal": "#0a6b3d",
    "literal-fill": "#e9f8ef",
    "pattern": "#7d4e00",
    "pattern-fill": "#fff6e0",
    "error": "#b42318",
    "error-fill": "#fff0ee",
}
DARK = {
    "line": "#768390",
    "text": "#e6edf3",
    "muted": "#9da7b3",
    "special": "#d2b3ff",
    "special-fill": "#2c2045",
    "rule": "#9ecbff",
    "rule-fill": "#152a45",
    "literal": "#8fe3b0",
    "literal-fill": "#12321f",
    "pattern": "#f2cc7e",
    "pattern-fill": "#3a2c0c",
    "error": "#ffa198",
    "error-fill": "#451a18",
}
CLASS = "harmony-diagram"
FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
KINDS = ("special", "rule", "literal", "pattern", "error")
CHARACTER = 7.9
"""The width of a character of 13 pixels, in pixels."""


def _variables(palette: Mapping[str, str]) -> str:
    return " ".join(f"--hd-{name}: {color};" for name, color in palette.items())


def shapes() -> str:
    """The rules of style that do not depend on light or dark."""
    rules = [
        f".{CLASS} text {{ font: 13px {FONT}; fill: var(--hd-text); text-anchor: middle; }}",
        f".{CLASS} path {{ stroke: var(--hd-line); stroke-width: 1.5; fill: none; }}",
        f".{CLASS} rect {{ stroke: var(--hd-line); stroke-width: 1.5; fill: none; }}",
        f".{CLASS} .muted, .{CLASS} .comment {{ font-size: 12px; fill: var(--hd-muted); }}",
        f".{CLASS} .left {{ text-anchor: start; }}",
        f".{CLASS} .arrow {{ fill: var(--hd-line); stroke: none; }}",
        f".{CLASS} path.dashed {{ stroke: var(--hd-error); stroke-dasharray: 5 4; }}",
        f".{CLASS} a text {{ text-decoration: underline; text-decoration-thickness: 1px; }}",
    ]
    rules += [
        f".{CLASS} .{kind} rect, .{CLASS} rect.{kind} "
        f"{{ fill: var(--hd-{kind}-fill); stroke: var(--hd-{kind}); }}\n"
        f".{CLASS} .{kind} text, .{CLASS} text.{kind} {{ fill: var(--hd-{kind}); }}"
        for kind in KINDS
    ]
    return "\n".join(rules)


def file_style() -> str:
    """The style of a file by itself: it follows the reader's colour scheme."""
    return (
        f".{CLASS} {{ {_variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ .{CLASS} {{ {_variables(DARK)} }} }}\n{shapes()}"
    )


def page_style() -> str:
    """The style for diagrams in a page of the site, which has a switch for light and dark."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f"body {{ {light} }}\n"
        f'body[data-theme="dark"] {{ {dark} }}\n'
        "@media (prefers-color-scheme: dark) "
        f'{{ body:not([data-theme="light"]) {{ {dark} }} }}\n'
        f"{shapes()}\n"
    )


def document(body: str, width: float, height: float, label: str) -> str:
    """An SVG file. ``label`` says what it shows; sizes are in pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'class="{CLASS}" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">\n'
        f"<style>\n{escape(file_style(), quote=False)}\n</style>\n{body}\n</svg>\n"
    )


def without_style(svg: str) -> str:
    """The SVG for a page that has the style already."""
    before, _, rest = svg.partition("<style>")
    return before + rest.partition("</style>\n")[2]
