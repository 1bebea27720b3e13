"""What a loop adds to a prompt: completions as they were sampled, results, messages."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony import InvalidMessage, InvalidRequest, Role, load_harmony_encoding
from harmony.convert import (
    ChatStream,
    accumulate_chat,
    append_completion,
    append_message,
    append_tool_result,
    from_chat_request,
    from_harmony,
    from_responses_request,
    to_chat_message,
    to_chat_request,
    to_response_items,
)
from tests.strategies_convert import completions
from tests.vector_files import ids_of_text

ENC = load_harmony_encoding("HarmonyGptOss")
START = "<|start|>assistant"
CALL = '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a":1}<|call|>'
REQUEST = {
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "builtin_tools": ["python"],
}


@pytest.fixture
def prompt():
    return from_chat_request(REQUEST, date="2025-06-28")


class TestExactTokens:
    def test_what_was_sampled_stays(self, prompt):
        """Issue: "with exact token reuse": the ids are not those of the tokenizer."""
        sampled = [
            token
            for piece in ["<|channel|>analysis<|message|>", "Lisb", "on", "<|end|>" + START + CALL]
            for token in ids_of_text(ENC, piece)
        ]
        before = prompt.render()
        assert append_completion(prompt, sampled) is prompt
        after = prompt.render()
        assert after[: len(before) + len(sampled)] == before + sampled
        assert ENC.encode(ENC.decode(sampled), allowed_special="all") != sampled
        append_tool_result(prompt, to_chat_message(sampled, prompt)["tool_calls"][0], {"b": 2})
        assert prompt.render()[: len(before) + len(sampled)] == before + sampled
        assert prompt.text().endswith(
            "<|start|>functions.f to=assistant<|channel|>commentary<|message|>"
            '{"b": 2}<|end|><|start|>assistant'
        )

    @given(st.data())
    def test_of_every_completion(self, data):
        """The content's ids, and the headers' where they were well-formed."""
        prompt = from_chat_request(REQUEST, date="2025-06-28")
        for _ in range(2):
            tokens = data.draw(completions(ENC))
            before = prompt.render()
            count = len(prompt.conversation.messages)
            transcript = ENC.parse(tokens, Role.ASSISTANT, strict=False, tools=prompt.recipients())
            append_completion(prompt, tokens)
            added = prompt.conversation.messages[count:]
            texts = [message.content[0].text for message in added]
            read = [message.content[0].text for message in transcript.messages]
            assert texts[: len(read)] == read
            # An answer from outside all messages is one of its own, and the only one.
            assert texts[len(read) :] in ([], [to_chat_message(tokens, prompt)["content"]])
            again = from_harmony(prompt.render()).conversation.messages
            shown = prompt.conversation
            assert len(again) <= len(shown.messages)
            if (
                not transcript.diagnostics
                and transcript.spans
                and transcript.spans[-1].terminator[0]
            ):
                end = transcript.spans[-1].content.stop
                kept = prompt.render()
                dropped = any(m.channel == "final" for m in shown)
                assert dropped or kept[: len(before) + end] == before + tokens[:end]

    def test_return_becomes_end(self, prompt):
        append_completion(prompt, ids_of_text(ENC, "<|channel|>final<|message|>Hi<|return|>"))
        assert prompt.text().endswith("<|message|>Hi<|end|><|start|>assistant")

    def test_malformed_headers_are_not_repeated(self, prompt):
        text = "<|channel|>commentary<|channel|>commentary to=functions.f<|message|>{}<|call|>"
        append_completion(prompt, ids_of_text(ENC, text))
        assert prompt.text().endswith(
            "<|start|>assistant to=functions.f<|channel|>commentary<|message|>{}<|call|>"
            "<|start|>assistant"
        )

    def test_an_answer_outside_all_messages_is_told(self, prompt):
        """What the user was shown is what the model reads in its next turn."""
        tokens = ids_of_text(ENC, "<|channel|>analysis<|message|>2+2<|end|>4<|return|>")
        before = prompt.text()
        append_completion(prompt, tokens)
        assert to_chat_message(tokens, prompt)["content"] == "4"
        opening = before.removesuffix(START)
        assert prompt.text() == f"{opening}{START}<|channel|>final<|message|>4<|end|>{START}"

    def test_a_changed_message_is_rendered_anew(self, prompt):
        append_completion(prompt, ids_of_text(ENC, "<|channel|>final<|message|>Hi<|return|>"))
        prompt.conversation.messages[-1].content[0].text = "Ho"
        assert "Ho<|end|>" in prompt.text()

    def test_equal_messages_before_it_stay_as_they_are(self):
        said = {"role": "assistant", "content": "Lisbon"}
        user = {"role": "user", "content": "x"}
        prompt = from_chat_request({"messages": [user, said, user]})
        before = prompt.render()
        pieces = ["<|channel|>final<|message|>", "Lisb", "on", "<|return|>"]
        sampled = [token for piece in pieces for token in ids_of_text(ENC, piece)]
        append_completion(prompt, sampled)
        assert prompt.render()[: len(before) + 5] == before + sampled[:5]

    def test_other_forms(self, prompt):
        text = "<|channel|>final<|message|>Hi<|return|>"
        tokens = ids_of_text(ENC, text)
        transcript = ENC.parse(tokens, Role.ASSISTANT)
        forms = (tokens, transcript, transcript.messages, text)
        rendered = [append_completion(copy.deepcopy(prompt), form).render() for form in forms]
        assert all(one == rendered[0] for one in rendered)


class TestResults:
    def test_ids_whatever_came_first(self, prompt):
        tokens = ids_of_text(ENC, CALL + START + CALL)
        earlier = to_chat_message(tokens, prompt)
        streamed = accumulate_chat(ChatStream(prompt, tokens))
        append_completion(prompt, tokens)
        assert to_chat_message(tokens, prompt) == earlier == streamed["choices"][0]["message"]
        items = to_response_items(tokens, prompt)
        assert [item["call_id"] for item in items] == [c["id"] for c in earlier["tool_calls"]]
        append_tool_result(prompt, items[1]["id"], "two")
        append_tool_result(prompt, items[0], "one")
        assert [call.answered for call in prompt.calls] == [True, True]
        # The next turn's calls have other ids.
        again = to_chat_message(tokens, append_completion(prompt, tokens))["tool_calls"]
        assert not {c["id"] for c in again} & {c["id"] for c in earlier["tool_calls"]}
        messages = to_chat_request(prompt)["messages"]
        assert messages[1]["tool_calls"] == earlier["tool_calls"]
        assert messages[-1]["tool_calls"] == again

    def test_the_same_call_again_is_another(self, prompt):
        tokens = ids_of_text(ENC, CALL)
        found = []
        for _ in range(3):
            (call,) = to_chat_message(tokens, prompt)["tool_calls"]
            append_completion(prompt, tokens)
            append_tool_result(prompt, call, "1")
            found.append(call["id"])
        assert len(set(found)) == 3
        assert all(call.answered for call in prompt.calls)

    def test_ids_of_messages(self, prompt):
        messages = ENC.parse(ids_of_text(ENC, CALL), Role.ASSISTANT).messages
        earlier = to_chat_message(messages, prompt)
        append_completion(prompt, messages)
        assert to_chat_message(messages, prompt) == earlier
        append_tool_result(prompt, earlier["tool_calls"][0], "1")

    def test_built_in_tools(self, prompt):
        tokens = ids_of_text(ENC, "<|channel|>analysis to=python code<|message|>1<|call|>")
        (item,) = to_response_items(tokens, prompt)
        append_tool_result(append_completion(prompt, tokens), item, "1")
        assert prompt.text().endswith(
            "<|start|>assistant<|channel|>analysis to=python code<|message|>1<|call|>"
            "<|start|>python to=assistant<|channel|>analysis<|message|>1<|end|><|start|>assistant"
        )

    def test_a_namespace_of_an_overlay(self):
        namespace = {
            "name": "shell",
            "channel": "analysis",
            "purpose": "x",
            "description": "A shell.",
            "tools": [{"name": "run", "description": "d", "parameters": "{}"}],
        }
        other = load_harmony_encoding("HarmonyGptOss", spec={"namespaces": [namespace]})
        request = {**REQUEST, "builtin_tools": ["shell"]}
        prompt = from_chat_request(request, encoding=other)
        text = "<|channel|>analysis to=shell.run code<|message|>ls<|call|>"
        tokens = ids_of_text(other, text)
        (call,) = to_chat_message(tokens, prompt)["tool_calls"]
        assert call["function"] == {"name": "shell.run", "arguments": "ls"}
        append_tool_result(append_completion(prompt, tokens), call, "a")
        assert prompt.text().endswith(
            "to=shell.run code<|message|>ls<|call|>"
            "<|start|>shell.run to=assistant<|channel|>analysis<|message|>a<|end|><|start|>assistant"
        )
        back = to_chat_request(prompt)
        assert back.dropped == []
        assert from_chat_request(back, encoding=other).conversation == prompt.conversation

    def test_functions_called_by_their_bare_name(self, prompt):
        """Issue: "Tool results → `functions.NAME to=assistant`", as a request has them too."""
        tokens = ids_of_text(ENC, "<|channel|>commentary to=f<|message|>{}<|call|>")
        append_completion(prompt, tokens)
        append_tool_result(prompt, to_chat_message(tokens, prompt)["tool_calls"][0], "x")
        assert prompt.text().endswith(
            "<|start|>functions.f to=assistant<|channel|>commentary<|message|>x<|end|>" + START
        )
        assert [item["type"] for item in to_response_items(prompt.conversation.messages[-2:])] == [
            "function_call",
            "function_call_output",
        ]

    def test_functions_called_on_analysis(self, prompt):
        tokens = ids_of_text(ENC, CALL.replace("commentary", "analysis"))
        (call,) = to_chat_message(tokens, prompt)["tool_calls"]
        append_tool_result(append_completion(prompt, tokens), call, [1])
        assert "functions.f to=assistant<|channel|>commentary<|message|>[1]<|end|>" in prompt.text()

    def test_mistakes(self, prompt):
        with pytest.raises(
            InvalidRequest, match=r"call: no call before .* 'x' \(there are: none\)"
        ):
            append_tool_result(prompt, "x", "")
        for call in (None, {}, 3):
            with pytest.raises(InvalidRequest, match="call: expected the id of a call"):
                append_tool_result(prompt, call, "")
        with pytest.raises(InvalidRequest, match="output"):
            append_tool_result(append_completion(prompt, CALL), prompt.calls[-1].id, object())
        for add in (append_completion, append_message):
            with pytest.raises(InvalidMessage, match="expected a Prompt"):
                add("x", [])

    def test_images(self, prompt):
        append_completion(prompt, ids_of_text(ENC, CALL))
        with pytest.raises(InvalidRequest, match="an image"):
            append_tool_result(prompt, prompt.calls[0].id, [{"type": "input_image"}])


class TestBranches:
    def test_a_copy_goes_its_own_way(self, prompt):
        append_completion(prompt, ids_of_text(ENC, CALL))
        other = copy.deepcopy(prompt)
        append_tool_result(other, other.calls[0].id, "1")
        assert other.render()[: len(prompt.render()) - 2] == prompt.render()[:-2]
        assert not prompt.calls[0].answered

    def test_of_the_responses_api(self):
        prompt = from_responses_request(
            {"input": "hi", "tools": [{"type": "function", "name": "f"}]}
        )
        tokens = ids_of_text(ENC, CALL)
        (item,) = to_response_items(tokens, prompt)
        append_completion(prompt, tokens)
        output = {"type": "function_call_output", "call_id": item["call_id"], "output": "1"}
        append_message(prompt, output)
        assert prompt.text().endswith("<|message|>1<|end|><|start|>assistant")
