"""Streams say what the conversion at once says, as the official types define it."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony import HarmonyError, InvalidMessage, InvalidToken, load_harmony_encoding
from harmony.convert import (
    ChatStream,
    ResponsesStream,
    accumulate_chat,
    accumulate_response,
    from_chat_request,
    to_chat_completion,
    to_response,
)
from tests.strategies_convert import chunks, completions
from tests.vector_files import FOLDER, ids_of_text

ENC = load_harmony_encoding("HarmonyGptOss")
TOOL = {"type": "function", "function": {"name": "f"}}
PROMPT = from_chat_request(
    {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": [TOOL]}
)
CHAT = {"id": "i", "created": 1}
RESPONSE = {"id": "i", "created_at": 1}
TEXT = (
    "<|channel|>analysis<|message|>Hm.<|end|>"
    "<|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>"
    "<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|><|call|>"
    "<|start|>assistant<|channel|>final<|message|>Hi<|return|>"
)


def ended(stream, pieces, reason):
    """All that a stream gives for these pieces."""
    return [made for piece in pieces for made in stream.feed(piece)] + stream.finish(reason)


class TestAccumulated:
    """Issue: "Accumulating the stream gives the same object as the one-shot conversion, for
    every chunking"."""

    @given(st.data())
    def test_chat(self, data):
        tokens = data.draw(completions(ENC))
        pieces = data.draw(chunks(tokens))
        prompt = data.draw(st.sampled_from([None, PROMPT]))
        reason = data.draw(st.sampled_from([None, None, "stop", "length", "content_filter"]))
        style = data.draw(
            st.sampled_from([{}, {"builtin_calls": "tool_calls", "reasoning_field": "thinking"}])
        )
        at_once = to_chat_completion(tokens, prompt, finish_reason=reason, **CHAT, **style)
        stream = ChatStream(prompt, include_usage=True, **CHAT, **style)
        made = ended(stream, pieces, reason)
        for chunk in made:
            assert chunk.typed()
        assert at_once.typed()
        assert accumulate_chat(made) == at_once
        assert stream.diagnostics == at_once.diagnostics
        assert stream.tokens == tokens

    @given(st.data())
    def test_responses(self, data):
        tokens = data.draw(completions(ENC))
        pieces = data.draw(chunks(tokens))
        prompt = data.draw(st.sampled_from([None, PROMPT]))
        reason = data.draw(st.sampled_from([None, None, "stop", "length", "content_filter"]))
        at_once = to_response(tokens, prompt, finish_reason=reason, **RESPONSE)
        made = ended(ResponsesStream(prompt, **RESPONSE), pieces, reason)
        for event in made:
            assert event.typed()
        assert at_once.typed()
        assert accumulate_response(made) == at_once
        assert made[-1]["response"] == at_once
        check_order(made)

    @pytest.mark.parametrize("size", [1, 2, 5, 1000])
    def test_recorded_completions(self, size):
        for line in (FOLDER / "recovery.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            tokens = ids_of_text(ENC, row["text"])
            pieces = [tokens[at : at + size] for at in range(0, len(tokens), size)]
            options = {"tools": row.get("tools")}
            chat = ended(ChatStream(include_usage=True, **CHAT, **options), pieces, None)
            assert accumulate_chat(chat) == to_chat_completion(tokens, **CHAT, **options)
            events = ended(ResponsesStream(**RESPONSE, **options), pieces, None)
            assert accumulate_response(events) == to_response(tokens, **RESPONSE, **options)
            check_order(events)

    def test_by_the_client_of_openai(self):
        """What the official client makes of our chunks is our completion."""
        from openai.lib.streaming.chat._completions import ChatCompletionStreamState
        from openai.types.chat import ChatCompletionChunk

        tokens = ids_of_text(ENC, TEXT)
        state = ChatCompletionStreamState()
        for chunk in ChatStream(PROMPT, tokens, include_usage=True, **CHAT):
            state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
        theirs = state.current_completion_snapshot
        ours = to_chat_completion(tokens, PROMPT, **CHAT)
        choice = ours["choices"][0]
        message = theirs.choices[0].message
        assert theirs.choices[0].finish_reason == choice["finish_reason"] == "tool_calls"
        assert (message.content, message.reasoning) == ("I look.\nHi", "Hm.")
        assert [c.function.arguments for c in message.tool_calls] == ["{}", ""]
        assert [c.id for c in message.tool_calls] == [
            c["id"] for c in choice["message"]["tool_calls"]
        ]
        assert theirs.usage.completion_tokens == len(tokens)


def check_order(events):
    """The events of a response stand in the order in which the API sends them."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[:2] == ["created", "in_progress"]
    assert kinds[-1] in ("completed", "incomplete")
    assert events[0]["response"]["output"] == []
    index, item, texts = -1, None, []
    for kind, event in zip(kinds[2:-1], events[2:-1], strict=True):
        if kind == "output_item.added":
            assert item is None
            index, item, texts = index + 1, event["item"], []
            assert item["status"] == "in_progress"
        assert item is not None
        assert event["output_index"] == index
        assert event.get("item_id", item["id"]) == item["id"]
        if kind.endswith(".delta"):
            assert event["delta"]
            texts.append(event["delta"])
        elif kind.endswith(("text.done", "arguments.done", "code.done")):
            whole = next(event[key] for key in ("text", "arguments", "code") if key in event)
            assert whole == "".join(texts)
        elif kind == "output_item.done":
            assert event["item"]["id"] == item["id"]
            item = None
    assert item is None


class TestEvents:
    def test_chat(self):
        chunks = list(ChatStream(ENC, [ids_of_text(ENC, TEXT)], **CHAT))
        ids = [c["id"] for c in to_chat_completion(ids_of_text(ENC, TEXT))["choices"][0]["message"]["tool_calls"]]  # fmt: skip

        def call(index, **fields):
            return {"tool_calls": [{"index": index, **fields}]}

        def opened(index):
            function = {"name": "f", "arguments": ""}
            return call(index, id=ids[index], type="function", function=function)

        assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
            {"role": "assistant", "content": None},
            {"reasoning": "Hm."},
            {"content": ""},
            {"content": "I look."},
            opened(0),
            call(0, function={"arguments": "{}"}),
            opened(1),
            {"content": "\nHi"},
            {},
        ]
        reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
        assert reasons == [None] * 8 + ["tool_calls"]
        assert "usage" not in chunks[0]

    def test_usage_is_as_the_request_says(self):
        request = {"messages": [{"role": "user", "content": "hi"}]}
        tokens = ids_of_text(ENC, TEXT)
        for options, there in (
            ({"include_usage": True}, True),
            ({}, False),
            (None, False),
            (3, False),
        ):
            prompt = from_chat_request({**request, "stream_options": options})
            last = list(ChatStream(prompt, tokens))[-1]
            assert (last["choices"] == []) == there
            assert ("usage" in last) == there

    def test_responses(self):
        text = (
            TEXT.replace("<|return|>", "<|end|>")
            + "<|start|>assistant<|channel|>analysis to=python code<|message|>1<|call|>"
            "<|start|>python to=assistant<|channel|>analysis<|message|>2<|end|>"
            '<|start|>assistant<|channel|>analysis to=browser.open code<|message|>{"cursor": 1}<|call|>'
            "<|start|>assistant<|channel|>final<|message|>No"
        )
        events = list(ResponsesStream(PROMPT, iter(ids_of_text(ENC, text)), **RESPONSE))
        kinds = [event["type"].removeprefix("response.") for event in events]
        unrepeated = [a for a, b in zip(kinds, [None, *kinds], strict=False) if a != b]
        added, done = "output_item.added", "output_item.done"
        message = [
            *[added, "content_part.added", "output_text.delta", "output_text.done"],
            *["content_part.done", done],
        ]
        call = [added, "function_call_arguments.delta", "function_call_arguments.done", done]
        assert unrepeated == [
            *["created", "in_progress"],
            *[added, "content_part.added", "reasoning_text.delta", "reasoning_text.done"],
            *["content_part.done", done],
            *message,
            *call,
            *[added, "function_call_arguments.done", done],
            *message,
            *[added, "code_interpreter_call.in_progress", "code_interpreter_call_code.delta"],
            *["code_interpreter_call_code.done", "code_interpreter_call.interpreting"],
            *["code_interpreter_call.completed", done],
            *[added, "web_search_call.in_progress", "web_search_call.searching"],
            *["web_search_call.completed", done],
            *message,
            "incomplete",
        ]
        outputs = [e["item"].get("outputs") for e in events if e["type"].endswith("item.done")]
        assert outputs[5] == [{"type": "logs", "logs": "2"}]
        assert events[-1]["response"]["output"][-1]["status"] == "incomplete"


class TestIteration:
    @pytest.mark.parametrize("kind", [ChatStream, ResponsesStream])
    def test_async(self, kind):
        """Issue: "`async` iteration is supported"."""
        tokens = ids_of_text(ENC, TEXT)

        async def source():
            for at in range(0, len(tokens), 3):
                await asyncio.sleep(0)
                yield tokens[at : at + 3]

        async def collected(of):
            return [made async for made in of]

        options = CHAT if kind is ChatStream else RESPONSE
        fed = asyncio.run(collected(kind(ENC, source(), **options)))
        plain = asyncio.run(collected(kind(ENC, tokens, **options)))
        assert plain == list(kind(ENC, iter(tokens), **options))
        accumulate = accumulate_chat if kind is ChatStream else accumulate_response
        assert accumulate(fed) == accumulate(plain)

    def test_what_is_no_source(self):
        for source in (None, 3):
            with pytest.raises(InvalidMessage, match="source: expected an iterable of token ids"):
                list(ChatStream(ENC, source))
        with pytest.raises(InvalidToken):
            ChatStream(ENC).feed("text")

    def test_the_end(self):
        stream = ChatStream(ENC)
        assert [c["choices"][0]["finish_reason"] for c in stream.finish("stop")] == [None, "stop"]
        assert stream.finish() == []
        with pytest.raises(HarmonyError, match="the stream has ended"):
            stream.feed([1])
        with pytest.raises(InvalidMessage, match="finish_reason"):
            stream.finish("x")

    def test_nothing_to_accumulate(self):
        for accumulate in (accumulate_chat, accumulate_response):
            with pytest.raises(InvalidMessage, match="got none"):
                accumulate([])
