"""Requests of both APIs become prompts, or errors that name the field at fault."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import sys
from typing import ClassVar

import pytest

from harmony import (
    HarmonyError,
    InvalidMessage,
    InvalidRequest,
    MissingExtra,
    RenderConversationConfig,
    load_harmony_encoding,
)
from harmony.convert import (
    append_message,
    from_chat_request,
    from_harmony,
    from_responses_request,
    to_chat_message,
    to_chat_request,
    to_responses_request,
)
from harmony.convert.plain import plain
from tests.vector_files import FOLDER

DATE = "2025-06-28"
VECTORS = [
    json.loads(line) for line in (FOLDER / "chat_to_harmony.jsonl").read_text("utf-8").splitlines()
]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USER = {"role": "user", "content": "hi"}


def chat(*messages, **fields):
    return from_chat_request({"model": "m", "messages": list(messages), **fields}, date=DATE)


def responses(*items, **fields):
    return from_responses_request({"model": "m", "input": list(items), **fields}, date=DATE)


def shown(prompt) -> str:
    """The prompt's text behind the system message."""
    return prompt.text().split("<|end|>", 1)[1]


def history(prompt) -> str:
    """The prompt's text from the first user message on, without what opens the next turn."""
    text = prompt.text()
    return text[text.index("<|start|>user") :].removesuffix("<|start|>assistant")


class TestVectors:
    @pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
    def test_chat(self, enc, vector):
        prompt = from_chat_request(vector["request"], date=DATE)
        assert prompt.text() == vector["text"]
        assert enc.decode(prompt.render()) == vector["text"]

    @pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
    def test_the_same_over_the_other_api(self, vector):
        prompt = from_chat_request({"model": "m", **vector["request"]}, date=DATE)
        for write, read in (
            (to_chat_request, from_chat_request),
            (to_responses_request, from_responses_request),
        ):
            # A conversation does not say whose turn it is.
            opens = prompt.next_turn_role is not None
            for source in (prompt, prompt.render(), *([prompt.conversation] if opens else [])):
                request = write(source)
                assert request.dropped == []
                assert read(json.loads(json.dumps(request))).text() == vector["text"]


class TestSystem:
    def test_the_date_is_today(self):
        today = dt.datetime.now().astimezone().date().isoformat()
        assert f"Current date: {today}" in from_chat_request({"messages": [USER]}).text()

    @pytest.mark.parametrize(
        "date", [dt.date(2025, 6, 28), dt.datetime(2025, 6, 28, 12, tzinfo=dt.UTC), DATE]
    )
    def test_dates(self, date):
        assert (
            f"Current date: {DATE}\n" in from_chat_request({"messages": [USER]}, date=date).text()
        )

    def test_other_facts(self):
        text = chat(USER, model_identity="You are X.", knowledge_cutoff="2030-01").text()
        assert "You are X.\nKnowledge cutoff: 2030-01\n" in text
        text = chat(USER, chat_template_kwargs={"model_identity": "Y", "builtin_tools": ["python"]})
        assert "<|message|>Y\n" in text.text()
        assert "## python" in text.text()

    @pytest.mark.parametrize(
        ("effort", "said"),
        [
            *[("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high")],
            *[("xhigh", "high"), ("max", "high"), (None, "medium")],
        ],
    )
    def test_efforts(self, effort, said):
        """Issue: "`minimal` → low, `xhigh`/`max` → high"."""
        for prompt in (
            chat(USER, reasoning_effort=effort),
            responses(USER, reasoning={"effort": effort}),
        ):
            assert f"\n\nReasoning: {said}\n\n" in prompt.text()
            assert prompt.reasoning_effort == said

    @pytest.mark.parametrize("effort", ["none", "LOW", "", 3])
    def test_any_other_effort_is_an_error(self, effort):
        with pytest.raises(InvalidRequest, match="reasoning_effort: "):
            chat(USER, reasoning_effort=effort)
        with pytest.raises(InvalidRequest, match=r"reasoning\.effort: "):
            responses(USER, reasoning={"effort": effort})

    @pytest.mark.parametrize(
        "tool",
        ["web_search", "web_search_2025_08_26", "web_search_preview_2025_03_11", "browser_search"],
    )
    def test_built_in_tools(self, tool):
        text = responses(USER, tools=[{"type": tool}, {"type": "code_interpreter"}]).text()
        assert "## browser" in text
        assert "## python" in text
        assert "functions" not in text
        assert responses(USER, web_search_options={}).builtin_tools == ["browser"]


