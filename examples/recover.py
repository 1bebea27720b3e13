"""Read what is not in the format, and say what was wrong: `python examples/recover.py`."""

from harmony import Role, load_harmony_encoding

enc = load_harmony_encoding("HarmonyGptOss")
DAMAGED = [
    "<|channel|>commentary to=functions.bash to=functions.bash<|message|>ls<|call|>",
    "<|channel|>analysis<|message|>Easy.<|end|>assistant<|channel|>final<|message|>4<|return|>",
    "The answer, without any header.",
]

for text in DAMAGED:
    tokens = enc.encode(text, allowed_special="all")
    transcript = enc.parse(tokens, Role.ASSISTANT, strict=False, tools=["functions.bash"])
    print(text)
    for message in transcript.messages:
        print(f"  {message.channel} to {message.recipient}: {message.content[0].text}")
    for diagnostic in transcript.diagnostics:
        print(f"  ! {diagnostic.code}: {diagnostic.message}")
