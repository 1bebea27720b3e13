"""A small drawing of states and transitions, as SVG.

States stand in a row. A transition to the next one is a straight arrow, one back an arc below
the row, one to the same state a loop above it; one to an error is a dashed arrow to the error
below its state.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import attrs

from harmony.docs.svg import CHARACTER, document

if TYPE_CHECKING:
    from collections.abc import Sequence

BOX_WIDTH = 132
BOX_HEIGHT = 44
LINE = 18
"""Pixels from one line of a label to the next."""
MARGIN = 16
LOOP = 34
"""How far a loop rises above its box."""
ARC = 46
"""How far an arc to the state before hangs below the row."""


@attrs.frozen
class Edge:
    """A transition."""

    source: str
    target: str
    """A state, or whatever else: then it is an error."""
    labels: tuple[str, ...]
    """The inputs, one a line."""
    special: frozenset[str] = frozenset()
    """Those of them that are special tokens."""


def draw(states: Sequence[str], edges: Sequence[Edge], label: str) -> str:
    """An SVG file of the states and the transitions; ``label`` says what it shows."""
    return _Drawing(list(states), list(edges)).svg(label)


@attrs.define
class _Drawing:
    states: list[str]
    edges: list[Edge]
    parts: list[str] = attrs.field(factory=list)

    def svg(self, label: str) -> str:
        inner = [e for e in self.edges if e.target in self.states]
        loops = [e for e in inner if e.source == e.target]
        forward = [e for e in inner if self._at(e.source) < self._at(e.target)]
        back = [e for e in inner if self._at(e.source) > self._at(e.target)]
        errors = [e for e in self.edges if e.target not in self.states]

        gap = max([_wide(e.labels) for e in forward], default=0) + 44
        self._step = BOX_WIDTH + gap
        # A loop's label may be wider than its box.
        self._left = MARGIN + max([(_wide(e.labels) - BOX_WIDTH) / 2 for e in loops] + [0])
        width = 2 * self._left + len(self.states) * self._step - gap
        above = max([len(e.labels) * LINE + LOOP for e in loops], default=0)
        self._top = MARGIN + above
        lines = max([len(e.labels) for e in back], default=0)
        self._error_top = self._top + BOX_HEIGHT + (ARC + lines * LINE if back else 0) + 34
        error_lines = max([len(e.labels) for e in errors], default=0)
        height = self._error_top + (error_lines * LINE + BOX_HEIGHT if errors else -34) + MARGIN

        for edge in back:
            self._back(edge)
        for edge in errors:
            self._error(edge)
        for edge in loops:
            self._loop(edge)
        for edge in forward:
            self._forward(edge)
        for state in self.states:
            x, y = self._box(state)
            self._rect(x, y, BOX_WIDTH, BOX_HEIGHT, "rule")
            self._text(x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2 + 4, state, "rule")
        return document("\n".join(self.parts), width, height, label)

    _step: float = attrs.field(init=False, default=0)
    _left: float = attrs.field(init=False, default=0)
    _top: float = attrs.field(init=False, default=0)
    _error_top: float = attrs.field(init=False, default=0)

    def _at(self, state: str) -> int:
        return self.states.index(state)

    def _box(self, state: str) -> tuple[float, float]:
        return self._left + self._at(state) * self._step, self._top

    def _forward(self, edge: Edge) -> None:
        x, y = self._box(edge.source)
        end = self._box(edge.target)[0]
        middle = y + BOX_HEIGHT / 2
        if self._at(edge.target) == self._at(edge.source) + 1:
            self._path(f"M{x + BOX_WIDTH:g} {middle:g}H{end - 8:g}")
            self._arrow(end, middle, 1, 0)
            self._lines(edge, (x + BOX_WIDTH + end) / 2, middle - 8, upwards=True)
            return
        # Over the boxes between.
        start = x + BOX_WIDTH * 0.8
        stop = end + BOX_WIDTH * 0.2
        self._path(
            f"M{start:g} {y:g}C{start:g} {y - LOOP * 2:g} {stop:g} {y - LOOP * 2:g} "
            f"{stop:g} {y - 8:g}"
        )
        self._arrow(stop, y, 0, 1)
        self._lines(edge, (start + stop) / 2, y - LOOP * 1.5 - 6, upwards=True)

    def _back(self, edge: Edge) -> None:
        x, y = self._box(edge.source)
        bottom = y + BOX_HEIGHT
        start = x + BOX_WIDTH * 0.75
        stop = self._box(edge.target)[0] + BOX_WIDTH * 0.25
        low = bottom + ARC
        self._path(
            f"M{start:g} {bottom:g}V{low - 12:g}Q{start:g} {low:g} {start - 12:g} {low:g}"
            f"H{stop + 12:g}Q{stop:g} {low:g} {stop:g} {low - 12:g}V{bottom + 8:g}"
        )
        self._arrow(stop, bottom, 0, -1)
        self._lines(edge, (start + stop) / 2 + BOX_WIDTH / 2, low + LINE)

    def _loop(self, edge: Edge) -> None:
        x, y = self._box(edge.source)
        middle = x + BOX_WIDTH / 2
        top = y - LOOP
        self._path(
            f"M{middle - 22:g} {y:g}C{middle - 34:g} {top:g} {middle + 34:g} {top:g} "
            f"{middle + 22:g} {y - 7:g}"
        )
        self._arrow(middle + 20, y, -0.25, 1)
        self._lines(edge, middle, top + 2, upwards=True)

    def _error(self, edge: Edge) -> None:
        x, y = self._box(edge.source)
        middle = x + BOX_WIDTH / 2
        self._path(f"M{middle:g} {y + BOX_HEIGHT:g}V{self._error_top - 8:g}", "dashed")
        self._arrow(middle, self._error_top, 0, 1)
        self._rect(x, self._error_top, BOX_WIDTH, BOX_HEIGHT - 12, "error")
        self._text(middle, self._error_top + 20, edge.target, "error")
        self._lines(edge, middle, self._error_top + BOX_HEIGHT + 6)

    def _lines(
        self,
        edge: Edge,
        x: float,
        y: float,
        *,
        upwards: bool = False,
    ) -> None:
        top = y - (len(edge.labels) - 1) * LINE if upwards else y
        for index, label in enumerate(edge.labels):
            style = "special" if label in edge.special else "muted"
            self._text(x, top + index * LINE, label, style)

    def _text(self, x: float, y: float, text: str, kind: str) -> None:
        self.parts.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>')

    def _rect(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        self.parts.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            'rx="8"/>'
        )

    def _path(self, d: str, kind: str = "") -> None:
        self.parts.append(f'<path class="{kind}" d="{d}"/>' if kind else f'<path d="{d}"/>')

    def _arrow(self, x: float, y: float, dx: float, dy: float) -> None:
        """A head at (x, y) that points along (dx, dy)."""
        left = f"{x - 8 * dx - 4 * dy:g} {y - 8 * dy + 4 * dx:g}"
        right = f"{x - 8 * dx + 4 * dy:g} {y - 8 * dy - 4 * dx:g}"
        self.parts.append(f'<path class="arrow" d="M{x:g} {y:g}L{left}L{right}Z"/>')


def _wide(labels: tuple[str, ...]) -> float:
    return max((len(label) for label in labels), default=0) * CHARACTER