class TestInstructions:
    """Issue: "First system or developer message → developer instructions; later ones →
    further developer messages"."""

    def test_two_at_the_beginning(self):
        a, b = {"role": "system", "content": "A"}, {"role": "developer", "content": "B"}
        assert shown(chat(a, b, USER, tools=[TOOL])).startswith(
            "<|start|>developer<|message|># Instructions\n\nA\n\n# Tools\n\n## functions"
        )
        assert (
            "} // namespace functions<|end|><|start|>developer<|message|># Instructions\n\nB<|end|>"
            "<|start|>user<|message|>hi<|end|>"
        ) in shown(chat(a, b, USER, tools=[TOOL]))

    def test_later_ones_stay_where_they_are(self):
        text = shown(chat(USER, {"role": "system", "content": "A"}, tools=[TOOL]))
        assert text.startswith("<|start|>developer<|message|># Tools")
        assert text.endswith(
            "<|start|>user<|message|>hi<|end|>"
            "<|start|>developer<|message|># Instructions\n\nA<|end|><|start|>assistant"
        )

    def test_of_a_response_come_first(self):
        text = shown(responses({"role": "developer", "content": "B"}, USER, instructions="A"))
        assert text.startswith(
            "<|start|>developer<|message|># Instructions\n\nA<|end|>"
            "<|start|>developer<|message|># Instructions\n\nB<|end|><|start|>user"
        )

    def test_empty_ones_are_named(self):
        prompt = chat({"role": "system", "content": ""}, USER)
        assert shown(prompt) == "<|start|>user<|message|>hi<|end|><|start|>assistant"
        assert [dropped.path for dropped in prompt.dropped] == ["messages[0]"]

    def test_names_are_kept(self):
        prompt = chat({"role": "system", "content": "A", "name": "boss"}, {**USER, "name": "alice"})
        assert "<|start|>developer:boss<|message|>" in prompt.text()
        assert "<|start|>user:alice<|message|>hi" in prompt.text()


class TestAssistant:
    @pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
    def test_order(self, field):
        """Issue: reasoning, "commentary preamble", "calls … in that order; all parallel calls"."""
        message = {"role": "assistant", "content": "P", field: "R", "tool_calls": [CALL] * 2}
        assert history(chat(USER, message, tools=[TOOL])) == (
            "<|start|>user<|message|>hi<|end|>"
            "<|start|>assistant<|channel|>analysis<|message|>R<|end|>"
            "<|start|>assistant<|channel|>commentary<|message|>P<|end|>"
            + "<|start|>assistant to=functions.f<|channel|>commentary "
            "<|constrain|>json<|message|>{}<|call|>" * 2
        )

    @pytest.mark.parametrize("content", [None, [], ""])
    @pytest.mark.parametrize("calls", [None, []])
    def test_nothing_to_say(self, content, calls):
        prompt = chat(USER, {"role": "assistant", "content": content, "tool_calls": calls})
        assert history(prompt) == "<|start|>user<|message|>hi<|end|>"
        assert [dropped.path for dropped in prompt.dropped] == ["messages[1]"]

    def test_parts(self):
        parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]
        prompt = chat(USER, {"role": "assistant", "content": parts, "tool_calls": []})
        assert history(prompt).endswith("<|channel|>final<|message|>ab<|end|>")
        assert [dropped.path for dropped in prompt.dropped] == ["messages[1].content[1]"]

    def test_a_refusal(self):
        prompt = chat(USER, {"role": "assistant", "refusal": "no", "annotations": [{}]})
        assert history(prompt).endswith("<|channel|>final<|message|>no<|end|>")
        assert [d.path for d in prompt.dropped] == [
            "messages[1].refusal",
            "messages[1].annotations",
        ]
        prompt = chat(USER, {"role": "assistant", "content": "a", "refusal": "no"})
        assert "no" not in history(prompt)

    def test_what_a_part_holds_besides(self):
        parts = ["a", {"type": "text", "text": "b", "annotations": [{}], "logprobs": []}]
        prompt = chat({"role": "user", "content": parts})
        assert history(prompt) == "<|start|>user<|message|>ab<|end|>"
        assert [d.path for d in prompt.dropped] == ["messages[0].content[1].annotations"]

    def test_two_reasonings(self):
        prompt = chat(USER, {"role": "assistant", "reasoning": "a", "thinking": "b"})
        assert history(prompt).endswith("analysis<|message|>a<|end|>")
        assert [d.path for d in prompt.dropped] == ["messages[1].thinking"]

    def test_the_older_form_of_calls(self):
        prompt = chat(
            USER,
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
            functions=[{"name": "f"}],
            function_call="auto",
        )
        assert history(prompt).endswith(
            "to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>"
            "<|start|>functions.f to=assistant<|channel|>commentary<|message|>1<|end|>"
        )

    def test_missing_arguments(self):
        call = {"id": "c", "function": {"name": "f"}}
        assert history(chat(USER, {"role": "assistant", "tool_calls": [call]})).endswith(
            "<|constrain|>json<|message|><|call|>"
        )

    def test_built_in_calls(self):
        calls = [
            {"id": "1", "function": {"name": "python", "arguments": "print(1)"}},
            {"id": "2", "function": {"name": "browser.open", "arguments": "{}"}},
        ]
        results = [{"role": "tool", "tool_call_id": id, "content": id} for id in "12"]
        prompt = chat(
            USER, {"role": "assistant", "tool_calls": calls}, *results, builtin_tools=["python"]
        )
        assert history(prompt).split("<|end|>", 1)[1] == (
            "<|start|>assistant to=python<|channel|>analysis code<|message|>print(1)<|call|>"
            "<|start|>assistant to=functions.browser.open<|channel|>commentary <|constrain|>json"
            "<|message|>{}<|call|>"
            "<|start|>python to=assistant<|channel|>analysis<|message|>1<|end|>"
            "<|start|>functions.browser.open to=assistant<|channel|>commentary<|message|>2<|end|>"
        )


