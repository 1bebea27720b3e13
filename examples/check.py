"""Find what is wrong with a conversation, and mend it: `python examples/check.py`."""

from harmony import Conversation, apply_fixes, load_harmony_encoding

enc = load_harmony_encoding("HarmonyGptOss")
conversation = Conversation.from_dict(
    {
        "messages": [
            {"role": "user", "channel": "final", "content": "How warm is it in Lisbon?"},
            {
                "role": "assistant",
                "channel": "analysis",
                "recipient": "functions.get_weather",
                "content": "city: Lisbon",
            },
            {"role": "tool", "name": "get_weather", "content": "27"},
            {"role": "assistant", "content": "It is 27 °C."},
        ]
    }
)

for finding in enc.check(conversation):
    print(f"message {finding.message_index}: {finding.code} {finding.message}")
    if finding.fix is not None:
        print(f"  fix: {finding.fix.description}")

fixed = apply_fixes(conversation, enc.check(conversation))
print("left:", [finding.name for finding in enc.check(fixed)])
