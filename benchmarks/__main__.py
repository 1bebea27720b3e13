"""All tables: ``python -m benchmarks [--json] [--quick] [--markdown]``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from typing import Any

import attrs

import harmony
from benchmarks import constrain, scenarios
from benchmarks.measure import Process, Row, as_json, best_of, compare, processes
from harmony.spec import load_spec
from harmony.vocabulary import export

GROWTH = (1_000, 10_000, 100_000, 1_000_000)
FIRST_PARSE = """
import {api} as api
enc = api.load_harmony_encoding("HarmonyGptOss")
enc.parse_messages_from_completion_tokens({tokens})
"""
FIRST_RENDER = """
import {api} as api
enc = api.load_harmony_encoding("HarmonyGptOss")
user = api.Message.from_role_and_content(api.Role.USER, "Hello there.")
system = api.Message.from_role_and_content(api.Role.SYSTEM, api.SystemContent.new())
conversation = api.Conversation.from_messages([system, user])
enc.render_conversation_for_completion(conversation, api.Role.ASSISTANT)
"""
# Run in a process of its own for each size: what is measured is the peak.
GROWTH_CODE = """
import harmony, time, json
enc = harmony.load_harmony_encoding("HarmonyGptOss", cache_bytes=0)
head = [200006, 173781, 200005, 17196, 200008]
from benchmarks.scenarios import PROSE, SCRIPTS
text = enc.encode(PROSE + SCRIPTS)
tokens = head + (text * ({size} // len(text) + 1))[: {size} - len(head) - 1] + [200007]
enc.parse_messages_from_completion_tokens(tokens[:500] + [200007])
def timed(call):
    times = []
    for _ in range(3):
        start = time.perf_counter(); call(); times.append(time.perf_counter() - start)
    return min(times)
def stream():
    parser = harmony.StreamableParser(enc, None)
    for token in tokens: parser.process(token)
    assert parser.current_content == "" and len(parser.messages) == 1
def deltas():
    parser = harmony.StreamableParser(enc, None)
    for token in tokens:
        parser.process(token); parser.last_content_delta
def feed():
    harmony.StreamableParser(enc, None).feed(tokens)
messages = enc.parse_messages_from_completion_tokens(tokens)
conversation = harmony.Conversation.from_messages(messages)
print(json.dumps({{
    "tokens": {size},
    "parse": timed(lambda: enc.parse_messages_from_completion_tokens(tokens)),
    "stream": timed(stream),
    "stream_deltas": timed(deltas),
    "feed": timed(feed),
    "render": timed(lambda: enc.render_conversation(conversation)),
    "peak_mib": int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024,
}}))
"""


def speed_rows(peer_api: Any) -> list[Row]:  # noqa: C901 (one table, in one place)
    """Every row of the speed table."""
    cold = harmony.load_harmony_encoding("HarmonyGptOss", cache_bytes=0)
    warm = harmony.load_harmony_encoding("HarmonyGptOss")
    peer = peer_api.load_harmony_encoding("HarmonyGptOss")
    rows = []

    def render_rows(
        name: str, make: Any, cold_floor: float | None, warm_floor: float | None
    ) -> None:
        ours, theirs = make(harmony), make(peer_api)
        keep = harmony.RenderConversationConfig(auto_drop_analysis=False)
        keep_theirs = peer_api.RenderConversationConfig(auto_drop_analysis=False)
        roles = (harmony.Role.ASSISTANT, peer_api.Role.ASSISTANT)

        def peer_renders() -> object:
            return peer.render_conversation_for_completion(theirs, roles[1], keep_theirs)

        tokens = cold.render_conversation_for_completion(ours, roles[0], keep)
        assert tokens == peer_renders()
        for label, enc, floor in (("cache off", cold, cold_floor), ("repeated", warm, warm_floor)):

            def we_render(enc: harmony.HarmonyEncoding = enc) -> object:
                return enc.render_conversation_for_completion(ours, roles[0], keep)

            we_render()
            row = compare(
                f"render {name}, {label}", we_render, peer_renders, floor=floor, tokens=len(tokens)
            )
            rows.append(row)

    render_rows("tool call", scenarios.tool_conversation, 45, 150)
    render_rows("large, keeping analysis", scenarios.large_conversation, 4, None)
    render_rows("code and scripts", scenarios.real_conversation, None, None)

    def parse_rows(name: str, text: str, floors: tuple[float | None, ...]) -> None:
        tokens = warm.encode(text, allowed_special="all")
        count = len(tokens)

        def peer_parses() -> object:
            return peer.parse_messages_from_completion_tokens(tokens)

        def stream(api: Any, enc: Any) -> object:
            parser = api.StreamableParser(enc, None)
            for token in tokens:
                parser.process(token)
            return parser

        def stream_deltas(api: Any, enc: Any) -> object:
            parser = api.StreamableParser(enc, None)
            for token in tokens:
                parser.process(token)
                parser.last_content_delta  # noqa: B018 (a property, read for its cost)
            return parser

        def peer_streams() -> object:
            return stream(peer_api, peer)

        def we_stream() -> object:
            return stream(harmony, warm)

        def peer_reads_deltas() -> object:
            return stream_deltas(peer_api, peer)

        def we_read_deltas() -> object:
            return stream_deltas(harmony, warm)

        def we_feed() -> object:
            return harmony.StreamableParser(warm, None).feed(tokens)

        def we_parse() -> object:
            return warm.parse_messages_from_completion_tokens(tokens)

        def we_recover() -> object:
            return warm.parse_messages_from_completion_tokens(tokens, strict=False)

        parse, process, feed = floors
        for label, ours, theirs, floor in (
            (f"parse {name}", we_parse, peer_parses, parse),
            (f"parse {name}, strict=False", we_recover, peer_parses, None),
            (f"stream {name}, `process` a token", we_stream, peer_streams, process),
            (f"stream {name}, and read each delta", we_read_deltas, peer_reads_deltas, None),
            (f"stream {name}, `feed` of all", we_feed, peer_streams, feed),
        ):
            rows.append(compare(label, ours, theirs, floor=floor, tokens=count))

    parse_rows("tool call", scenarios.TOOL_CALL, (150, 75, None))
    parse_rows("large completion", scenarios.completion_text(6_400), (30, 8, 25))
    parse_rows(
        "code and scripts",
        scenarios.completion_text(20_000, scenarios.code() + scenarios.SCRIPTS),
        (None, None, None),
    )
    return rows


def start_rows(folder: str, runs: int) -> dict[str, list[Process]]:
    """From the start of a process to the first parse, and to the first rendering."""
    environment = dict(os.environ)
    tokens = harmony.load_harmony_encoding("HarmonyGptOss").encode(
        scenarios.TOOL_CALL, allowed_special="all"
    )
    rows = {}
    for name, code in (("first parse", FIRST_PARSE), ("first render", FIRST_RENDER)):
        ours = code.format(api="harmony", tokens=tokens)
        theirs = code.format(api="openai_harmony", tokens=tokens)
        theirs = f"import os; os.environ['TIKTOKEN_ENCODINGS_BASE'] = {folder!r}\n{theirs}"
        rows[name] = processes([ours, theirs], runs, environment)
    rows["`import harmony`"] = processes(["import harmony", "pass"], runs, environment)
    command = "import sys; sys.argv = ['harmony', 'stop']\nfrom harmony.cli import main\n"
    command += "try:\n    main()\nexcept SystemExit:\n    pass"
    rows["`harmony stop`"] = processes([command, "pass"], runs, environment)
    return rows


def growth_rows(sizes: tuple[int, ...]) -> list[dict[str, float]]:
    """Time and memory at growing numbers of tokens; a process for each."""
    import json
    import subprocess

    rows = []
    for size in sizes:
        code = GROWTH_CODE.format(size=size)
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        rows.append(json.loads(done.stdout))
    return rows


def loading_rows() -> dict[str, float]:
    """Milliseconds for what is made when it is first used."""
    from harmony.grammar import load_grammar
    from harmony.matcher import Matcher
    from harmony.vocabulary import Vocabulary, ordinary_tokens

    spec = load_spec()
    facts = spec.table("vocabulary")

    def tokens() -> object:
        ordinary_tokens.cache_clear()
        return ordinary_tokens(None, facts["file"], facts["sha256"])

    def matcher() -> object:
        import re

        re.purge()
        return Matcher(load_grammar(spec)).message

    vocabulary = Vocabulary(spec)
    times = {
        "tokens unpacked": best_of(tokens),
        "lexer table": best_of(lambda: Vocabulary(spec).table),
        "tokenizer": best_of(lambda: Vocabulary(spec).encoder),
        "grammar compiled": best_of(matcher),
    }
    assert vocabulary.size
    return {name: seconds * 1e3 for name, seconds in times.items()}


def check_rows(count: int) -> dict[str, float]:
    """Messages that are checked in a minute, one conversation of seven after the other."""
    enc = harmony.load_harmony_encoding("HarmonyGptOss")
    told = [scenarios.checked_conversation(harmony, number) for number in range(count)]
    keep = harmony.RenderConversationConfig(auto_drop_analysis=False)
    tokens = [enc.render_conversation(each, keep) for each in told]
    texts = [enc.parse(each).conversation for each in tokens]
    damaged = [[*each[:-1], enc.stop_tokens()[0], *each[-1:]] for each in tokens]
    messages = sum(len(each.messages) for each in told)
    enc.check(told[0])

    def rate(checked: list[Any], **options: Any) -> float:
        seconds = best_of(lambda: [enc.check(each, **options) for each in checked])
        return messages / seconds * 60

    return {
        "conversations": rate(told),
        "conversations, without JSON Schemas": rate(told, ignore="HAR306,HAR404,HAR801"),
        "conversations, and their context": rate(told, context=8192),
        "conversations whose system and developer messages are text": rate(texts),
        "tokens": rate(tokens),
        "tokens that only a lenient parser reads": rate(damaged),
    }


def main() -> None:
    """Measure everything and print it."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options.add_argument("--quick", action="store_true", help="fewer runs, up to 100,000 tokens")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export(folder, load_spec())
        os.environ["TIKTOKEN_ENCODINGS_BASE"] = folder
        import openai_harmony  # type: ignore[import-untyped]

        rows = speed_rows(openai_harmony)
        del os.environ["TIKTOKEN_ENCODINGS_BASE"]
        starts = start_rows(folder, 3 if chosen.quick else 9)
    growth = growth_rows(GROWTH[:3] if chosen.quick else GROWTH)
    loading = loading_rows()
    checks = check_rows(100 if chosen.quick else 500)
    masks = constrain.rows()
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }
    if chosen.json:
        result = {
            "machine": machine,
            "speed": [{**attrs.asdict(row), "ratio": row.ratio} for row in rows],
            "start": starts,
            "growth": growth,
            "loading_ms": loading,
            "checked_messages_a_minute": checks,
            "masks": masks,
        }
        print(as_json(result))
        return
    print(", ".join(f"{name} {value}" for name, value in machine.items()), end="\n\n")
    print_speed(rows)
    print_starts(starts)
    print_growth(growth)
    constrain.print_rows(masks)
    print("| made when first used | ms |\n|---|---:|")
    for name, value in loading.items():
        print(f"| {name} | {value:.1f} |")
    print("\n| checked | messages a minute |\n|---|---:|")
    for name, value in checks.items():
        print(f"| {name} | {value:,.0f} |")


def print_speed(rows: list[Row]) -> None:
    """The speed table."""
    print("| row | ours µs | openai-harmony µs | ratio | floor | ours tokens/s |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in rows:
        rate = f"{row.tokens / row.ours:.1f} M" if row.tokens else ""
        floor = f"{row.floor:g}×" if row.floor else ""
        figures = f"{row.ours:.2f} | {row.peer:.1f} | {row.ratio:.1f}×"
        print(f"| {row.name} | {figures} | {floor} | {rate} |")
    print()


def print_starts(starts: dict[str, list[Process]]) -> None:
    """The table of whole processes."""
    print("| from process start | ours ms | peer ms | ratio | ours MiB | peer MiB | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, (ours, peer) in starts.items():
        label = name if name.startswith("first") else f"{name} (beside an empty program)"
        wall = f"{ours.seconds * 1e3:.0f} | {peer.seconds * 1e3:.0f}"
        memory = f"{ours.mebibytes:.0f} | {peer.mebibytes:.0f}"
        ratios = ours.seconds / peer.seconds, ours.mebibytes / peer.mebibytes
        print(f"| {label} | {wall} | {ratios[0]:.2f} | {memory} | {ratios[1]:.2f} |")
    print()


def print_growth(growth: list[dict[str, float]]) -> None:
    """The table of growing inputs."""
    print("| tokens | parse ms | stream ms | with deltas ms | feed ms | render ms | peak MiB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for row in growth:
        times = [row[k] * 1e3 for k in ("parse", "stream", "stream_deltas", "feed", "render")]
        cells = " | ".join(f"{value:.2f}" for value in times)
        print(f"| {row['tokens']:,} | {cells} | {row['peak_mib']:.0f} |")
    print()


if __name__ == "__main__":
    main()