class TestResults:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            *[("x <|end|>", "x <|end|>"), (None, ""), ([], ""), ("", "")],
            *[({"a": "é"}, '{"a": "é"}'), ([1, 2], "[1, 2]"), (3, "3"), (True, "true")],
            ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
            ([{"a": 1}], '[{"a": 1}]'),
        ],
    )
    def test_content(self, content, text):
        prompt = chat(
            USER,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": content},
        )
        assert prompt.conversation.messages[-1].content[0].text == text

    def test_ids_of_different_turns_may_be_equal(self):
        def turn(name):
            call = {"id": "0", "function": {"name": name, "arguments": "{}"}}
            yield {"role": "assistant", "tool_calls": [call]}
            yield {"role": "tool", "tool_call_id": "0", "content": name}

        messages = chat(USER, *turn("a"), *turn("b")).conversation.messages
        answers = [m.author.name for m in messages if m.author.name]
        assert answers == ["functions.a", "functions.b"]

    def test_without_an_id_it_is_the_only_open_call(self):
        made = {"role": "assistant", "tool_calls": [CALL]}
        prompt = chat(USER, made, {"role": "tool", "content": "1"})
        assert prompt.conversation.messages[-1].author.name == "functions.f"

    @pytest.mark.parametrize(
        ("message", "path", "said"),
        [
            (
                {"tool_call_id": "zz", "content": ""},
                "messages[2].tool_call_id",
                "'zz' (there are: 'c1')",
            ),
            ({"content": ""}, "messages[3].tool_call_id", "expected the id of the call"),
        ],
    )
    def test_an_undeclared_id(self, message, path, said):
        messages = [USER, {"role": "assistant", "tool_calls": [CALL]}]
        if "tool_call_id" not in message:
            messages.append({"role": "tool", "tool_call_id": "c1", "content": "1"})
        with pytest.raises(InvalidRequest) as raised:
            chat(*messages, {"role": "tool", **message})
        assert raised.value.path == path
        assert said in str(raised.value)
        assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


