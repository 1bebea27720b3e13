"""Parse a recorded completion: `python examples/parse.py`."""

import json
from pathlib import Path

from harmony import ParseError, Role, load_harmony_encoding

enc = load_harmony_encoding("HarmonyGptOss")
completion = json.loads(Path(__file__).with_name("weather_completion.json").read_text())

# The prompt ended with `<|start|>assistant`, so the completion begins inside that header.
transcript = enc.parse(completion, role=Role.ASSISTANT)
for message, span in zip(transcript.messages, transcript.spans, strict=True):
    print(f"{message.channel}, tokens {span.header.start} to {span.terminator.stop - 1}:")
    print(f"  {message.content[0].text}")

# What is not in the format is refused, and the error says where and why.
try:
    enc.parse(completion)
except ParseError as error:
    print(f"\nWithout the role:\n{error}")
