"""Other channels, header fields, dialects and vocabularies, without a change of the library.

An overlay is a TOML file of the shape of spec/harmony.toml, or a `.lark` file that extends
grammar/message.lark. Whatever is derived from spec and grammar follows: the parser, the stream
parser, the renderer, recovery.
"""

from pathlib import Path

import tiktoken

from harmony import (
    GrammarError,
    Message,
    Role,
    StreamableParser,
    SystemContent,
    load_harmony_encoding,
)
from harmony.spec import load_spec

OVERLAYS = Path(__file__).parent / "overlays"
NAME = "HarmonyGptOss"


def said_by_the_assistant(text: str, channel: str) -> Message:
    """A message of the assistant."""
    return Message.from_role_and_content(Role.ASSISTANT, text).with_channel(channel)


# A channel of one's own. A system message can declare it; recovery knows the word.
enc = load_harmony_encoding(NAME, spec=OVERLAYS / "critique.toml")
channels = SystemContent.new().with_required_channels(enc.spec.channel_names)
system = Message.from_role_and_content(Role.SYSTEM, channels)
print(enc.decode(enc.render(system)).splitlines()[-1])
damaged = enc.encode("<|channel|>critiqueToo long.<|end|>", allowed_special="all")
(message,) = enc.parse(damaged, Role.ASSISTANT, strict=False).messages
assert message == said_by_the_assistant("Too long.", "critique")

# A header field of one's own: a row of the spec, three lines of grammar.
enc = load_harmony_encoding(NAME, spec=OVERLAYS / "mime.toml", grammar=OVERLAYS / "mime.lark")
page = said_by_the_assistant("<p>27 °C</p>", "final").with_extra("mime", "text/html")
tokens = enc.render(page)
print(enc.decode(tokens))
assert enc.parse(tokens).messages == [page]
parser = StreamableParser(enc, None)
for token in tokens[:-1]:
    parser.process(token)
print("in the stream:", parser.current_extra)

# A dialect of one's own.
enc = load_harmony_encoding(NAME, spec=OVERLAYS / "loud.toml", dialect="loud")
call = said_by_the_assistant("1 + 1", "analysis").with_recipient("python").with_content_type("code")
print(enc.decode(enc.render(call)))

# Another model, with special tokens of its own on a tiktoken encoding of its own.
names = {"start": "[M]", "message": "[:]", "end": "[/M]", "channel": "[CH]", "constrain": "[AS]"}
names["call"] = "[CALL]"
small = tiktoken.Encoding(
    "small",
    pat_str=r"\w+|\W",
    mergeable_ranks={bytes([byte]): byte for byte in range(256)} | {b"hi": 256},
    special_tokens={text: 300 + index for index, text in enumerate([*names.values(), "[PAD]"])},
)
spec = load_spec().with_vocabulary(small, names)
# It has no token of its own for the end of a turn.
stops = {"any": ["end", "call"], "assistant_actions": ["end", "call"]}
spec = spec.overlaid({"stop": stops, "terminators": {"training": "end"}})
enc = load_harmony_encoding(NAME, spec=spec)
tokens = enc.render(said_by_the_assistant("hi", "final"))
print(enc.decode(tokens), tokens[-3:])

# What contradicts itself is refused when it is loaded, with the file, the line and the reason.
try:
    load_harmony_encoding(NAME, grammar="%extend header: author MIME\n")
except GrammarError as error:
    print(error)
