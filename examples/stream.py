"""Read a completion token by token, as a server does: `python examples/stream.py`."""

import json
from pathlib import Path

from harmony import (
    ContentDelta,
    HeaderParsed,
    MessageFinished,
    Role,
    StreamableParser,
    load_harmony_encoding,
)

enc = load_harmony_encoding("HarmonyGptOss")
completion = json.loads(Path(__file__).with_name("weather_completion.json").read_text())

parser = StreamableParser(enc, role=Role.ASSISTANT)
for token in completion:
    for event in parser.feed([token]):
        match event:
            case HeaderParsed(channel=channel):
                print(f"[{channel}] ", end="")
            case ContentDelta(text=text):
                print(text, end="", flush=True)
            case MessageFinished(terminator=terminator):
                print(f" {terminator}")

parser.process_eos()
assert [message.channel for message in parser.messages] == ["analysis", "final"]
