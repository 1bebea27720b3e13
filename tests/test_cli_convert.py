"""What ``harmony convert`` prints, and how it fails."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from harmony.cli.entry import command
from tests.shell import ROOT

REQUEST = ROOT / "examples" / "chat_request.json"
COMPLETION = ROOT / "examples" / "weather_completion.json"


def run(*args, document=None):
    text = document if isinstance(document, str) or document is None else json.dumps(document)
    return CliRunner().invoke(command, ["convert", *map(str, args)], input=text)


def there(source, target, *args, document=None, **options):
    result = run("--from", source, "--to", target, *args, document=document, **options)
    assert result.exit_code == 0, result.output
    return result


class TestRequests:
    def test_to_harmony(self, enc):
        text = there("chat", "harmony", "--text", "--date", "2025-06-28", REQUEST).stdout
        tokens = there("chat", "harmony", "--tokens", "--date", "2025-06-28", REQUEST).stdout
        assert enc.decode(json.loads(tokens)) + "\n" == text
        assert "Current date: 2025-06-28" in text
        conversation = json.loads(there("chat", "harmony", REQUEST).stdout)
        assert [m["role"] for m in conversation["messages"]][:3] == ["system", "developer", "user"]

    def test_round(self):
        request = json.loads(REQUEST.read_text("utf-8"))
        as_items = there("chat", "responses", REQUEST).stdout
        back = json.loads(there("responses", "chat", document=as_items).stdout)
        assert [m["role"] for m in back["messages"]] == ["developer", "user", "assistant", "tool"]
        assert back["messages"][1:] == request["messages"][1:]
        harmony = there("chat", "harmony", "--tokens", REQUEST).stdout
        for document in (harmony, json.dumps({"tokens": json.loads(harmony)})):
            again = json.loads(there("harmony", "chat", "--model", "m", document=document).stdout)
            assert again["model"] == "m"
            assert again["tools"] == request["tools"]

    def test_lines(self):
        good = {"messages": [{"role": "user", "content": "hi"}]}
        lines = "\n".join(json.dumps(line) for line in [good, {}, good])
        result = run("--from", "chat", "--to", "harmony", "--text", "--jsonl", document=lines)
        assert result.exit_code == 1
        assert len(result.stdout.splitlines()) == 2
        assert "line 2: messages: expected a list of messages" in result.stderr

    def test_what_is_lost_is_said(self):
        message = {"role": "assistant", "refusal": "no"}
        result = there("chat", "harmony", document={"messages": [message]})
        assert "info: messages[0].refusal: a refusal is plain text to the model" in result.stderr

    def test_a_spelled_prompt(self):
        text = "<|start|>user<|message|>hi<|end|><|start|>assistant"
        made = json.loads(there("harmony", "responses", document=json.dumps(text)).stdout)
        assert made["input"] == [{"role": "user", "content": "hi"}]


class TestCompletions:
    def test_chat(self):
        made = json.loads(
            there("harmony", "chat", "--completion", "--reasoning-field", "r", COMPLETION).stdout
        )
        assert made["choices"][0]["message"]["r"].startswith("The tool says 27 °C")

    def test_responses(self):
        made = json.loads(there("harmony", "responses", "--completion", COMPLETION).stdout)
        assert [item["type"] for item in made["output"]] == ["reasoning", "message"]

    @pytest.mark.parametrize(("target", "last"), [("chat", "stop"), ("responses", "completed")])
    def test_streams(self, target, last):
        result = there("harmony", target, "--completion", "--stream", COMPLETION)
        assert last in result.stdout.splitlines()[-1]

    def test_a_stream_of_messages(self):
        document = {"messages": [{"role": "assistant", "channel": "final", "content": "Hi"}]}
        result = there("harmony", "chat", "--completion", "--stream", document=document)
        assert '"content": "Hi"' in result.stdout

    def test_reports(self):
        text = json.dumps("<|channel|>commentary bash to=bash json<|message|>{}<|call|>")
        for stream in ([], ["--stream"]):
            args = ["--completion", "--tool", "functions.bash", *stream]
            result = there("harmony", "chat", *args, document=text)
            assert "junk-words" in result.stderr
            assert '"name": "bash"' in result.stdout


class TestMistakes:
    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (["--from", "chat"], "Missing option '--to'"),
            (["--from", "chat", "--to", "x"], "'x' is not one of"),
            (["--from", "chat", "--to", "chat", "--stream"], "--stream needs --completion"),
            (["--from", "chat", "--to", "chat", "--completion"], "goes from harmony"),
            (["--from", "chat", "--to", "chat", "--text"], "need --to harmony"),
            (["--from", "chat", "--to", "harmony", "--text", "--tokens"], "exclude each other"),
            (
                ["--from", "harmony", "--to", "chat", "--completion", "--stream", "--jsonl"],
                "--stream and --jsonl exclude each other",
            ),
        ],
    )
    def test_use(self, args, said):
        result = run(*args, document="{}")
        assert result.exit_code == 2
        assert said in result.stderr
