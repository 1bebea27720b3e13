"""Completions become messages, items and objects of both APIs, whatever the model wrote."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest

from harmony import Conversation, HarmonyError, InvalidMessage, Message, Role, ToolDescription
from harmony.convert import (
    from_chat_request,
    from_responses_request,
    to_chat_completion,
    to_chat_message,
    to_response,
    to_response_items,
    typed,
)
from tests.shell import ROOT
from tests.vector_files import FOLDER, ids_of_text

VECTORS = [
    json.loads(line) for line in (FOLDER / "harmony_to_chat.jsonl").read_text("utf-8").splitlines()
]
# Where the issue says otherwise than that server: what we answer.
OURS = {
    "p09_python": [
        {
            "type": "code_interpreter_call",
            "code": "print(1)",
            "container_id": "auto",
            "outputs": None,
            "status": "completed",
        }
    ],
    # A page is known by its cursor, which the server leaves out.
    "p11_browser_find": [
        {
            "type": "web_search_call",
            "action": {"type": "find_in_page", "pattern": "x", "url": "cursor:1"},
            "status": "completed",
        }
    ],
}
FINAL = "<|channel|>final<|message|>Hi<|return|>"
CALL = '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a":1}<|call|>'
NEXT = "<|start|>assistant"


def bare(value):
    """Without what servers make, and phases, which that server does not know."""
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items() if k not in ("id", "call_id", "phase")}
    return [bare(item) for item in value] if isinstance(value, list) else value


class TestVectors:
    @pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
    def test_chat(self, enc, vector):
        tokens = ids_of_text(enc, vector["completion"])
        message = to_chat_message(tokens)
        for call in message.get("tool_calls", []):
            arguments = call["function"]["arguments"]
            # Issue: "arguments verbatim"; the server writes complete ones anew.
            assert arguments in vector["completion"]
            if arguments and arguments.endswith("}"):
                call["function"]["arguments"] = json.dumps(json.loads(arguments))
        assert bare(message) == bare(vector["chat_message"])

    @pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
    def test_responses(self, enc, vector):
        tokens = ids_of_text(enc, vector["completion"])
        items = to_response_items(tokens)
        expected = OURS.get(vector["id"], vector["responses_output"])
        assert bare(list(items)) == bare(expected)
        assert to_response(tokens)["output"] == items

    @pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
    def test_types(self, enc, vector):
        tokens = ids_of_text(enc, vector["completion"])
        assert to_chat_message(tokens).typed().role == "assistant"
        assert to_chat_completion(tokens).typed().usage.completion_tokens == len(tokens)
        assert len(to_response_items(tokens).typed()) == len(to_response_items(tokens))
        assert to_response(tokens).typed().usage.output_tokens == len(tokens)


class TestForms:
    """Issue: "from a list of messages, a `Transcript` or tokens"."""

    def test_all_give_the_same(self, enc):
        text = "<|channel|>analysis<|message|>Hm.<|end|>" + NEXT + CALL + NEXT + FINAL
        tokens = ids_of_text(enc, text)
        transcript = enc.parse(tokens, Role.ASSISTANT)
        forms = [
            *[tokens, tuple(tokens), transcript, text],
            *[transcript.messages, Conversation(transcript.messages)],
            [message.to_dict() for message in transcript.messages],
        ]
        found = [(to_chat_message(form), to_response_items(form)) for form in forms]
        found.append((to_chat_message(iter(tokens)), to_response_items(iter(tokens))))
        assert all(pair == found[0] for pair in found)
        assert to_chat_message(transcript.messages[2])["content"] == "Hi"
        assert "usage" not in to_chat_completion(transcript.messages)
        assert to_response(transcript.messages)["usage"] is None

    @pytest.mark.parametrize("form", [None, 3, b"x", ["x"], {"a": 1}])
    def test_what_is_none(self, form):
        for convert in (to_chat_message, to_chat_completion, to_response_items, to_response):
            with pytest.raises(HarmonyError):
                convert(form)

    def test_options(self, enc):
        for wrong in (
            {"reasoning_field": "content"},
            {"reasoning_field": ""},
            {"builtin_calls": "x"},
        ):
            with pytest.raises(InvalidMessage, match=next(iter(wrong))):
                to_chat_message([], **wrong)
        with pytest.raises(InvalidMessage, match="finish_reason: expected one of 'stop'"):
            to_chat_completion([], finish_reason="x")
        with pytest.raises(InvalidMessage, match="expected a Prompt or a HarmonyEncoding, got str"):
            to_chat_message([], "x")
        assert to_chat_message([], enc) == {"role": "assistant", "content": None, "refusal": None}

    def test_results_pickle(self, enc):
        made = to_chat_completion(ids_of_text(enc, FINAL + NEXT))
        again = pickle.loads(pickle.dumps(made))
        assert again == made
        assert again.diagnostics == made.diagnostics != []


class TestChat:
    def test_texts_are_joined(self, enc):
        text = NEXT.join(
            [
                "<|channel|>analysis<|message|>a<|end|>",
                "<|channel|>commentary<|message|>p<|end|>",
                "<|channel|>analysis<|message|><|end|>",
                "<|channel|>analysis<|message|>b<|end|>",
                FINAL,
            ]
        )
        message = to_chat_message(ids_of_text(enc, text), reasoning_field="thinking")
        assert message == {
            "role": "assistant",
            "content": "p\nHi",
            "refusal": None,
            "thinking": "a\nb",
        }

    def test_an_empty_answer_is_not_none(self, enc):
        assert to_chat_message(ids_of_text(enc, "<|channel|>final<|message|>"))["content"] == ""

    @pytest.mark.parametrize(
        ("text", "given", "reason"),
        [
            *[(FINAL, None, "stop"), (CALL, None, "tool_calls"), ("", None, "length")],
            *[(FINAL[:-10], None, "length"), (FINAL[:-10], "stop", "stop")],
            *[(CALL[:-8], None, "length"), (CALL[:-8], "stop", "tool_calls")],
            *[(FINAL, "length", "length"), (FINAL, "content_filter", "content_filter")],
            *[(CALL + NEXT, None, "length"), (CALL + NEXT + "<|channel|>fin", None, "length")],
            *[(FINAL[:-10] + "<|endoftext|>", None, "stop"), (CALL + "\n", None, "tool_calls")],
            (CALL + "commentary", None, "tool_calls"),
            ("<|channel|>analysis to=python code<|message|>1<|call|>", None, "stop"),
        ],
    )
    def test_finish_reasons(self, enc, text, given, reason):
        tokens = ids_of_text(enc, text)
        made = to_chat_completion(tokens, finish_reason=given)
        assert made["choices"][0]["finish_reason"] == reason
        response = to_response(tokens, finish_reason=given)
        assert response["status"] == (
            "completed" if reason in ("stop", "tool_calls") else "incomplete"
        )
        details = {"length": "max_output_tokens", "content_filter": "content_filter"}
        assert (response["incomplete_details"] or {}).get("reason") == details.get(reason)

    def test_built_in_calls(self, enc):
        tokens = ids_of_text(enc, "<|channel|>analysis to=python code<|message|>1<|call|>")
        told = to_chat_message(tokens)
        assert told["reasoning"] == "1"
        assert [dropped.path for dropped in told.dropped] == ["messages[0].recipient"]
        called = to_chat_message(tokens, builtin_calls="tool_calls")
        assert called["tool_calls"][0]["function"] == {"name": "python", "arguments": "1"}
        assert called.dropped == []

    @pytest.mark.parametrize(
        ("header", "tools", "name"),
        [
            ("<|channel|>analysis to=functions.f", (), "f"),
            ("<|channel|>commentary to=f", ["functions.f"], "f"),
            (" to=f<|channel|>final", (), "f"),
            ("<|channel|>commentary to=functions.python", (), "python"),
            ("<|channel|>commentary to=python", [ToolDescription("python", "")], "python"),
            ("<|channel|>commentary to=functions.a.b", (), "a.b"),
        ],
    )
    def test_calls_of_functions(self, enc, header, tools, name):
        """Issue: "function calls on any channel, with or without the `functions.` prefix"."""
        tokens = ids_of_text(enc, f"{header} json<|message|>{{ }}<|call|>")
        (call,) = to_chat_message(tokens, tools=tools)["tool_calls"]
        assert call["function"] == {"name": name, "arguments": "{ }"}
        (item,) = to_response_items(tokens, tools=tools)
        assert (item["type"], item["name"], item["arguments"]) == ("function_call", name, "{ }")
        assert item["call_id"] == call["id"]

    def test_ids_of_calls_differ(self, enc):
        tokens = ids_of_text(enc, CALL + NEXT + CALL)
        prompt = from_chat_request({"messages": [{"role": "user", "content": "hi"}]})
        calls = (
            to_chat_message(tokens)["tool_calls"] + to_chat_message(tokens, prompt)["tool_calls"]
        )
        assert len({call["id"] for call in calls}) == 4
        assert to_chat_message(tokens, prompt) == to_chat_message(tokens, prompt)

    def test_frame(self, enc):
        prompt = from_chat_request({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
        made = to_chat_completion(ids_of_text(enc, FINAL), prompt, id="i", created=1)
        assert made == {
            "id": "i",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hi", "refusal": None},
                    "finish_reason": "stop",
                    "logprobs": None,
                }
            ],
            "usage": {
                "prompt_tokens": len(prompt.render()),
                "completion_tokens": 5,
                "total_tokens": len(prompt.render()) + 5,
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }
        assert to_chat_completion([], model="x")["model"] == "x"


class TestItems:
    def test_phases(self, enc):
        text = (
            "<|channel|>commentary<|message|>p<|end|>" + NEXT + "<|message|>q<|end|>" + NEXT + FINAL
        )
        items = to_response_items(ids_of_text(enc, text))
        assert [item.get("phase") for item in items] == ["commentary", None, "final_answer"]

    def test_results_join_their_calls(self, enc):
        """Issue: "a result from tool messages where the transcript has them"."""
        text = "".join(
            [
                "<|channel|>analysis to=python code<|message|>1+1<|call|>",
                "<|start|>python to=assistant<|channel|>analysis<|message|>2<|end|>",
                "<|start|>python to=assistant<|channel|>analysis<|message|>late<|end|>",
                NEXT + CALL + NEXT + CALL,
                "<|start|>functions.f to=assistant<|channel|>commentary<|message|>r<|end|>",
                "<|start|>functions.g to=assistant<|channel|>commentary<|message|>r<|end|>",
                "<|start|>user<|message|>who<|end|>",
                NEXT + FINAL,
            ]
        )
        items = to_response_items(ids_of_text(enc, text))
        assert [item["type"] for item in items] == [
            *["code_interpreter_call", "function_call", "function_call"],
            *["function_call_output", "message"],
        ]
        assert items[0]["outputs"] == [{"type": "logs", "logs": "2"}]
        assert items[3]["call_id"] == items[1]["call_id"] != items[2]["call_id"]
        assert [d.path for d in items.dropped] == ["messages[2]", "messages[6]", "messages[7]"]
        assert items.typed()
        message = to_chat_message(ids_of_text(enc, text))
        assert [d.path for d in message.dropped] == [
            *["messages[0].recipient", "messages[1]", "messages[2]"],
            *["messages[5]", "messages[6]", "messages[7]"],
        ]

    @pytest.mark.parametrize(
        ("tool", "arguments", "action", "lost"),
        [
            ("search", '{"query": "q"}', {"type": "search", "query": "q"}, []),
            ("search", '{"query": "q", "topn": 3}', {"type": "search", "query": "q"}, ["topn"]),
            ("search", '{"query": ["q", "r"]}', {"type": "search", "queries": ["q", "r"]}, []),
            ("search", "q", {"type": "search", "query": "q"}, []),
            ("search", "[1]", {"type": "search", "query": "[1]"}, []),
            ("x", "{}", {"type": "search", "query": "{}"}, []),
            ("open", '{"id": "https://x"}', {"type": "open_page", "url": "https://x"}, []),
            ("open", '{"cursor": 2}', {"type": "open_page", "url": "cursor:2"}, []),
            ("open", '{"id": 1, "cursor": 2}', {"type": "open_page", "url": "cursor:2"}, ["id"]),
            ("open", "{}", {"type": "open_page"}, []),
            (
                "find",
                '{"pattern": "x"}',
                {"type": "find_in_page", "pattern": "x", "url": "cursor:"},
                [],
            ),
            ("find", "x", {"type": "find_in_page", "pattern": "x", "url": "cursor:"}, []),
        ],
    )
    def test_searches(self, enc, tool, arguments, action, lost):
        text = f"<|channel|>analysis to=browser.{tool} code<|message|>{arguments}<|call|>"
        items = to_response_items(ids_of_text(enc, text))
        assert items[0]["action"] == action
        assert [d.path for d in items.dropped] == [f"messages[0].content.{key}" for key in lost]
        assert items.typed()

    def test_cut_short(self, enc):
        for text, status in ((CALL + NEXT, "completed"), (CALL[:-8], "incomplete")):
            assert to_response_items(ids_of_text(enc, text))[0]["status"] == status
        (item,) = to_response_items(ids_of_text(enc, "<|channel|>analysis<|message|>Hm"))
        assert item["status"] == "incomplete"
        (item,) = to_response_items(ids_of_text(enc, CALL[:-8]), finish_reason="stop")
        assert item["status"] == "completed"

    def test_the_response_repeats_the_request(self, enc):
        schema = {"type": "object", "properties": {}}
        request = {
            "model": "m",
            "input": "hi",
            "instructions": "Be brief.",
            "temperature": 0.5,
            "reasoning": {"effort": "minimal"},
            "tools": [
                {"type": "function", "name": "f", "parameters": schema, "strict": True},
                {"type": "web_search", "search_context_size": "low"},
                {"type": "code_interpreter", "container": "cntr_1"},
            ],
            "tool_choice": {"type": "function", "name": "f"},
            "parallel_tool_calls": False,
            "text": {"format": {"type": "json_schema", "name": "n", "schema": schema}},
            "metadata": {"a": "b"},
        }
        text = "<|channel|>analysis to=python code<|message|>1<|call|>"
        response = to_response(ids_of_text(enc, text), from_responses_request(request))
        for field in ("model", "instructions", "temperature", "tool_choice", "metadata"):
            assert response[field] == request[field]
        assert response["tools"][1:] == request["tools"][1:]
        assert response["tools"][0] == {**request["tools"][0], "description": None}
        assert response["reasoning"]["effort"] == "low"
        assert response["text"]["format"]["schema"] == schema
        assert response["output"][0]["container_id"] == "cntr_1"
        assert response.typed().tools[0].strict is True

    def test_the_response_to_a_chat_request(self, enc):
        tool = {"type": "function", "function": {"name": "f", "description": "d"}}
        prompt = from_chat_request(
            {
                "messages": [{"role": "user", "content": "hi"}],
                "tools": [tool],
                "builtin_tools": ["python", "browser"],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "response_format": {"type": "json_object"},
            }
        )
        response = to_response(ids_of_text(enc, FINAL), prompt)
        types = [tool["type"] for tool in response["tools"]]
        assert types == ["function", "code_interpreter", "web_search"]
        assert response["tool_choice"] == {"type": "function", "name": "f"}
        assert response["text"] == {"format": {"type": "json_object"}}
        assert response.typed()


class TestMalformed:
    """Issue: "through recovery, with their diagnostics at hand, never an empty answer where
    text was produced"."""

    @pytest.mark.parametrize(
        "text",
        [
            "Hello",
            "<|end|>Hello",
            "user<|message|>Hello<|end|>",
            "<|start|>user<|message|>Hello<|end|>",
            "<|start|>functions.f to=assistant<|channel|>commentary<|message|>Hello",
            "<|channel|>final Hello",
            "<|channel|>final<|channel|>final<|message|>Hello<|endoftext|>",
            "<|channel|>mumble<|message|>Hello",
        ],
    )
    def test_the_text_is_there(self, enc, text):
        tokens = ids_of_text(enc, text)
        assert to_chat_message(tokens)["content"].strip() == "Hello"
        items = to_response_items(tokens)
        assert items[-1]["content"][0]["text"].strip() == "Hello"
        assert to_response(tokens).typed()

    @pytest.mark.parametrize("end", ["", "<|return|>"])
    def test_an_answer_without_a_header_behind_the_reasoning(self, enc, end):
        text = f"<|channel|>analysis<|message|>2+2<|end|>4{end}"
        message = to_chat_message(ids_of_text(enc, text))
        assert (message["reasoning"], message["content"]) == ("2+2", "4")
        items = to_response_items(ids_of_text(enc, text))
        assert [item["type"] for item in items] == ["reasoning", "message"]
        assert items[-1]["content"][0]["text"] == "4"

    def test_text_behind_an_answer_is_none(self, enc):
        for said in (FINAL, CALL):
            tokens = ids_of_text(enc, said)
            with_more = to_response_items([*tokens, *enc.encode("commentary")])
            assert with_more == to_response_items(tokens)
            assert [note.text for note in with_more.diagnostics] == ["commentary"]

    def test_what_others_said_is_no_answer_beside_reasoning(self, enc):
        """A result that the model made up is shown only where there is nothing else at all."""
        made_up = "<|start|>functions.f to=assistant<|channel|>commentary<|message|>Hello<|end|>"
        thought = "<|channel|>analysis<|message|>Hm.<|end|>"
        message = to_chat_message(ids_of_text(enc, thought + made_up))
        assert (message["reasoning"], message["content"]) == ("Hm.", None)

    def test_only_the_last_message_is_cut_short(self, enc):
        """One that lacks its terminator is whole where another begins."""
        for text, statuses in {
            "Hi": ["incomplete"],
            "Hi<|start|>": ["completed"],
            "Hi<|channel|>analysis<|message|>Hm": ["completed", "incomplete"],
            "Hm<|end|>Hi<|start|>assistant<|channel|>final<|message|>": ["completed", "incomplete"],
            "<|end|>Hi<|channel|>analysis<|message|>Hm": ["incomplete", "incomplete"],
        }.items():
            response = to_response(ids_of_text(enc, text))
            assert [item.get("status") for item in response["output"]] == statuses, text
            assert response["status"] == "incomplete"

    def test_diagnostics(self, enc):
        tokens = ids_of_text(enc, "<|channel|>final<|channel|>final<|message|>Hi<|return|>")
        for made in (to_chat_message(tokens), to_chat_completion(tokens), to_response(tokens)):
            assert [note.code for note in made.diagnostics] == ["several-channels"]
            assert made.transcript.tokens == tokens

    def test_every_recorded_completion(self, enc):
        for line in (FOLDER / "recovery.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            tokens = ids_of_text(enc, row["text"])
            completion = to_chat_completion(tokens, tools=row.get("tools"))
            assert completion.typed()
            assert to_response(tokens, tools=row.get("tools")).typed()
            answers = [m for m in completion.transcript.messages if m.author.role is Role.ASSISTANT]
            if any(message.content[0].text for message in answers):
                message = completion["choices"][0]["message"]
                assert message["content"] or message.get("reasoning") or message.get("tool_calls")


class TestTypes:
    def test_a_wrong_one(self):
        with pytest.raises(InvalidMessage, match="not a ChatCompletionMessage of the installed"):
            typed("chat_message", {"role": "user"})
        with pytest.raises(InvalidMessage, match="'x' has no type; those that have one: chat_m"):
            typed("x", {})

    def test_without_the_package(self):
        code = """
import sys
sys.modules["openai"] = sys.modules["pydantic"] = None
import harmony
from harmony.convert import ChatStream, from_chat_request, to_chat_message
prompt = from_chat_request({"messages": [{"role": "user", "content": "hi"}]})
message = to_chat_message("<|channel|>final<|message|>Hi<|return|>", prompt)
assert message["content"] == "Hi"
assert list(ChatStream(prompt, prompt.render()))
try:
    message.typed()
except harmony.MissingExtra as error:
    assert "harmony-format[convert]" in str(error)
else:
    raise AssertionError
"""
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True, timeout=120
        )

    def test_names_of_roles(self):
        assert to_chat_message(Message.from_role_and_content(Role.USER, "x")).dropped
