"""Constrained decoding: how long a mask takes, and how long until there is one.

Nothing is compared: openai-harmony has no masks. Floors: a median mask under 60 µs, a matcher
for 8 tools within 10 ms.
"""

from __future__ import annotations

import importlib.util
import random
import statistics
import time
from typing import Any

import attrs

import harmony

TOOLS = (1, 8, 64)
COMPLETIONS = 30
ROUNDS = 7
FLOOR_MASK_US, FLOOR_MADE_MS = 60.0, 10.0


@attrs.frozen
class Masks:
    """One line of the table: a request with so many tools."""

    tools: int
    grammar_ms: float
    """`completion_grammar`, from tools to a grammar."""
    matcher_ms: float
    """`matcher()`: the grammar written, and read by llguidance."""
    copy_us: float
    """Another matcher of the same grammar."""
    mask_us: float
    """The median."""
    mask_p99_us: float
    gbnf_ms: float
    """`to_gbnf`."""
    xgrammar_ms: float
    """`to_xgrammar`."""


def tool(index: int) -> dict[str, Any]:
    """A tool with ten properties."""
    kinds: list[dict[str, Any]] = [
        {"type": "string"},
        {"type": "integer", "minimum": 0},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "maxLength": 100},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"type": "object", "properties": {"x": {"type": "number"}}, "additionalProperties": False},
    ]
    schema = {
        "type": "object",
        "properties": {f"property_{number}": kind for number, kind in enumerate(kinds)},
        "required": ["property_0"],
        "additionalProperties": False,
    }
    return {"type": "function", "name": f"tool_{index}", "parameters": schema}


class Timed:
    """A matcher whose masks are timed."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self.accept = matcher.accept
        self.times: list[float] = []

    @property
    def done(self) -> bool:
        """Whether the completion is whole."""
        return bool(self._matcher.done)

    def mask(self) -> bytes:
        """The mask."""
        start = time.perf_counter()
        mask: bytes = self._matcher.mask()
        self.times.append(time.perf_counter() - start)
        return mask


def _best(call: Any) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def rows() -> list[Masks]:
    """The table; empty where the extra `constrain` is not installed."""
    if importlib.util.find_spec("llguidance") is None:
        return []
    from harmony.constrain import completion_grammar
    from harmony.constrain.matcher import Matcher
    from harmony.constrain.simulate import draw

    enc = harmony.load_harmony_encoding("HarmonyGptOss")
    completion_grammar(enc).matcher()  # The tokenizer is made once a process.
    found = []
    for count in TOOLS:
        tools = [tool(index) for index in range(count)]
        grammar = completion_grammar(enc, tools)
        times: list[float] = []
        rng = random.Random(count)
        for _ in range(COMPLETIONS):
            timed = Timed(grammar.matcher())
            draw(timed, enc, rng)
            times += timed.times
        grammar.to_gbnf()
        found.append(
            Masks(
                tools=count,
                grammar_ms=_best(lambda tools=tools: completion_grammar(enc, tools)) * 1e3,
                matcher_ms=_best(lambda g=grammar: Matcher.of(enc, g.to_llguidance())) * 1e3,
                copy_us=_best(grammar.matcher) * 1e6,
                mask_us=statistics.median(times) * 1e6,
                mask_p99_us=statistics.quantiles(times, n=100)[98] * 1e6,
                gbnf_ms=_best(grammar.to_gbnf) * 1e3,
                xgrammar_ms=_best(grammar.to_xgrammar) * 1e3,
            )
        )
    return found


def print_rows(found: list[Masks]) -> None:
    """The table of masks."""
    if not found:
        print("masks: not measured; pip install 'harmony-format[constrain]'\n")
        return
    print(
        "| tools | grammar ms | matcher ms | copy µs | mask µs | p99 µs | GBNF ms | xgrammar ms |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for row in found:
        times = [row.grammar_ms, row.matcher_ms, row.copy_us, row.mask_us, row.mask_p99_us]
        cells = " | ".join(f"{value:.1f}" for value in [*times, row.gbnf_ms, row.xgrammar_ms])
        print(f"| {row.tools} | {cells} |")
    print()


if __name__ == "__main__":
    print_rows(rows())
