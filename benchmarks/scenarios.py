"""What is measured: conversations and completions, the same for both libraries.

The first four have the shapes in which implementations of the format are usually compared:
a four-message conversation with a tool call; one of 19 messages, 16 of them of 16 kB; a
tool call of 30 tokens; a completion of about 1,300 tokens. The others are real text: prose,
code and several scripts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

TOOL_CALL = (
    "<|start|>assistant<|channel|>commentary to=functions.get_weather"
    '<|constrain|>json<|message|>{"latitude":48.2082,"longitude":16.3738}<|call|>'
)

# One paragraph in each of several scripts, written for this file.
PROSE = (
    "A tokenizer reads from left to right and never looks back, which is why a word that is "
    "split once is split the same way a thousand times. People who measure it notice two "
    "things: most of the time goes into text that was seen before, and the rest goes into "
    "text that nobody has seen.\n\n"
)
SCRIPTS = (
    "Der Tisch steht am Fenster, und draußen fällt der erste Schnee.\n"
    "Στο τραπέζι υπάρχει ένα φλιτζάνι καφέ που κρύωσε.\n"
    "На столе лежит письмо, которое никто не открывал.\n"
    "على الطاولة كتاب مفتوح على صفحته الأخيرة.\n"
    "मेज़ पर एक पुरानी घड़ी है जो अब भी चलती है।\n"
    "机の上には、読みかけの本が一冊ある。\n"
    "窗外下着雨，屋里很安静。\n"
    "책상 위에는 식은 차 한 잔이 놓여 있다.\n"
    "😀👩‍👩‍👧‍👦🇦🇹 — émojis and combining marks: e\u0301, ñ, Å.\n"
)


def code() -> str:
    """Source code: a module of this library."""
    return (ROOT / "harmony" / "contents.py").read_text(encoding="utf-8")


def tool_conversation(api: Any) -> Any:
    """A question, a thought, a call and its result."""
    message, role = api.Message, api.Role
    return api.Conversation.from_messages(
        [
            message.from_role_and_content(role.USER, "How warm is it in Vienna?"),
            message.from_role_and_content(
                role.ASSISTANT,
                "The user asks: “How warm is it in Vienna?” The tool get_weather knows that.",
            ).with_channel("analysis"),
            message.from_role_and_content(role.ASSISTANT, '{"location": "Vienna, AT"}')
            .with_channel("commentary")
            .with_recipient("functions.get_weather")
            .with_content_type("<|constrain|>json"),
            message.from_author_and_content(
                api.Author.new(role.TOOL, "functions.get_weather"),
                '{"temperature": 21, "conditions": "clear"}',
            ),
        ]
    )


def large_conversation(api: Any) -> Any:
    """System and developer messages with tools, eight rounds of 16 kB texts, an answer."""
    message, role = api.Message, api.Role
    block = (PROSE * (16_000 // len(PROSE) + 1))[:16_000]
    system = (
        api.SystemContent.new()
        .with_model_identity("A model under test.")
        .with_conversation_start_date("2026-01-01")
        .with_browser_tool()
    )
    weather = {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "City and country, e.g. Vienna, AT"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        },
        "required": ["location"],
    }
    developer = (
        api.DeveloperContent.new()
        .with_instructions("Answer in one sentence and name your sources. " * 70)
        .with_function_tools(
            [
                api.ToolDescription.new("get_location", "Tells where the user is."),
                api.ToolDescription.new("get_weather", "Tells the weather there.", weather),
            ]
        )
        .with_tools(api.ToolNamespaceConfig.python())
    )
    messages = [
        message.from_role_and_content(role.SYSTEM, system),
        message.from_role_and_content(role.DEVELOPER, developer),
    ]
    for turn in range(8):
        messages.append(message.from_role_and_content(role.USER, f"Part {turn}: {block}"))
        thought = message.from_role_and_content(role.ASSISTANT, f"Thought {turn}: {block}")
        messages.append(thought.with_channel("analysis"))
    answer = message.from_role_and_content(role.ASSISTANT, "It is all one text, eight times.")
    messages.append(answer.with_channel("final"))
    return api.Conversation.from_messages(messages)


def real_conversation(api: Any) -> Any:
    """A question about code, an answer in several scripts."""
    message, role = api.Message, api.Role
    return api.Conversation.from_messages(
        [
            message.from_role_and_content(role.SYSTEM, api.SystemContent.new()),
            message.from_role_and_content(role.USER, "What does this module do?\n\n" + code()),
            message.from_role_and_content(role.ASSISTANT, PROSE * 4).with_channel("analysis"),
            message.from_role_and_content(role.ASSISTANT, SCRIPTS * 4).with_channel("final"),
        ]
    )


def completion_text(size: int, text: str = PROSE) -> str:
    """A thought and an answer of about ``size`` characters together."""
    thought = (text * (size // len(text) + 1))[: size * 2 // 3]
    answer = (text * (size // len(text) + 1))[: size // 3]
    return (
        f"<|start|>assistant<|channel|>analysis<|message|>{thought}<|end|>"
        f"<|start|>assistant<|channel|>final<|message|>{answer}<|return|>"
    )


def checked_conversation(api: Any, number: int) -> Any:
    """A whole conversation of seven messages that is right: a call with arguments, an answer.

    ``number`` makes it another one, so that nothing that is remembered of one serves the next.
    """
    message, role = api.Message, api.Role
    weather = {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "City and country, e.g. Vienna, AT"},
            "days": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        },
        "required": ["location"],
    }
    tool = api.ToolDescription.new("get_weather", "Tells the weather there.", weather)
    developer = api.DeveloperContent.new().with_instructions(f"Be brief, number {number}.")
    name = "functions.get_weather"
    return api.Conversation.from_messages(
        [
            message.from_role_and_content(role.SYSTEM, api.SystemContent.new()),
            message.from_role_and_content(role.DEVELOPER, developer.with_function_tools([tool])),
            message.from_role_and_content(role.USER, f"How warm is it in street {number}?"),
            message.from_role_and_content(role.ASSISTANT, PROSE).with_channel("analysis"),
            message.from_role_and_content(
                role.ASSISTANT, f'{{"location": "Street {number}, Vienna, AT", "days": [0, 1]}}'
            )
            .with_channel("commentary")
            .with_recipient(name)
            .with_content_type("<|constrain|>json"),
            message.from_author_and_content(api.Author.new(role.TOOL, name), "21 °C, clear")
            .with_channel("commentary")
            .with_recipient("assistant"),
            message.from_role_and_content(role.ASSISTANT, SCRIPTS).with_channel("final"),
        ]
    )
