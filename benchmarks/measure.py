"""Times of functions and of whole processes, ours and the peer's in turn.

The machines are shared: what drifts hits both alike only if they are measured close
together, so each row takes short rounds of the one and the other and compares the best.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from timeit import Timer
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
SECONDS_A_ROUND = 0.05


@attrs.frozen
class Row:
    """One line of a table: microseconds for one call."""

    name: str
    ours: float
    peer: float
    floor: float | None = None
    """The ratio that the project has promised."""
    tokens: int | None = None
    """How many tokens a call handles."""

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.peer / self.ours


def compare(
    name: str,
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    floor: float | None = None,
    tokens: int | None = None,
) -> Row:
    """Best time of a call of each, measured in turns."""
    timers = (Timer(ours), Timer(peer))
    counts = [_count(timer) for timer in timers]
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for index, timer in enumerate(timers):
            taken = timer.timeit(counts[index]) / counts[index]
            best[index] = min(best[index], taken)
    return Row(name, best[0] * 1e6, best[1] * 1e6, floor, tokens)


def _count(timer: Timer) -> int:
    once = max(timer.timeit(1), 1e-9)
    if once < SECONDS_A_ROUND:
        once = max(timer.timeit(5) / 5, 1e-9)
    return max(1, int(SECONDS_A_ROUND / once))


def best_of(call: Callable[[], object], rounds: int = 3) -> float:
    """The best of a few single calls, in seconds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


@attrs.frozen
class Process:
    """What a whole process took, the median of several runs."""

    seconds: float
    mebibytes: float


# Runs the code that it is handed and says how much memory it took at most, in KiB. The
# kernel's own mark is read: ru_maxrss still holds what the parent took before the exec.
_RUN = (
    "import sys; exec(sys.argv[1]); "
    "print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])"
)


def processes(codes: list[str], runs: int, environment: dict[str, str]) -> list[Process]:
    """The wall time and peak memory of a new interpreter for each of ``codes``, in turns."""
    seconds: list[list[float]] = [[] for _ in codes]
    memory: list[list[float]] = [[] for _ in codes]
    for _ in range(runs):
        for index, code in enumerate(codes):
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", _RUN, code],
                check=True,
                capture_output=True,
                text=True,
                env=environment,
            )
            seconds[index].append(time.perf_counter() - start)
            memory[index].append(int(done.stdout.split()[-1]) / 1024)
    return [
        Process(sorted(times)[len(times) // 2], sorted(sizes)[len(sizes) // 2])
        for times, sizes in zip(seconds, memory, strict=True)
    ]


def as_json(value: Any) -> str:
    """``value``, a result of this package, as JSON."""
    return json.dumps(value, indent=2, default=attrs.asdict)
