"""An agent loop, from a Chat Completions request to the answer: `python examples/agent.py`.

`sample` stands for your model server; here it answers from a script.
"""

import json

from harmony import load_harmony_encoding
from harmony.convert import (
    append_completion,
    append_tool_result,
    from_chat_request,
    to_chat_message,
)

SCRIPT = [
    (
        "<|channel|>analysis<|message|>Both at once.<|end|>"
        "<|start|>assistant<|channel|>commentary<|message|>I will look.<|end|>"
        "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json"
        '<|message|>{"city": "Lisbon"}<|call|>'
        "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json"
        '<|message|>{"city": "Oslo"}<|call|>'
    ),
    "<|channel|>final<|message|>It is 27 °C in Lisbon and 3 °C in Oslo.<|return|>",
]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
REQUEST = {
    "model": "gpt-oss-20b",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it warmer in Lisbon or in Oslo?"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather in a city.",
                "parameters": PARAMETERS,
            },
        }
    ],
}


def sample(prompt: list[int], turn: int) -> list[int]:
    """The model's completion of the prompt, up to a token at which to stop."""
    assert prompt
    return load_harmony_encoding("HarmonyGptOss").encode(SCRIPT[turn], allowed_special="all")


def get_weather(city: str) -> dict[str, object]:
    """The weather, made up."""
    return {"city": city, "temperature": {"Lisbon": 27, "Oslo": 3}[city]}


TOOLS = {"get_weather": get_weather}

prompt = from_chat_request(REQUEST)
cached: list[int] = []
for turn in range(len(SCRIPT)):
    before = prompt.render()
    # What the server has cached is the beginning of what it gets next.
    print(f"{len(before)} tokens, cached {len(cached)}: {before[: len(cached)] == cached}")
    completion = sample(before, turn)
    cached = before + completion
    append_completion(prompt, completion)
    message = to_chat_message(completion, prompt)
    print(f"{message.get('reasoning')!r}: {message['content']}")
    for call in message.get("tool_calls", []):
        function = call["function"]
        result = TOOLS[function["name"]](**json.loads(function["arguments"]))
        append_tool_result(prompt, call, result)
        print(f"  {function['name']}({function['arguments']}) -> {result}")
