"""A turn with a tool call, from prompt to answer: `python examples/tools.py`.

`sample` stands for your model server; here it answers from a script.
"""

import json

from harmony import Author, Conversation, Message, Role, load_harmony_encoding

enc = load_harmony_encoding("HarmonyGptOss")
STOP = set(enc.stop_tokens_for_assistant_actions())
SCRIPT = [
    (
        "<|channel|>analysis<|message|>I should look it up.<|end|>"
        "<|start|>assistant<|channel|>commentary to=functions.get_current_weather "
        '<|constrain|>json<|message|>{"location": "Lisbon"}<|call|>'
    ),
    "<|channel|>final<|message|>It is 27 °C in Lisbon.<|return|>",
]


def sample(prompt: list[int], turn: int) -> list[int]:
    """The model's completion of the prompt, up to a token in STOP."""
    assert prompt
    return enc.encode(SCRIPT[turn], allowed_special="all")


def get_current_weather(location: str) -> dict[str, object]:
    """The weather, made up."""
    return {"location": location, "temperature": 27}


TOOLS = {"functions.get_current_weather": get_current_weather}

messages = [Message.from_role_and_content(Role.USER, "What is the weather like in Lisbon?")]
for turn in range(len(SCRIPT)):
    prompt = enc.render_conversation_for_completion(
        Conversation.from_messages(messages), Role.ASSISTANT
    )
    completion = sample(prompt, turn)
    assert completion[-1] in STOP
    messages += enc.parse_messages_from_completion_tokens(completion, Role.ASSISTANT)
    call = messages[-1]
    if call.recipient in TOOLS:
        result = TOOLS[call.recipient](**json.loads(call.content[0].text))
        answer = Message.from_author_and_content(
            Author.new(Role.TOOL, call.recipient), json.dumps(result)
        )
        messages.append(answer.with_channel("commentary").with_recipient("assistant"))

for message in messages:
    name = message.author.name or message.author.role.value
    print(f"{name} ({message.channel}): {message.content[0].text}")
