"""Productions as railroad diagrams, drawn by the package `railroad-diagrams`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from harmony.docs.ebnf import Printer
from harmony.docs.extra import needs
from harmony.docs.svg import document
from harmony.docs.walking import alternatives
from harmony.syntax import Choice, Node, Repeat, Rule, Sequence, Terminal

if TYPE_CHECKING:
    from harmony.spec import Spec
    from harmony.syntax import Syntax

WIDTH = 660
"""Pixels; what is wider goes on in another line."""
PADDING = 8


@attrs.frozen
class Railroad:
    """Draws the productions of one grammar."""

    printer: Printer
    rail: Any = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        rail = needs("railroad")
        rail.INTERNAL_ALIGNMENT = "left"
        object.__setattr__(self, "rail", rail)

    @classmethod
    def of(cls, syntax: Syntax, spec: Spec) -> Railroad:
        """What draws ``syntax``. Raises `MissingExtra`."""
        return cls(Printer.of(syntax, spec))

    def rule(self, name: str) -> str:
        """The diagram of the rule ``name``, an SVG file. Raises `GrammarError`."""
        rail = self.rail
        node = self.printer.syntax.rule(name)
        diagram = rail.Diagram(self._item(node, WIDTH), type="complex").format(PADDING)
        written: list[str] = []
        for child in diagram.children:
            child.writeSvg(written.append)
        width, height = float(diagram.attrs["width"]), float(diagram.attrs["height"])
        return document("".join(written), width, height, f"{name}: {self.printer.node(node)}")

    def _item(self, node: Node, width: float) -> Any:
        rail = self.rail
        match node:
            case Terminal(name):
                return self._terminal(name)
            case Rule(name):
                return rail.NonTerminal(name, href=f"#rule-{name}", cls="rule")
            case Sequence(()):
                return rail.Skip()
            case Sequence(parts):
                return self._rows([self._item(part, width) for part in parts], width)
            case Choice():
                items = [
                    self._aliased(alternative, alias, width - 40)
                    for alternative, alias in alternatives(node)
                ]
                return self._choice(items)
            case Repeat(part, least, most):
                return self._repeat(part, least, most, width)

    def _repeat(self, part: Node, least: int, most: int | None, width: float) -> Any:
        rail = self.rail
        if (least, most) == (0, 1):
            return rail.Optional(self._item(part, width - 40))
        often = self._item(part, width - 80)
        if (least, most) == (0, None):
            return rail.ZeroOrMore(often)
        if (least, most) == (1, None):
            return rail.OneOrMore(often)
        bounds = f"{least}" if least == most else f"{least} to {most or 'any number'}"
        return rail.OneOrMore(often, rail.Comment(f"{bounds} times"))

    def _aliased(self, node: Node, alias: str, width: float) -> Any:
        item = self._item(node, width)
        if not alias:
            return item
        return self.rail.Sequence(item, self.rail.Comment(alias.replace("_", " ")))

    def _terminal(self, name: str) -> Any:
        rail = self.rail
        texts = self.printer.literals(name)
        if not texts:
            return rail.Terminal(name, cls="pattern")
        items = [
            rail.Terminal(
                text.replace("\n", "⏎").replace(" ", "␣"),
                cls="special" if text in self.printer.special else "literal",
            )
            for text in texts
        ]
        return items[0] if len(items) == 1 else self._choice(items)

    def _choice(self, items: list[Any]) -> Any:
        choice = self.rail.Choice(0, *items)
        # railroad-diagrams 3.0.1 leaves out the height of the last one, which counts where
        # that has several lines, as in the rule `header`.
        if len(items) > 1:
            choice.down += items[-1].height
        return choice

    def _rows(self, items: list[Any], width: float) -> Any:
        """The items one after the other, in as many lines as the width asks for."""
        rows: list[list[Any]] = [[]]
        used = 0.0
        for item in items:
            needed = item.width + (20 if item.needsSpace else 0)
            if rows[-1] and used + needed > width:
                rows.append([])
                used = 0.0
            rows[-1].append(item)
            used += needed
        lines = [self.rail.Sequence(*row) for row in rows]
        return lines[0] if len(lines) == 1 else self.rail.Stack(*lines)
