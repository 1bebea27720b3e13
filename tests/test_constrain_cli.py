"""``harmony constrain`` and ``harmony simulate``."""

from __future__ import annotations

import json

import pytest

from harmony import load_harmony_encoding
from harmony.constrain import completion_grammar
from tests.constrain_cases import chat
from tests.shell import ROOT
from tests.test_cli import bad, good, harmony_, misused

TOOLS, ANSWER = ROOT / "examples" / "tools.json", ROOT / "examples" / "answer.json"


class TestConstrain:
    def test_formats(self, enc):
        tools, schema = json.loads(TOOLS.read_text()), json.loads(ANSWER.read_text())
        grammar = completion_grammar(enc, tools, schema)
        common = ["constrain", "--tools", TOOLS, "--response-format", ANSWER]
        assert good(*common) == grammar.to_llguidance()
        assert good(*common, "--stop", "eos") == grammar.to_llguidance("eos")
        assert good(*common, "--format", "gbnf") == grammar.to_gbnf()
        assert good(*common, "--format", "gbnf", "--text-tokens") == grammar.to_gbnf("text")
        assert good(*common, "--format", "xgrammar") == grammar.to_xgrammar() + "\n"

    def test_options(self, enc):
        out = good(
            "constrain", "--tools", TOOLS, "--tool-choice", "get_weather", "--reasoning", "off",
            "--no-preambles", "--recipient-in", "channel", "--content-type", "constrain",
            "--start", "start", "--whitespace", "0", "--parallel",
        )  # fmt: skip
        expected = completion_grammar(
            enc, json.loads(TOOLS.read_text()), None, "get_weather", "off", False, (),
            ("channel",), "constrain", "start", 0, True,
        )  # fmt: skip
        assert out == expected.to_llguidance()
        builtin = completion_grammar(enc, builtin_tools=["python", "browser.find"])
        assert (
            good("constrain", "--builtin", "python", "--builtin", "browser.find")
            == builtin.to_llguidance()
        )
        other = load_harmony_encoding("HarmonyGptOss", dialect="channel-first")
        written = completion_grammar(
            other, json.loads(TOOLS.read_text()), recipient_in="dialect", content_type="dialect"
        )
        options = [
            "--dialect",
            "channel-first",
            "--recipient-in",
            "dialect",
            "--content-type",
            "dialect",
        ]
        assert good("constrain", "--tools", TOOLS, *options) == written.to_llguidance()

    def test_a_request_has_tools_in_it(self):
        tools = json.loads(TOOLS.read_text())
        plain = good("constrain", "--tools", TOOLS)
        assert good("constrain", "--tools", "-", stdin=json.dumps({"tools": tools})) == plain
        one = good("constrain", "--tools", "-", stdin=json.dumps(tools[0]))
        assert "get_weather" in one
        assert "get_location" not in one

    def test_lenient(self):
        schema = json.dumps([chat({"properties": {"a": {"uniqueItems": True}}})])
        error = bad("constrain", "--tools", "-", stdin=schema)
        assert error.startswith("the schema of functions.f has 'uniqueItems', which cannot be")
        status, out, err = harmony_("constrain", "--lenient", "--tools", "-", stdin=schema)
        assert status == 0
        assert "uniqueItems" not in out
        assert err == (
            "warning: functions.f: 'uniqueItems' at /properties/a/uniqueItems, in llguidance, "
            "gbnf, xgrammar: llguidance cannot express it\n"
        )

    def test_faults(self):
        assert "--tools: the input is not JSON" in bad("constrain", "--tools", "-", stdin="{")
        assert "unknown tool_choice 'x'" in bad("constrain", "--tool-choice", "x")
        assert "--text-tokens is for --format gbnf" in misused("constrain", "--text-tokens")
        assert "tools[0]: expected a ToolDescription" in bad(
            "constrain", "--tools", "-", stdin="[1]"
        )
        assert "expected a list" in bad("constrain", "--tools", "-", stdin="3")


class TestSimulate:
    def test_messages(self):
        out = good("simulate", "--tools", TOOLS, "--tool-choice", "required", "-n", 3, "--seed", 1)
        assert out == good(
            "simulate", "--tools", TOOLS, "--tool-choice", "required", "-n", 3, "--seed", 1
        )
        lines = [json.loads(line) for line in out.splitlines()]
        assert len(lines) == 3
        for line in lines:
            assert line["stop_reason"] == "call"
            assert line["tokens"] > 3
            assert line["messages"][-1]["recipient"].startswith("functions.")

    @pytest.mark.parametrize("start", ["assistant", "start", "none"])
    def test_starts(self, start):
        options = [
            "--response-format",
            ANSWER,
            "--reasoning",
            "off",
            "--no-preambles",
            "--start",
            start,
        ]
        (line,) = good("simulate", *options, "--seed", 5).splitlines()
        (message,) = json.loads(line)["messages"]
        assert set(json.loads(message["content"][0]["text"])) <= {"city", "celsius", "sky"}
        text = good("simulate", *options, "--seed", 5, "--text")
        opening = {"assistant": "<|channel|>", "start": "assistant", "none": "<|start|>"}
        assert text.startswith(opening[start])

    def test_too_short(self):
        assert "is not whole, and there are 2 tokens" in bad("simulate", "--most", 2)
