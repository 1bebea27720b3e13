"""Completions, and histories of both APIs, to draw."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from harmony.vocabulary import ids_of
from tests.strategies import TEXT

# What models write, in the order and out of it; `{}` is where a text goes.
MESSAGES = [
    "<|channel|>analysis<|message|>{}<|end|>",
    "<|channel|>commentary<|message|>{}<|end|>",
    "<|channel|>final<|message|>{}<|return|>",
    "<|channel|>final <|constrain|>json<|message|>{}<|return|>",
    '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{{"a": "{}"}}<|call|>',
    " to=functions.g<|channel|>analysis json<|message|>{}<|call|>",
    "<|channel|>commentary to=f<|message|><|call|>",
    "<|channel|>analysis to=python code<|message|>{}<|call|>",
    "<|start|>python to=assistant<|channel|>analysis<|message|>{}<|end|>",
    '<|channel|>analysis to=browser.search code<|message|>{{"query": "{}"}}<|call|>',
    '<|channel|>analysis to=browser.find code<|message|>{{"pattern": "{}", "cursor": 3}}<|call|>',
    "<|start|>functions.f to=assistant<|channel|>commentary<|message|>{}<|end|>",
    "<|start|>user<|message|>{}<|end|>",
    "<|message|>{}<|end|>",
    "<|channel|>mumble<|channel|>final<|message|>{}<|endoftext|>",
    "commentary to=functions.f{}<|call|>",
    "{}",
    "<|end|>{}",
    "<|start|>{}",
    "<|channel|>",
    "<|channel|>analysis<|message|>{}",
]


@st.composite
def completions(draw, enc):
    """Token ids of completions: well-formed, malformed, and cut short."""
    pieces = draw(st.lists(st.sampled_from(MESSAGES), max_size=5))
    tokens = []
    for index, piece in enumerate(pieces):
        if index and not piece.startswith("<|start|>") and draw(st.integers(0, 9)):
            tokens += enc.encode("<|start|>assistant", allowed_special="all")
        before, _, after = piece.partition("{}")
        for part, is_ours in ((before, True), (draw(TEXT), False), (after, True)):
            text = part.replace("{{", "{").replace("}}", "}") if is_ours else part
            allowed = "all" if is_ours else set()
            tokens += enc.encode(text, allowed_special=allowed, disallowed_special=())
    if tokens and draw(st.booleans()):
        tokens = tokens[: draw(st.integers(0, len(tokens)))]
    return list(ids_of(tokens))


@st.composite
def chunks(draw, tokens):
    """``tokens`` cut into pieces of any size, empty ones too."""
    cuts = sorted(draw(st.lists(st.integers(0, len(tokens)), max_size=6)))
    return [tokens[a:b] for a, b in zip([0, *cuts], [*cuts, len(tokens)], strict=True)]


# ---- histories -------------------------------------------------------------------------------

NAME = st.sampled_from(["get_weather", "f", "search_2", "a-b"])
SAID = TEXT.filter(bool)
ARGUMENTS = st.dictionaries(st.text(max_size=3), SAID | st.integers(), max_size=2).map(json.dumps)


@st.composite
def chat_messages(draw):
    """Messages of Chat Completions, in the form in which they come back."""
    messages = []
    count = 0
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["user", "developer", "final", "calls"]))
        if kind in ("user", "developer"):
            messages.append({"role": kind, "content": draw(SAID)})
            if draw(st.integers(0, 4)) == 0:
                messages[-1]["name"] = "alice"
            continue
        message = {"role": "assistant", "content": draw(SAID)}
        if draw(st.booleans()):
            message["reasoning"] = draw(SAID)
        messages.append(message)
        if kind == "final":
            continue
        if draw(st.booleans()):
            message["content"] = None
        names = draw(st.lists(NAME, min_size=1, max_size=3))
        ids = [f"id_{count + index}" for index in range(len(names))]
        count += len(names)
        message["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": draw(ARGUMENTS)}}
            for id, name in zip(ids, names, strict=True)
        ]
        messages += [{"role": "tool", "tool_call_id": id, "content": draw(TEXT)} for id in ids]
    return messages


@st.composite
def response_items(draw):
    """Items of the Responses API, in the form in which they come back, but for their ids."""
    items = []
    for turn in range(draw(st.integers(1, 5))):
        kind = draw(
            st.sampled_from(["user", "developer", "message", "reasoning", "call", "code", "search"])
        )
        text = draw(SAID)
        if kind in ("user", "developer"):
            items.append({"role": kind, "content": text})
        elif kind == "message":
            phase = draw(st.sampled_from(["commentary", "final_answer"]))
            content = [{"type": "output_text", "text": text, "annotations": []}]
            items.append({"type": "message", "role": "assistant", "content": content,
                          "phase": phase, "status": "completed"})  # fmt: skip
        elif kind == "reasoning":
            content = [{"type": "reasoning_text", "text": text}]
            items.append({"type": "reasoning", "summary": [], "content": content})
        elif kind == "call":
            call = {"type": "function_call", "call_id": f"c{turn}", "name": draw(NAME)}
            items.append({**call, "arguments": draw(ARGUMENTS), "status": "completed"})
            items.append({"type": "function_call_output", "call_id": f"c{turn}", "output": text})
        elif kind == "code":
            logs = draw(st.none() | st.just([{"type": "logs", "logs": text}]))
            items.append({"type": "code_interpreter_call", "code": draw(SAID), "outputs": logs,
                          "container_id": "auto", "status": "completed"})  # fmt: skip
        else:
            action = draw(
                st.sampled_from(
                    [
                        {"type": "search", "query": text},
                        {"type": "open_page", "url": "https://x"},
                        {"type": "open_page", "url": "cursor:3"},
                        {"type": "find_in_page", "pattern": text, "url": "cursor:3"},
                        {"type": "find_in_page", "pattern": text, "url": "https://x"},
                    ]
                )
            )
            items.append({"type": "web_search_call", "action": action, "status": "completed"})
    return items
