"""llguidance, through our own matcher: the same rows as for the other engines."""

from __future__ import annotations

from importlib.metadata import version

NAME = f"llguidance {version('llguidance')}"


class Engine:
    """One grammar, at the start of a completion after `reset`."""

    judges_stops = True

    def __init__(self, enc, grammar) -> None:
        self._grammar = grammar
        self.reset()

    def reset(self) -> None:
        self._matcher = self._grammar.matcher()

    @property
    def done(self) -> bool:
        return self._matcher.done

    def mask(self) -> bytes:
        return self._matcher.mask()

    def accept(self, token: int) -> None:
        self._matcher.accept(token)