class TestFormats:
    SCHEMA: ClassVar = {"type": "object", "properties": {"a": {"enum": ["é", None]}}}

    def test_schema(self):
        inner = {"name": "n", "schema": self.SCHEMA, "description": "x\ny"}
        section = (
            "<|start|>developer<|message|># Response Formats\n\n## n\n\n// x\n// y\n"
            '{"type":"object","properties":{"a":{"enum":["é",null]}}}<|end|>'
        )
        for prompt in (
            chat(USER, response_format={"type": "json_schema", "json_schema": inner}),
            responses(USER, text={"format": {"type": "json_schema", **inner}}),
        ):
            assert shown(prompt).startswith(section)
            assert prompt.response_format.schema == self.SCHEMA

    def test_others(self):
        prompt = chat(USER, response_format={"type": "json_object"})
        assert "Response Formats" not in prompt.text()
        assert prompt.response_format.schema == {"type": "object"}
        assert to_chat_request(prompt)["response_format"] == {"type": "json_object"}
        assert chat(USER, response_format={"type": "text"}).response_format is None

    def test_grammar_without_the_extra(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "harmony.constrain", None)
        with pytest.raises(MissingExtra, match=r"harmony-format\[constrain\]"):
            chat(USER).grammar()

    def test_grammar(self):
        inner = {"name": "n", "schema": self.SCHEMA}
        format = {"type": "json_schema", "json_schema": inner}
        for fields in (
            {},
            {"tools": [TOOL], "tool_choice": "required"},
            {"response_format": format},
        ):
            assert chat(USER, **fields).grammar().to_llguidance()


class TestChoice:
    @pytest.mark.parametrize(
        ("choice", "wanted"),
        [
            *[("auto", "auto"), ("none", "none"), ("required", "required"), (None, "auto")],
            *[({"type": "function", "function": {"name": "f"}}, "f")],
            *[({"type": "function", "name": "f"}, "f"), ({"type": "code_interpreter"}, "python")],
        ],
    )
    def test_choices(self, choice, wanted):
        tools = [TOOL, {"type": "code_interpreter"}]
        prompt = chat(USER, tools=tools, tool_choice=choice, parallel_tool_calls=False)
        assert prompt.tool_choice == wanted
        assert not prompt.parallel_tool_calls
        again = from_chat_request(to_chat_request(prompt))
        assert (again.tool_choice, again.parallel_tool_calls) == (wanted, False)

    def test_allowed_tools(self):
        other = {"type": "function", "name": "g"}
        named = [{"type": "function", "name": "g"}]
        allowed = {"type": "allowed_tools", "mode": "required", "tools": named}
        for choice in (allowed, {"type": "allowed_tools", "allowed_tools": allowed}):
            prompt = chat(USER, tools=[TOOL, other], tool_choice=choice)
            assert prompt.tool_choice == "required"
            assert [tool.name for tool in prompt.callable_tools] == ["g"]
            assert [tool.name for tool in prompt.tools] == ["f", "g"]
            assert from_chat_request(to_chat_request(prompt)).allowed_tools == ["g"]
            assert from_responses_request(to_responses_request(prompt)).allowed_tools == ["g"]


