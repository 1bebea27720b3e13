"""Canonical conversations to draw: what the format says is right, in all its variety."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from harmony import (
    Author,
    Conversation,
    DeveloperContent,
    Message,
    Role,
    SystemContent,
    ToolDescription,
)
from harmony.check.facts import Facts
from harmony.spec import load_spec
from tests.strategies import CHARACTERS

FACTS = Facts(load_spec())
#: Texts that say something, and spell no special token.
WORDS = (
    st.sampled_from(
        [
            "Hi.",
            "What is 2 + 2?",
            "日本語",
            "👩‍👩‍👧",
            "a: <b>\n\n{c}",
            '{"a": 1}',
            "don't",
            "é\u0301",
        ]
    )
    | st.text(CHARACTERS, min_size=1, max_size=12)
).filter(lambda text: bool(text.strip()) and "<|" not in text)

#: Parameters, and arguments that validate against them.
_PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "array", "items": {"type": "integer"}},
        "unit": {"type": "string", "enum": ["c", "f"]},
    },
    "required": ["city"],
}
_ARGUMENTS = st.fixed_dictionaries(
    {"city": st.text(CHARACTERS, max_size=5)},
    optional={
        "days": st.lists(st.integers(-9, 9), max_size=3),
        "unit": st.sampled_from(["c", "f"]),
    },
)
TOOLS = [
    ToolDescription.new("get_weather", "Tells the weather.", _PARAMETERS),
    ToolDescription.new("get_location", "Tells the place."),
]
_JSON_TYPES = st.sampled_from(["json", "<|constrain|>json", None, "code"])


@st.composite
def _calls(draw: st.DrawFn, *, functions: bool, built_in: bool) -> list[Message]:
    """One to three calls, and their results in any order."""
    kinds = (["functions.get_weather", "functions.get_location"] if functions else []) + (
        ["python", "browser.search"] if built_in else []
    )
    calls, results = [], []
    for recipient in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
        channel = FACTS.call_channel(recipient)
        if recipient == "python":
            text, kind = draw(WORDS), draw(st.sampled_from(["code", None]))
        elif recipient == "browser.search":
            text, kind = json.dumps({"query": draw(WORDS)}), draw(st.sampled_from(["code", "json"]))
        elif recipient.endswith("weather"):
            text = json.dumps(draw(_ARGUMENTS), ensure_ascii=draw(st.booleans()))
            kind = draw(_JSON_TYPES)
        else:
            text, kind = "{}", draw(_JSON_TYPES)
        assert channel is not None
        call = _assistant(text, channel).with_recipient(recipient)
        calls.append(call if kind is None else call.with_content_type(kind))
        name = "browser" if recipient.startswith("browser") and draw(st.booleans()) else recipient
        result = Message.from_author_and_content(Author(Role.TOOL, name), draw(WORDS | st.just("")))
        results.append(result.with_channel(channel).with_recipient(FACTS.result_recipient))
    if draw(st.booleans()):
        return [message for pair in zip(calls, results, strict=True) for message in pair]
    return calls + draw(st.permutations(results))


def _assistant(text: str, channel: str) -> Message:
    return Message.from_role_and_content(Role.ASSISTANT, text).with_channel(channel)


@st.composite
def canonical(draw: st.DrawFn) -> Conversation:
    """A conversation that is right, with or without its beginning and its end."""
    functions = draw(st.booleans())
    built_in = draw(st.booleans())
    out: list[Message] = []
    if built_in or draw(st.booleans()):
        system = SystemContent.new().with_conversation_start_date("2026-01-01")
        if built_in:
            system = system.with_browser_tool().with_python_tool()
        out.append(Message.from_role_and_content(Role.SYSTEM, system))
    if functions or draw(st.booleans()):
        developer = DeveloperContent.new().with_instructions("Be brief.")
        if functions:
            developer = developer.with_function_tools(TOOLS)
        out.append(Message.from_role_and_content(Role.DEVELOPER, developer))
    reasoning, answer = FACTS.reasoning, FACTS.answer
    preamble = next(name for name in FACTS.channels if name not in (reasoning, answer))
    for _ in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(1, 2))):
            name = draw(st.sampled_from([None, None, "alice"]))
            out.append(Message.from_author_and_content(Author(Role.USER, name), draw(WORDS)))
        for _ in range(draw(st.integers(0, 2))):
            if draw(st.booleans()):
                out.append(_assistant(draw(WORDS), reasoning))
            out += [_assistant(draw(WORDS), preamble) for _ in range(draw(st.integers(0, 2)))]
            if functions or built_in:
                out += draw(_calls(functions=functions, built_in=built_in))
        out.append(_assistant(draw(WORDS.map("Answer: ".__add__)), answer))
    # It may end where somebody else goes on: behind the user, a call or a result.
    ends = [
        index + 1
        for index, message in enumerate(out)
        if message.author.role in (Role.USER, Role.TOOL)
        or FACTS.is_call(message)
        or FACTS.is_answer(message)
    ]
    return Conversation.from_messages(out[: draw(st.sampled_from(ends))])
