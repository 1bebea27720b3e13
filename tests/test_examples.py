"""Every example runs, and says what it is there to show."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harmony import Conversation, Message, Role
from tests.shell import ROOT

EXAMPLES = ROOT / "examples"
SAYS = {
    "agent.py": ["tokens, cached 197: True", "None: It is 27 °C in Lisbon and 3 °C in Oslo."],
    "check.py": ["message 1: HAR305 the arguments are not JSON", "left: ['arguments-json']"],
    "extend.py": [
        "# Valid channels: analysis, commentary, final, critique.",
        "final mime=text/html<|message|><p>27 °C</p><|end|>",
        "in the stream: {'mime': 'text/html'}",
        "analysis to=python <|constrain|>code<|message|>1 + 1<|call|>",
        "[M]assistant[CH]final[:]hi[/M]",
        "<grammar>:1: the grammar cannot be read: Rule 'MIME' used but not defined",
    ],
    "parse.py": ["final, tokens", "Unexpected token 200005 while expecting start token 200006"],
    "recover.py": ["commentary to functions.bash: ls", "! repeated-recipient: the recipient is"],
    "render.py": ["type get_current_weather = (_: {", "stop sampling at [200002, 200012]"],
    "stream.py": ["[final] It is 27 °C in Lisbon, with a clear sky", "<|return|>"],
    "tools.py": ["functions.get_current_weather (commentary)", "(final): It is 27 °C in Lisbon."],
}


def test_all_examples_are_listed():
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_example(name, tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", EXAMPLES / name],
        capture_output=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
        timeout=120,
    )
    assert result.stderr.decode() == ""
    for text in SAYS[name]:
        assert text in result.stdout.decode()


def test_weather_has_every_kind_of_message(enc):
    weather = Conversation.from_json((EXAMPLES / "weather.json").read_text())
    assert [message.author.role for message in weather] == [
        Role.SYSTEM,
        Role.DEVELOPER,
        Role.USER,
        Role.ASSISTANT,
        Role.ASSISTANT,
        Role.TOOL,
    ]
    rendered = enc.render_conversation(weather)
    assert enc.parse(rendered).messages[2:] == weather.messages[2:]


def test_the_peer_renders_weather_alike(enc, oracle):
    import openai_harmony as peer

    text = (EXAMPLES / "weather.json").read_text()
    theirs = peer.Conversation.from_json(text)
    ours = Conversation.from_json(text)
    assert enc.render_conversation_for_completion(
        ours, Role.ASSISTANT
    ) == oracle.render_conversation_for_completion(theirs, peer.Role.ASSISTANT)


def test_weather_completion_goes_on_from_weather(enc):
    tokens = json.loads((EXAMPLES / "weather_completion.json").read_text())
    messages = enc.parse_messages_from_completion_tokens(tokens, Role.ASSISTANT)
    assert [message.channel for message in messages] == ["analysis", "final"]
    assert all(isinstance(message, Message) for message in messages)