BAD = [
    ({}, "messages", "expected a list of messages, but it is missing"),
    ({"messages": 3}, "messages", "expected a list, got int"),
    ({"messages": ["x"]}, "messages[0]", "expected an object, got str"),
    ({"messages": [{}]}, "messages[0].role", "expected a string, but it is missing"),
    ({"messages": [{"role": "x"}]}, "messages[0].role", "expected one of 'system'"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "expected the user's text"),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "a list of parts"),
    (
        {"messages": [USER, {"role": "user", "content": [{"type": "image_url"}]}]},
        "messages[1].content[0]",
        "an image ('image_url'); Harmony holds text only",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        "messages[0].content[0]",
        "audio ('input_audio')",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "x"}]}]},
        "messages[0].content[0].type",
        "x",
    ),
    ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "messages[0].audio", "audio;"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"type": "custom"}]}]},
        "messages[0].tool_calls[0].type",
        "a call of the type 'custom'",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": ""}}]}]},
        "messages[0].tool_calls[0].function.name",
        "got an empty string",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a b"}}]}]},
        "messages[0].tool_calls[0].function.name",
        "cannot stand in a header",
    ),
    ({"messages": [{**USER, "name": "a b"}]}, "messages[0].name", "cannot stand in a header"),
    ({"messages": [USER], "tools": [TOOL, TOOL]}, "tools[1].function.name", "declared twice"),
    (
        {"messages": [USER], "tools": [{"type": "mcp"}]},
        "tools[0].type",
        "no tool of the type 'mcp'",
    ),
    (
        {"messages": [USER], "tools": [{"name": "f", "parameters": 3}]},
        "tools[0].parameters",
        "Schema",
    ),
    ({"messages": [USER], "tools": [{"name": ""}]}, "tools[0].name", "empty"),
    ({"messages": [USER], "builtin_tools": ["x"]}, "builtin_tools[0]", "no tool of the type 'x'"),
    ({"messages": [USER], "tool_choice": "x"}, "tool_choice", "expected one of 'auto'"),
    ({"messages": [USER], "tool_choice": "required"}, "tool_choice", "declares no tools"),
    ({"messages": [USER], "tool_choice": {"name": "g"}}, "tool_choice.name", "declares: none"),
    ({"messages": [USER], "tool_choice": {"type": "web_search"}}, "tool_choice", "not declare"),
    ({"messages": [USER], "parallel_tool_calls": 1}, "parallel_tool_calls", "true or false"),
    ({"messages": [USER], "response_format": {"type": "x"}}, "response_format.type", "no response"),
    (
        {"messages": [USER], "response_format": {"type": "json_schema", "json_schema": {}}},
        "response_format.json_schema.name",
        "expected a string, but it is missing",
    ),
    (
        {"messages": [USER], "response_format": {"type": "json_schema", "name": "a\nb"}},
        "response_format.name",
        "a name in one line",
    ),
    (
        {"messages": [USER], "response_format": {"type": "json_schema", "name": "a", "schema": 1}},
        "response_format.schema",
        "a JSON Schema",
    ),
    ({"messages": [USER], "x": b""}, "x", "expected JSON data, got bytes"),
    ({"messages": [USER], "x": {1: 2}}, "x", "expected names of fields, got 1"),
    (
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"function": {"name": "f", "arguments": float("nan")}}],
                }
            ]
        },
        "messages[0].tool_calls[0].function.arguments",
        "not to be written as JSON",
    ),
]
BAD_ITEMS = [
    ({}, "input", "expected a string or a list of items"),
    ({"input": [{"type": "mcp_call"}]}, "input[0].type", "no item of the type 'mcp_call'"),
    ({"input": [{"x": 1}]}, "input[0].type", "missing"),
    ({"input": [{"role": "tool"}]}, "input[0].role", "expected one of"),
    ({"input": [{"role": "user"}]}, "input[0].content", "the user's text"),
    ({"input": [], "previous_response_id": "r"}, "previous_response_id", "previous_items"),
    (
        {"input": [{"role": "assistant", "content": "a", "phase": "x"}]},
        "input[0].phase",
        "'commentary', 'final_answer'",
    ),
    (
        {"input": [{"type": "function_call_output", "call_id": "z", "output": ""}]},
        "input[0].call_id",
        "(there are: none)",
    ),
    (
        {"input": [{"type": "web_search_call", "action": {"type": "x"}}]},
        "input[0].action.type",
        "expected one of 'search'",
    ),
    (
        {"input": [{"type": "code_interpreter_call", "code": "", "outputs": [{"type": "image"}]}]},
        "input[0].outputs[0]",
        "an output of the type 'image'",
    ),
]


class TestErrors:
    @pytest.mark.parametrize(("request_", "path", "said"), BAD)
    def test_chat(self, request_, path, said):
        with pytest.raises(InvalidRequest) as raised:
            from_chat_request(request_)
        assert raised.value.path == path
        assert str(raised.value).startswith(f"{path}: ")
        assert said in str(raised.value)

    @pytest.mark.parametrize(("request_", "path", "said"), BAD_ITEMS)
    def test_responses(self, request_, path, said):
        with pytest.raises(InvalidRequest) as raised:
            from_responses_request(request_)
        assert raised.value.path == path
        assert said in str(raised.value)

    @pytest.mark.parametrize("request_", [None, 3, "x", [], [USER]])
    def test_no_request(self, request_):
        for read in (from_chat_request, from_responses_request):
            with pytest.raises(InvalidRequest, match="expected a request"):
                read(request_)

    def test_no_date_and_no_encoding(self):
        with pytest.raises(InvalidRequest, match="date: expected a date"):
            from_chat_request({"messages": [USER]}, date=3)
        with pytest.raises(InvalidMessage, match=r"expected an? HarmonyEncoding"):
            from_chat_request({"messages": [USER]}, encoding="x")

    def test_within_itself(self):
        request = {"messages": [USER]}
        request["x"] = request
        with pytest.raises(InvalidRequest, match="nested too deeply"):
            from_chat_request(request)

    def test_what_an_iterable_raises(self):
        def messages():
            yield USER
            raise KeyError("x")

        with pytest.raises(InvalidRequest, match="messages: cannot be read"):
            from_chat_request({"messages": messages()})
        with pytest.raises(HarmonyError):
            plain(object())


