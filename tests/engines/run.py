"""The exported grammars in the real engines, without a model.

    python -m tests.engines.run xgrammar|llama_cpp|llguidance [--completions 40] [--only NAME]

Every vector of tests/vectors/constrain is accepted or refused as it says, and random
completions under the engine's mask are judged. Prints a row of Markdown for each request;
the exit status is 1 if anything was wrong. docs/constrain.md has the results.
"""

from __future__ import annotations

import argparse
import importlib
import random
import statistics
import sys
import time

from harmony import load_harmony_encoding
from harmony.constrain import completion_grammar
from harmony.constrain.simulate import draw
from tests.constrain_cases import CONFIGURATIONS, Judge
from tests.vector_files import vectors


def accepts(engine, enc, text: str) -> bool:
    """Whether the engine takes the text as a whole completion."""
    engine.reset()
    for token in enc.encode(text, allowed_special="all"):
        mask = engine.mask()
        if engine.done or not mask[token >> 3] >> (token & 7) & 1:
            return False
        engine.accept(token)
    return engine.done


def check_vectors(module, enc) -> list[str]:
    wrong = []
    count = 0
    for name, vector in vectors("constrain").items():
        engine = module.Engine(enc, completion_grammar(enc, **vector["request"]))
        rejected = vector["rejected"] + (vector["not_in_gbnf"] if engine.judges_stops else [])
        count += len(vector["accepted"]) + len(rejected)
        wrong += [f"{name} refuses {t}" for t in vector["accepted"] if not accepts(engine, enc, t)]
        wrong += [f"{name} accepts {t}" for t in rejected if accepts(engine, enc, t)]
    print(f"{module.NAME}: {count} vectors, {len(wrong)} wrong\n", flush=True)
    return wrong


class Timed:
    """An engine whose masks are timed."""

    def __init__(self, engine) -> None:
        self._engine = engine
        self.accept = engine.accept
        self.times: list[float] = []

    @property
    def done(self) -> bool:
        return self._engine.done

    def mask(self) -> bytes:
        start = time.perf_counter()
        mask = self._engine.mask()
        self.times.append(time.perf_counter() - start)
        return mask


def sample(module, enc, name: str, count: int) -> list[str]:
    options = CONFIGURATIONS[name]
    grammar = completion_grammar(enc, **options)
    start = time.perf_counter()
    engine = module.Engine(enc, grammar)
    made = time.perf_counter() - start
    judge = Judge(enc, grammar, options)
    rng = random.Random(name)
    wrong, times, tokens = [], [], 0
    for _ in range(count):
        engine.reset()
        timed = Timed(engine)
        try:
            drawn = draw(timed, enc, rng)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a bad completion)
            wrong.append(f"{name}: {error}")
            continue
        tokens += len(drawn)
        times += timed.times
        faults = judge.faults(right_stop(engine, enc, drawn))
        if is_foreign(module):  # There a text may be empty, or white space alone.
            faults = [fault for fault in faults if fault != "empty content"]
        wrong += [f"{name}: {faults}: {enc.decode(drawn)!r}"] if faults else []
    median = statistics.median(times) * 1e6 if times else 0
    print(
        f"| {name} | {count} | {len(wrong)} | {tokens / count:.0f} | {made:.2f} | {median:.0f} |",
        flush=True,
    )
    return wrong


def is_foreign(module) -> bool:
    """Whether the engine is another one than llguidance."""
    return not module.NAME.startswith("llguidance")


def right_stop(engine, enc, tokens: list[int]) -> list[int]:
    """Where an engine cannot tell call from return, the token that the message asks for."""
    if engine.judges_stops:
        return tokens
    last = tokens[-1]
    header = len(tokens) - 1 - tokens[::-1].index(enc.spec.token("message").id)
    opened = max(
        (i for i, t in enumerate(tokens[:header]) if t == enc.spec.token("start").id), default=0
    )
    calls = " to=" in enc.decode(tokens[opened:header])
    expected = enc.spec.token("call" if calls else "return").id
    # `<|endoftext|>` ends a generation there too.
    stops = {*enc.stop_tokens_for_assistant_actions(), enc.spec.token("endoftext").id}
    return [*tokens[:-1], expected] if last in stops else tokens


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("engine", choices=["xgrammar", "llama_cpp", "llguidance"])
    options.add_argument("--completions", type=int, default=40)
    options.add_argument("--only", choices=list(CONFIGURATIONS))
    chosen = options.parse_args()
    module = importlib.import_module(f"tests.engines.{chosen.engine}_engine")
    enc = load_harmony_encoding("HarmonyGptOss")
    wrong = check_vectors(module, enc)
    print("| request | completions | bad | tokens each | made in s | median mask in µs |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in [chosen.only] if chosen.only else CONFIGURATIONS:
        wrong += sample(module, enc, name, chosen.completions)
    print("\n".join(["", *wrong[:40]]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