class TestResponses:
    def test_a_string(self):
        prompt = from_responses_request({"input": "hi"}, date=DATE)
        assert history(prompt) == "<|start|>user<|message|>hi<|end|>"

    def test_items(self):
        prompt = responses(
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "R"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "P"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "1"}]},
            {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "q"}},
            {"type": "code_interpreter_call", "id": "i", "container_id": "x", "status": "completed",
             "code": "1", "outputs": [{"type": "logs", "logs": "2"}]},
        )  # fmt: skip
        assert history(prompt) == (
            "<|start|>user<|message|>hi<|end|>"
            "<|start|>assistant<|channel|>analysis<|message|>R<|end|>"
            "<|start|>assistant<|channel|>commentary<|message|>P<|end|>"
            "<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>"
            '{"a":1}<|call|>'
            "<|start|>functions.f to=assistant<|channel|>commentary<|message|>1<|end|>"
            '<|start|>assistant to=browser.search<|channel|>analysis code<|message|>{"query": "q"}<|call|>'
            "<|start|>assistant to=python<|channel|>analysis code<|message|>1<|call|>"
            "<|start|>python to=assistant<|channel|>analysis<|message|>2<|end|>"
        )
        assert prompt.dropped == []

    def test_a_phase_holds(self):
        said = {"role": "assistant", "content": "a"}
        call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
        for item, after, channel in (
            (said, [], "final"),
            (said, [USER, call], "final"),
            (said, [said, call], "commentary"),
            ({**said, "phase": "commentary"}, [], "commentary"),
            ({**said, "phase": "final_answer"}, [call], "final"),
        ):
            prompt = responses(USER, item, *after)
            assert prompt.conversation.messages[2].channel == channel

    def test_reasoning_without_text(self):
        summary = [{"type": "summary_text", "text": "S"}]
        prompt = responses(
            USER,
            {"type": "reasoning", "id": "a", "summary": [], "encrypted_content": "x"},
            {"type": "reasoning", "id": "b", "summary": summary},
            {"type": "reasoning", "id": "c", "summary": summary, "content": [{"type": "reasoning_text", "text": "R"}]},
            {"role": "assistant", "content": []},
        )  # fmt: skip
        assert [m.content[0].text for m in prompt.conversation.messages[2:]] == ["S", "R"]
        assert [d.path for d in prompt.dropped] == [
            *["input[1]", "input[1].encrypted_content"],
            *["input[3].summary", "input[4]"],
        ]

    def test_only_previous_items(self):
        prompt = from_responses_request({"model": "m"}, previous_items=[USER])
        assert history(prompt) == "<|start|>user<|message|>hi<|end|>"

    def test_several_queries(self):
        call = {"type": "web_search_call", "id": "w", "status": "completed"}
        found = [{"type": "url", "url": "https://x"}]
        action = {"type": "search", "queries": ["a", "b"], "sources": found}
        prompt = responses(USER, {**call, "action": action})
        assert history(prompt).endswith('code<|message|>{"query": ["a", "b"]}<|call|>')
        assert [d.path for d in prompt.dropped] == ["input[1].action.sources"]
        (_, item) = to_responses_request(prompt)["input"]
        assert item["action"] == {"type": "search", "queries": ["a", "b"]}

    def test_previous_items(self):
        prompt = from_responses_request(
            {"input": "and?", "previous_response_id": "r"},
            previous_items=[USER, {"role": "assistant", "content": "ho"}],
        )
        assert history(prompt).count("<|start|>") == 3


class TestObjects:
    """Issue: "a request is a dict or the `openai` package's object"."""

    def test_objects_of_openai(self):
        from openai.types.chat import ChatCompletionMessage
        from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        message = ChatCompletionMessage.model_validate(
            {"role": "assistant", "content": None, "reasoning": "R", "tool_calls": [call]}
        )
        result = {"role": "tool", "tool_call_id": "c1", "content": "1"}
        prompt = from_chat_request({"messages": iter([USER, message, result])}, date=DATE)
        assert "analysis<|message|>R<|end|>" in prompt.text()
        item = ResponseFunctionToolCall(
            type="function_call", call_id="c", name="f", arguments="{}", id="i", status="completed"
        )
        said = ResponseOutputMessage.model_validate(
            {"id": "m", "type": "message", "role": "assistant", "status": "completed",
             "content": [{"type": "output_text", "text": "T", "annotations": []}]}
        )  # fmt: skip
        prompt = responses(USER, said, item)
        assert "commentary<|message|>T<|end|>" in prompt.text()
        assert prompt.dropped == []

    def test_pydantic_and_dataclasses(self):
        import dataclasses

        from pydantic import BaseModel

        class Said(BaseModel):
            role: str = "user"
            content: str

        @dataclasses.dataclass
        class Request:
            messages: tuple
            model: str = "m"

        prompt = from_chat_request(Request((Said(content="hi"),)))
        assert history(prompt) == "<|start|>user<|message|>hi<|end|>"


class TestPrompt:
    def test_an_overlay_s_channels(self):
        """Guide: an overlay with another channel works."""
        overlay = {
            "channels": [{"name": "thoughts", "visible": False, "purpose": "x"}],
            "analysis_dropping": {"channel": "thoughts"},
            "namespaces": [{"name": "functions", "channel": "acts"}],
        }
        other = load_harmony_encoding("HarmonyGptOss", spec=overlay)
        said = {"role": "assistant", "reasoning": "R", "tool_calls": [CALL]}
        text = from_chat_request({"messages": [USER, said]}, encoding=other).text()
        assert "# Valid channels: analysis, commentary, final, thoughts." in text
        assert "<|channel|>thoughts<|message|>R" in text
        assert "to=functions.f<|channel|>acts <|constrain|>json" in text

    def test_an_overlay_s_channels_of_answers(self, enc):
        overlay = {"analysis_dropping": {"channel": "final", "until_channel": "analysis"}}
        other = load_harmony_encoding("HarmonyGptOss", spec=overlay)
        tokens = enc.encode("<|channel|>final<|message|>x<|end|>", allowed_special="all")
        assert to_chat_message(tokens, other)["reasoning"] == "x"
        request = {"messages": [USER, {"role": "assistant", "content": "a"}]}
        assert (
            "<|channel|>analysis<|message|>a" in from_chat_request(request, encoding=other).text()
        )

    def test_a_built_in_tool_declared_twice(self):
        prompt = chat(USER, builtin_tools=["python", "code_interpreter"])
        assert prompt.builtin_tools == ["python"]

    def test_the_dialect_holds(self, channel_first):
        said = {"role": "assistant", "tool_calls": [CALL]}
        prompt = from_chat_request({"messages": [USER, said]}, encoding=channel_first)
        assert "<|channel|>commentary to=functions.f <|constrain|>json<|message|>" in prompt.text()

    def test_the_policy_holds(self):
        prompt = chat(USER, {"role": "assistant", "content": "a", "reasoning": "R"}, USER)
        assert "analysis<|message|>" not in prompt.text()
        prompt.config = RenderConversationConfig(auto_drop_analysis=False)
        assert "analysis<|message|>R" in prompt.text()

    def test_messages_are_appended(self):
        prompt = append_message(chat(USER), {"role": "assistant", "tool_calls": [CALL]})
        append_message(prompt, {"role": "tool", "tool_call_id": "c1", "content": "1"})
        append_message(prompt, {"role": "system", "content": "Be brief."})
        assert to_chat_request(prompt)["messages"] == [
            USER,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
            {"role": "developer", "content": "Be brief."},
        ]
        item = append_message(responses(USER), {"role": "assistant", "content": "a"})
        assert history(item).endswith("<|channel|>final<|message|>a<|end|>")

    def test_what_the_prompt_does_not_say(self):
        asked = {"logprobs": True, "verbosity": "low", "modalities": ["text", "audio"]}
        prompt = chat(USER, **asked)
        assert [d.path for d in prompt.dropped] == ["logprobs", "verbosity", "modalities"]
        assert len(append_message(prompt, USER).dropped) == 3
        prompt = responses(USER, text={"verbosity": "low"}, modalities=["text"])
        assert [d.path for d in prompt.dropped] == ["text.verbosity"]

    def test_from_messages(self):
        prompt = chat(USER, builtin_tools=["browser"], tools=[TOOL])
        again = from_harmony(prompt.conversation.messages)
        assert again.text() == prompt.text()
        assert (again.builtin_tools, [t.name for t in again.tools]) == (["browser"], ["f"])
