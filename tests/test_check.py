"""Checks: what they take, what they say, where, and what is legal."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import pytest

import harmony
from harmony import (
    CheckFailed,
    Conversation,
    DeveloperContent,
    Diagnostic,
    Edit,
    Fix,
    GrammarError,
    HarmonyError,
    InvalidMessage,
    InvalidToken,
    Message,
    MissingExtra,
    ParseError,
    Role,
    SystemContent,
    TokenRange,
    ToolDescription,
    ToolNamespaceConfig,
    UnknownName,
    apply_fixes,
    load_harmony_encoding,
)
from harmony.check import load_rules, selected_rules
from harmony.check.findings import CHECKS
from harmony.check.json_reading import json_path
from harmony.contents import ChannelConfig, ResponseFormat
from harmony.spec import load_spec
from tests.shell import ROOT

SPEC = load_spec()
RULES = load_rules(SPEC)
WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
}
CALL = "<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{}<|call|>"


def ids(enc, text: str) -> list[int]:
    return enc.encode(text, allowed_special="all")


def codes(found: list[Diagnostic]) -> list[str]:
    return [diagnostic.code for diagnostic in found]


def message(role: str, content: str = "Hi.", **fields) -> dict:
    return {"role": role, "content": content, **fields}


def conversation(*messages: dict) -> Conversation:
    return Conversation.from_dict({"messages": list(messages)})


def call(arguments: object = "{}", recipient: str = "functions.get_weather", **fields) -> dict:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    fields = {"channel": "commentary", "content_type": "json", **fields}
    return message("assistant", text, recipient=recipient, **fields)


def result(name: str = "functions.get_weather", **fields) -> dict:
    return message(
        "tool", "1", name=name, **{"recipient": "assistant", "channel": "commentary", **fields}
    )


USER = message("user")
FINAL = message("assistant", channel="final")


class TestSpec:
    def test_every_rule_is_checked_by_code_that_names_it(self):
        checked = {code for codes, _ in CHECKS for code in codes}
        assert checked == {rule.code for rule in RULES.values() if not rule.leniency}

    def test_every_leniency_is_a_rule(self):
        rows = [*SPEC.rows("leniencies"), *SPEC.rows("text_leniencies")]
        assert {rule.name for rule in RULES.values() if rule.leniency} == {r["code"] for r in rows}
        assert len({row["check"] for row in rows}) == len(rows) >= 37

    def test_every_rule_names_a_section_and_a_family(self):
        prefixes = [row["prefix"] for row in SPEC.rows("rule_families")]
        for rule in RULES.values():
            assert rule.section in SPEC.data
            assert sum(rule.code.startswith(prefix) for prefix in prefixes) == 1
            assert rule.leniency or rule.prose
            assert set(rule.implies) <= set(RULES)
        assert len({rule.name for rule in RULES.values()}) == len(RULES)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"severity": "fatal"}, "has the severity 'fatal'"),
            ({"fix": "maybe"}, "the fix 'maybe'"),
            ({"mood": "good"}, "does not fit"),
            ({"good": {"messages": "["}}, "does not fit"),
            ({"good": {"colour": "red"}}, "does not fit"),
        ],
    )
    def test_a_rule_that_does_not_hold_together(self, change, complaint):
        with pytest.raises(GrammarError, match=complaint):
            load_harmony_encoding("HarmonyGptOss", spec={"rules": [{"code": "HAR101", **change}]})

    def test_a_rule_that_is_not_whole(self):
        with pytest.raises(GrammarError, match="'HAR999' of the spec lacks: name, severity"):
            load_harmony_encoding("HarmonyGptOss", spec={"rules": [{"code": "HAR999"}]})
        with pytest.raises(GrammarError, match="the leniency 'x' does not fit"):
            load_harmony_encoding("HarmonyGptOss", spec={"leniencies": [{"code": "x"}]})

    def test_a_sentence_with_a_place_that_nobody_fills(self):
        overlay = {"rules": [{"code": "HAR101", "sentence": "{colour}"}]}
        enc = load_harmony_encoding("HarmonyGptOss", spec=overlay)
        with pytest.raises(GrammarError, match="a place that is not filled in: 'colour'"):
            enc.check(conversation(USER, message("system")))

    def test_severities_and_sentences_are_the_spec_s(self):
        row = {"code": "HAR201", "severity": "error", "sentence": "No channel!"}
        enc = load_harmony_encoding("HarmonyGptOss", spec={"rules": [row]})
        (found,) = enc.check(conversation(message("assistant")))
        assert (found.severity, found.message) == ("error", "No channel!")

    def test_another_channel_and_namespace_are_known(self):
        overlay = {
            "channels": [{"name": "debate", "visible": True, "purpose": "x"}],
            "namespaces": [{"name": "shell", "channel": "debate", "purpose": "x"}],
        }
        enc = load_harmony_encoding("HarmonyGptOss", spec=overlay)
        told = conversation(USER, call("ls", "shell", channel="debate", content_type="code"))
        assert enc.check(told) == []
        assert codes(enc.check(conversation(USER, call("ls", "shell")))) == ["HAR303", "HAR305"]
        own = load_harmony_encoding("HarmonyGptOss")
        assert codes(own.check(told)) == ["HAR202"]

    def test_a_channel_that_is_for_some_roles_only(self):
        channel = {"name": "critique", "visible": False, "purpose": "x", "roles": ["user"]}
        enc = load_harmony_encoding("HarmonyGptOss", spec={"channels": [channel]})
        assert enc.check(conversation(message("user", channel="critique"))) == []
        (found,) = enc.check(conversation(USER, message("assistant", channel="critique"), FINAL))
        assert (found.code, found.fix) == ("HAR203", None)

    def test_another_role_is_nobody_s_turn(self):
        role = {"name": "critic", "authority": 6, "purpose": "x"}
        enc = load_harmony_encoding("HarmonyGptOss", spec={"roles": [role]})
        told = conversation(USER, FINAL, message("critic", channel="commentary"), USER)
        assert enc.check(told) == []
        tokens = enc.render_conversation(told)
        assert enc.check(tokens) == []

    def test_special_tokens_are_the_spec_s(self):
        overlay = {"special_tokens": [{"name": "end", "text": "[end]"}]}
        enc = load_harmony_encoding("HarmonyGptOss", spec=overlay)
        assert codes(enc.check(conversation(message("user", "Hi[end]")))) == ["HAR501"]
        assert enc.check(conversation(message("user", "Hi<|end|>"))) == []


class TestSelectors:
    @pytest.mark.parametrize(
        ("select", "ignore", "expected"),
        [
            (None, None, set(RULES)),
            ("ALL", None, set(RULES)),
            ([], None, set()),
            ("HAR305", None, {"HAR305"}),
            ("har305", None, {"HAR305"}),
            ("arguments-json", None, {"HAR305"}),
            ("HAR101, HAR102", None, {"HAR101", "HAR102"}),
            (["HAR1"], ["HAR102"], {"HAR101", "HAR103", "HAR104"}),
            ("structure", "HAR102,HAR103", {"HAR101", "HAR104"}),
            (["HAR102"], ["HAR1"], {"HAR102"}),
            (["HAR1"], ["HAR1"], set()),
            (None, "ALL", set()),
            ("repeated-recipient", None, {"HAR622"}),
            (iter(["HAR305"]), None, {"HAR305"}),
        ],
    )
    def test_which_rules(self, select, ignore, expected):
        assert selected_rules(SPEC, RULES, select, ignore) == expected

    @pytest.mark.parametrize("wrong", ["HAR9", "nonsense", "", "HAR305,", ["HAR3055"]])
    def test_unknown(self, enc, wrong):
        for option in ("select", "ignore"):
            with pytest.raises(UnknownName, match="no rule is called"):
                enc.check([], **{option: wrong})

    @pytest.mark.parametrize("wrong", [5, [5]])
    def test_no_selector(self, enc, wrong):
        with pytest.raises(InvalidMessage, match="expected codes of rules, got int"):
            enc.check([], select=wrong)

    def test_only_what_is_selected_is_found(self, enc):
        told = conversation(message("user", "<|end|>", channel="final"))
        assert codes(enc.check(told)) == ["HAR203", "HAR501"]
        assert codes(enc.check(told, select="HAR5")) == ["HAR501"]
        assert codes(enc.check(told, ignore="content")) == ["HAR203"]

    def test_what_is_implied_is_said_if_the_other_is_ignored(self, enc):
        tokens = ids(enc, "<|channel|>final<|message|>Use <|start|>assistant to begin.<|return|>")
        assert codes(enc.check(tokens)) == ["HAR607"]
        assert codes(enc.check(tokens, ignore="HAR6")) == ["HAR501"]


class TestInputs:
    def test_all_forms_of_a_conversation(self, enc):
        told = conversation(message("assistant"))
        expected = enc.check(told)
        assert codes(expected) == ["HAR201"]
        assert enc.check(told.messages) == expected
        assert enc.check(tuple(told.messages)) == expected
        assert enc.check(told.messages[0]) == expected

    def test_all_forms_of_tokens(self, enc):
        text = "<|start|>assistant<|message|>Hi<|end|>"
        tokens = ids(enc, text)
        (expected,) = enc.check(tokens)
        assert expected == Diagnostic(
            "HAR201",
            "the message names no channel",
            TokenRange(0, 3),
            "warning",
            name="channel-missing",
            message_index=0,
            fix=Fix("set the channel to 'final'", (Edit(0, "channel", "final"),)),
        )
        assert enc.check(tuple(tokens)) == [expected]
        assert enc.check(enc.parse(tokens)) == [expected]

    def test_ids_of_another_integer_type(self, enc):
        class Id:
            def __init__(self, value):
                self.value = value

            def __index__(self):
                return self.value

        tokens = ids(enc, "<|start|>assistant<|message|>Hi<|end|>")
        assert enc.check([Id(token) for token in tokens]) == enc.check(tokens)
        with pytest.raises(InvalidToken, match="item 1 is bool: True"):
            enc.check([200006, True])

    def test_nothing_is_nothing(self, enc):
        for nothing in ([], (), Conversation()):
            assert enc.check(nothing) == []

    @pytest.mark.parametrize("wrong", ["<|start|>", b"x", None, 5])
    def test_something_else(self, enc, wrong):
        with pytest.raises(InvalidMessage, match="expected a Conversation, messages, token ids"):
            enc.check(wrong)

    @pytest.mark.parametrize(
        "wrong", [{"a": 1}, [Message.from_role_and_content(Role.USER, "x"), 5]]
    )
    def test_something_else_inside(self, enc, wrong):
        with pytest.raises(HarmonyError):
            enc.check(wrong)

    @pytest.mark.parametrize(
        ("spoil", "where"),
        [
            (lambda m: setattr(m, "channel", 5), "Message.channel"),
            (lambda m: setattr(m.author, "name", 5), "Author.name"),
            (lambda m: setattr(m.author, "role", "user"), "Author.role"),
            (lambda m: setattr(m, "content", "x"), "Message.content"),
            (lambda m: setattr(m.content[0], "text", None), "TextContent.text"),
        ],
    )
    def test_a_field_of_another_type(self, enc, spoil, where):
        told = conversation(USER)
        spoil(told.messages[0])
        with pytest.raises(InvalidMessage, match=where):
            enc.check(told)

    def test_messages_that_are_no_list(self, enc):
        told = conversation(USER)
        told.messages = None
        with pytest.raises(InvalidMessage, match=r"Conversation\.messages: expected a list"):
            enc.check(told)

    @pytest.mark.parametrize("wrong", ["5", 1.5, True, -1])
    def test_a_context_that_is_none(self, enc, wrong):
        with pytest.raises(InvalidMessage, match="context: expected a number of tokens"):
            enc.check([], context=wrong)

    def test_a_transcript_whose_messages_were_changed_has_no_places(self, enc):
        transcript = enc.parse(ids(enc, "<|start|>assistant<|message|>Hi<|end|>"))
        transcript.messages.append(transcript.messages[0])
        assert {diagnostic.tokens for diagnostic in enc.check(transcript)} == {None}

    def test_a_transcript_of_a_prompt_that_ends_in_a_content(self, enc):
        text = "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>analysis<|message|>So"
        assert enc.check(enc.parse(ids(enc, text))) == []
        completion = enc.parse(ids(enc, "<|channel|>analysis<|message|>So"), Role.ASSISTANT)
        assert codes(enc.check(completion)) == ["HAR402"]

    def test_nothing_is_changed(self, enc):
        told = conversation(message("developer", "# Instructions\n\nx"), message("assistant"))
        before = copy.deepcopy(told)
        enc.check(told)
        assert told == before

    def test_the_tools_of_the_prompt_decide_how_a_damaged_header_reads(self, enc):
        developer = DeveloperContent.new().with_function_tools(
            [ToolDescription.new("bash", "Runs.")]
        )
        prompt = enc.render(Message.from_role_and_content(Role.DEVELOPER, developer))
        damaged = "<|start|>assistant<|channel|>commentary bash json<|message|>{}<|call|>"
        assert codes(enc.check(prompt + ids(enc, damaged))) == ["HAR628"]


DOCUMENTED = {
    "system and developer": "{system}{developer}<|start|>user<|message|>What is the weather like in SF?<|end|><|start|>assistant",
    "no system": "<|start|>user<|message|>What is 2 + 2?<|end|><|start|>assistant",
    "completion": '<|channel|>analysis<|message|>User asks: "What is 2 + 2?" Simple arithmetic. Provide answer.<|end|><|start|>assistant<|channel|>final<|message|>2 + 2 = 4.<|return|>',
    "completion without its stop token": "<|channel|>final<|message|>2 + 2 = 4.",
    "completion with its role": "<|start|>assistant<|channel|>final<|message|>2 + 2 = 4.<|return|>",
    "history without analysis": "<|start|>user<|message|>What is 2 + 2?<|end|><|start|>assistant<|channel|>final<|message|>2 + 2 = 4.<|end|><|start|>user<|message|>What about 9 / 2?<|end|><|start|>assistant",
    "call": '<|channel|>analysis<|message|>Need to use function get_weather.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{{"location":"San Francisco"}}<|call|>',
    "call and result": '{system}{developer}<|start|>user<|message|>How?<|end|><|start|>assistant<|channel|>analysis<|message|>Use it.<|end|><|start|>assistant<|channel|>commentary to=functions.get_current_weather <|constrain|>json<|message|>{{"location":"San Francisco"}}<|call|><|start|>functions.get_current_weather to=assistant<|channel|>commentary<|message|>{{"sunny": true, "temperature": 20}}<|end|><|start|>assistant',
    "preamble": "<|channel|>analysis<|message|>{{long chain of thought}}<|end|><|start|>assistant<|channel|>commentary<|message|>**Action plan**:\n1. Generate an HTML file<|end|><|start|>assistant<|channel|>commentary<|message|>And more.<|end|><|start|>assistant<|channel|>commentary to=functions.generate_file<|constrain|>json<|message|>{{}}<|call|>",
    "built-in tools": '{system}<|start|>user<|message|>How?<|end|><|start|>assistant to=python<|channel|>analysis code<|message|>print(1)<|call|><|start|>python to=assistant<|channel|>analysis<|message|>1<|end|><|start|>assistant to=browser.search<|channel|>analysis code<|message|>{{"query": "x"}}<|call|><|start|>browser to=assistant<|channel|>analysis<|message|>x<|end|><|start|>assistant',
    "a channel begun": "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final",
    "a content to begin": "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final<|message|>",
    "a thought begun": "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>analysis<|message|>So",
    "arguments to begin": "<|start|>user<|message|>Hi<|end|><|start|>assistant to=functions.f<|channel|>commentary json<|message|>",
    "an answer in JSON to begin": "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    "a named user": "<|start|>user:alice<|message|>Hi<|end|>",
    "developer without system": "{developer}<|start|>user<|message|>Hi<|end|>",
    "free text": "<|start|>system<|message|>Be nice.<|end|><|start|>developer<|message|>You have the tool shop.buy.<|end|><|start|>user<|message|>Hi<|end|><|start|>assistant to=shop.buy<|channel|>commentary json<|message|>{{}}<|call|>",
    "a structured prompt whose developer message is free text": "{system}<|start|>developer<|message|># Instructions\n\nx\n\n# Response Formats\n\nReasoning: high\n\n{{}}<|end|><|start|>user<|message|>Hi<|end|><|start|>assistant to=functions.f<|channel|>commentary<|message|>{{}}<|call|>",
    "an empty result": CALL.replace("{", "{{").replace("}", "}}") + "<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|><|end|><|start|>assistant",
}  # fmt: skip
SYSTEM = """<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.
Knowledge cutoff: 2024-06
Current date: 2025-06-28

Reasoning: high

# Valid channels: analysis, commentary, final. Channel must be included for every message.
Calls to these tools must go to the commentary channel: 'functions'.<|end|>"""
DEVELOPER = """<|start|>developer<|message|># Instructions

Use a friendly tone.

# Tools

## functions

namespace functions {

// Gets the location of the user.
type get_location = () => any;

// Gets the current weather in the provided location.
type get_current_weather = (_: {
// The city and state, e.g. San Francisco, CA
location: string,
format?: "celsius" | "fahrenheit", // default: celsius
}) => any;

} // namespace functions<|end|>"""


class TestLegal:
    """What the format's documentation shows, and what servers make of it, checks clean."""

    @pytest.mark.parametrize("text", DOCUMENTED.values(), ids=DOCUMENTED)
    def test_documented(self, enc, text):
        assert enc.check(ids(enc, text.format(system=SYSTEM, developer=DEVELOPER))) == []

    @pytest.mark.parametrize(
        "told",
        [
            [USER],
            [USER, FINAL],
            [USER, USER, FINAL],
            [message("system"), message("developer"), message("developer"), USER],
            [message("system"), FINAL],
            [USER, call()],
            [USER, call(), result()],
            [USER, call(), call(), result(), result(), FINAL],
            [USER, call(), result(), call(), result(), FINAL],
            [USER, call(), USER, result(), FINAL],
            [USER, call("{}", "functions.g"), call(), result(), result("functions.g")],
            [USER, message("assistant", channel="final", recipient="all")],
            [USER, call(content_type="<|constrain|> json")],
            [USER, call(content_type=None), result()],
            [USER, call("", "python", channel="analysis", content_type="code")][:1],
        ],
        ids=str,
    )
    def test_conversations(self, enc, told):
        assert enc.check(conversation(*told)) == []

    def test_the_example(self, enc):
        told = Conversation.from_json((ROOT / "examples" / "weather.json").read_text())
        assert enc.check(told) == []
        assert enc.check(enc.render_conversation_for_completion(told, Role.ASSISTANT)) == []

    def test_a_system_message_that_requires_no_channel(self, enc):
        config = ChannelConfig(["final", "debate"], channel_required=False)
        system = Message.from_role_and_content(Role.SYSTEM, SystemContent(channel_config=config))
        told = [*conversation(USER, message("assistant")).messages]
        assert enc.check([system, *told]) == []
        assert codes(enc.check([SYSTEM_MESSAGE, *told])) == ["HAR201"]
        told[1].channel = "debate"
        assert codes(enc.check([system, *told])) == ["HAR402"]
        assert codes(enc.check([SYSTEM_MESSAGE, *told])) == ["HAR202"]


SYSTEM_MESSAGE = Message.from_role_and_content(Role.SYSTEM, SystemContent.new())


class TestStructure:
    def test_several_systems_and_a_late_developer(self, enc):
        told = conversation(USER, message("developer"), message("system"), message("system"))
        found = enc.check(told)
        assert [(d.code, d.message_index) for d in found] == [
            ("HAR103", 1),
            ("HAR101", 2),
            ("HAR102", 3),
        ]
        fixed = apply_fixes(told, found)
        assert [m.author.role.value for m in fixed] == ["system", "developer", "user", "system"]

    def test_a_developer_message_moves_behind_the_system_message(self, enc):
        told = conversation(
            message("system"), USER, message("developer", "a"), message("developer", "b")
        )
        fixed = apply_fixes(told, enc.check(told))
        assert [m.content[0].text for m in fixed] == ["Hi.", "a", "b", "Hi."]
        assert enc.check(fixed) == []


class TestChannels:
    def test_the_fix_of_a_missing_channel_depends_on_the_message(self, enc):
        told = conversation(
            USER,
            message("assistant", "Well"),
            call(channel=None),
            result(),
            call("1", "python", channel=None, content_type=None),
            result("python", channel="analysis"),
            message("assistant", "x", recipient="shop.buy"),
            result("shop.buy"),
            message("assistant", "So"),
        )  # fmt: skip
        found = [d for d in enc.check(told) if d.code == "HAR201"]
        fixes = [d.fix and d.fix.edits[0].value for d in found]
        assert fixes == [None, "commentary", "analysis", None, "final"]

    def test_a_channel_in_other_letters(self, enc):
        (found,) = enc.check(conversation(message("assistant", channel=" Final")))
        assert found.fix.edits == (Edit(0, "channel", "final"),)
        assert found.text == " Final"
        (found,) = enc.check(conversation(message("assistant", channel="mumble")))
        assert found.fix is None
        assert "analysis, commentary, final" in found.message


class TestCalls:
    @pytest.mark.parametrize(
        ("tools", "recipient", "clean"),
        [
            (["functions.f"], "functions.f", True),
            (["functions.f"], "functions.g", False),
            (["functions.f"], "python", False),
            ([ToolDescription.new("f", "d")], "functions.f", True),
            ([ToolDescription.new("f", "d")], "f", False),
            ([ToolNamespaceConfig.python()], "python", True),
            ([ToolNamespaceConfig.browser()], "browser.search", True),
            ([ToolNamespaceConfig.browser()], "browser.click", False),
            (
                {"type": "function", "function": {"name": "f", "description": "d"}},
                "functions.f",
                True,
            ),
            ({"type": "function", "name": "f", "description": "d"}, "functions.f", True),
            ([], "functions.f", False),
            (None, "functions.f", True),
        ],
    )
    def test_recipients(self, enc, tools, recipient, clean):
        found = enc.check(
            conversation(call('{"query": "x", "pattern": "x"}', recipient)),
            tools=tools,
            select="HAR301",
        )
        assert codes(found) == ([] if clean else ["HAR301"])

    def test_the_conversation_s_own_tools(self, enc):
        developer = DeveloperContent.new().with_function_tools([ToolDescription.new("f", "d")])
        told = [Message.from_role_and_content(Role.DEVELOPER, developer)]
        told += conversation(
            USER,
            call(recipient="functions.g"),
            call("1", "python", channel="analysis", content_type=None),
        ).messages
        (found,) = enc.check(told)
        assert (found.code, found.message_index, found.text) == ("HAR301", 2, "functions.g")
        assert (
            found.message
            == "the recipient 'functions.g' is none of the declared tools: functions.f"
        )
        # The system message says which built-in tools there are; this one has none.
        assert [d.message_index for d in enc.check([SYSTEM_MESSAGE, *told])] == [3, 4]
        assert enc.check(told, tools=["functions.g", "python"]) == []

    def test_many_tools_are_not_all_named(self, enc):
        tools = [f"functions.f{i}" for i in range(9)]
        (found,) = enc.check(conversation(call()), tools=tools)
        assert found.message.endswith("functions.f3, functions.f4, …")

    @pytest.mark.parametrize(
        "end",
        [
            "<|channel|>",
            "<|channel|>comm",
            " to=",
            " to=functions.f<|channel|>",
            "<|channel|>commentary to=functions.f <|constrain|>",
            "<|channel|>commentary to=functions.f json<|message|>{",
            '<|channel|>commentary to=functions.f json<|message|>{"a": "b',
            "<|channel|>final json<|message|>[1,",
        ],
    )
    def test_a_prompt_may_end_anywhere(self, enc, end):
        """A server that forces the beginning of what the model is to say."""
        text = "<|start|>user<|message|>Hi<|end|><|start|>assistant" + end
        assert enc.check(enc.encode(text, allowed_special="all")) == []

    def test_a_prompt_may_not_end_in_what_no_text_mends(self, enc):
        text = "<|start|>assistant<|channel|>commentary to=functions.f json<|message|>{a"
        (found,) = enc.check(enc.encode(text, allowed_special="all"))
        assert found.code == "HAR305"

    @pytest.mark.parametrize(
        ("text", "offset", "reason"),
        [
            ("", 0, "it is empty"),
            (" ", 0, "it is empty"),
            ("{'a': 1}", 1, "Expecting property name"),
            ('{"a": 1} x', 9, "Extra data"),
            ('{"a": NaN}', 0, "NaN is no JSON value"),
            ("[" * 100_000, 0, "nested too deeply"),
            ("1" * 5000, 0, "Exceeds the limit"),
        ],
    )
    def test_arguments_that_are_not_json(self, enc, text, offset, reason):
        (found,) = enc.check(conversation(call(text)))
        assert found.code == "HAR305"
        assert reason in found.message
        tokens = enc.render_conversation(conversation(call(text)))
        (found,) = enc.check(tokens)
        content = enc.parse(tokens).spans[0].content
        assert content.start <= found.tokens.start <= content.stop
        if offset:
            before = enc.decode(tokens[content.start : found.tokens.start])
            assert text[:offset].startswith(before)
            place = enc.decode(tokens[found.tokens.start : found.tokens.start + 1])
            assert len(before) + len(place) > offset

    def test_a_tool_that_takes_nothing_may_be_called_with_nothing(self, enc):
        told = conversation(call(""))
        assert enc.check(told, tools=[{"name": "get_weather", "description": "d"}]) == []
        assert codes(enc.check(told, tools=["functions.get_weather"])) == ["HAR305"]
        assert codes(enc.check(told, tools=[WEATHER])) == ["HAR305"]

    def test_the_place_of_a_fault_behind_characters_of_many_bytes(self, enc):
        text = '{"日本": "👩‍👩‍👧", x}'
        tokens = enc.render_conversation(conversation(call(text)))
        (found,) = enc.check(tokens)
        assert enc.decode(tokens[found.tokens.start : found.tokens.stop]).endswith("x}")
        assert found.text == "x}"

    @pytest.mark.parametrize(
        ("arguments", "paths"),
        [
            ({"city": "Vienna"}, []),
            ({"city": 5}, ["$.city"]),
            ({}, ["$"]),
            ({"city": "x", "days": ["a", 1, None]}, ["$.days[0]", "$.days[2]"]),
            ({"city": "x", "more": 1}, ["$"]),
            ([], ["$"]),
            (
                {"city": "x", "days": [0] * 9 + ["a", "b", "c"]},
                ["$.days[9]", "$.days[10]", "$.days[11]"],
            ),
        ],
    )
    def test_arguments_and_the_schema(self, enc, arguments, paths):
        found = enc.check(conversation(call(arguments)), tools=[WEATHER])
        assert [d.json_path for d in found] == paths
        assert {d.code for d in found} <= {"HAR306"}

    def test_the_sentence_of_a_violation(self, enc):
        (found,) = enc.check(conversation(call({"city": 5})), tools=[WEATHER])
        assert found.message == 'at $.city of the arguments: 5 is not of type "string"'
        assert (found.severity, found.message_index) == ("error", 0)
        (found,) = enc.check(conversation(call({"city": list("x" * 500)})), tools=[WEATHER])
        assert len(found.message) < 260

    def test_half_of_a_surrogate_pair(self, enc):
        (found,) = enc.check(conversation(call('"\\ud800"')), tools=[WEATHER])
        assert (found.code, found.json_path) == ("HAR306", "$")
        assert "surrogate" in found.message

    def test_the_schemas_of_the_conversation(self, enc):
        developer = DeveloperContent.new().with_function_tools([ToolDescription(**WEATHER)])
        told = [Message.from_role_and_content(Role.DEVELOPER, developer)]
        told += conversation(USER, call({"city": 1})).messages
        assert codes(enc.check(told)) == ["HAR306"]
        tokens = enc.render_conversation(Conversation.from_messages(told))
        (found,) = enc.check(tokens)
        assert (found.code, found.json_path) == ("HAR306", "$.city")

    def test_a_named_tool_and_the_schema_that_the_caller_knows(self, enc):
        told = conversation(call({"city": 1}))
        assert codes(enc.check(told, tools=["functions.get_weather", WEATHER])) == [
            "HAR306",
            "HAR803",
        ]

    def test_built_in_tools_take_json_where_they_have_parameters(self, enc):
        told = conversation(call("x", "browser.search", channel="analysis", content_type=None))
        assert enc.check(told) == []
        found = enc.check(told, tools=[ToolNamespaceConfig.browser()])
        assert codes(found) == ["HAR305"]

    def test_nothing_is_fetched(self, enc):
        tool = {**WEATHER, "parameters": {"$ref": "http://127.0.0.1:9/schema.json"}}
        (found,) = enc.check(conversation(call()), tools=[tool])
        assert (found.code, found.message_index, found.json_path) == (
            "HAR801",
            None,
            "$[0].parameters",
        )
        assert "http://127.0.0.1:9/schema.json" in found.message

    def test_a_terminator_of_another_kind(self, enc):
        text = CALL.replace("<|call|>", "<|return|>")
        (found,) = enc.check(ids(enc, text))
        assert found.message == "the call ends with <|return|>, not with <|call|>"
        (found,) = enc.check(ids(enc, "<|start|>user<|message|>Hi<|call|>"))
        assert found.message == "a message that calls nobody ends with <|call|>, not with <|end|>"
        assert found.tokens == TokenRange(4, 5)
        assert enc.check(ids(enc, CALL.removesuffix("<|call|>"))) == []


class TestResults:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ([USER, result()], [("HAR308", 1)]),
            ([USER, call(), result(), result()], [("HAR308", 3)]),
            ([USER, call(), result("functions.g")], [("HAR309", 2)]),
            ([USER, call(), call(), result("functions.g"), result()], [("HAR309", 3)]),
            ([USER, call(), FINAL], [("HAR307", 1)]),
            ([USER, call(), call(), result(), FINAL], [("HAR307", 2)]),
            ([USER, call(), USER, result("functions.g")], [("HAR307", 1), ("HAR308", 3)]),
            ([USER, result(), call(), result()], [("HAR308", 1)]),
            ([USER, call("1", "python", channel="analysis"), result("browser")], [("HAR309", 2)]),
            ([USER, call(), result("x.y")], [("HAR309", 2)]),
        ],
        ids=str,
    )
    def test_pairs(self, enc, told, expected):
        assert [(d.code, d.message_index) for d in enc.check(conversation(*told))] == expected

    def test_a_tool_without_a_name(self, enc):
        told = conversation(USER, call(), result(name=None))
        found = enc.check(told, context=5)
        assert codes(found) == ["HAR309", "HAR703"]
        assert enc.check(apply_fixes(told, found)) == []
        assert codes(enc.check(conversation(USER, result(name=None)))) == ["HAR308"]

    def test_many_calls_take_no_time(self, enc):
        told = conversation(USER, *[call(recipient=f"functions.f{i}") for i in range(2000)])
        told.messages += conversation(
            *[result(f"functions.f{i}") for i in range(1999, -1, -1)]
        ).messages
        assert enc.check(told) == []


class TestFinals:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ([USER, FINAL, FINAL, FINAL], [("HAR401", 2), ("HAR401", 3)]),
            ([USER, FINAL, call(), result(), FINAL], [("HAR401", 4)]),
            ([USER, message("assistant", channel="analysis")], [("HAR402", 1)]),
            ([USER, message("assistant", channel="commentary"), USER], [("HAR402", 1)]),
            ([USER, FINAL, message("assistant", channel="analysis"), USER], [("HAR402", 2)]),
            ([USER, call(), result(), USER], [("HAR402", 2)]),
        ],
        ids=str,
    )
    def test_conversations(self, enc, told, expected):
        assert [(d.code, d.message_index) for d in enc.check(conversation(*told))] == expected

    def test_return_in_a_prompt(self, enc):
        text = "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>"
        assert enc.check(ids(enc, text)) == []
        (found,) = enc.check(ids(enc, text + "<|start|>assistant"))
        assert (found.code, found.message_index, found.text) == ("HAR403", 1, "<|return|>")
        (found,) = enc.check(ids(enc, "<|start|>user<|message|>Hi<|return|>"))
        assert found.code == "HAR403"

    SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}  # noqa: RUF012

    @pytest.mark.parametrize(
        "format",
        [
            SCHEMA,
            ResponseFormat("answer", SCHEMA),
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
            {"type": "json_schema", "name": "answer", "schema": SCHEMA},
            [False, SCHEMA],
        ],
    )
    def test_forms_of_a_response_format(self, enc, format):
        def paths(text: str) -> list[str | None]:
            told = conversation(USER, message("assistant", text, channel="final"))
            return [d.json_path for d in enc.check(told, response_format=format)]

        assert paths('{"n": 1}') == []
        assert paths('{"n": "x"}') in (["$.n"], ["$"])
        assert paths("One.") == ["$"]

    def test_json_object_and_text(self, enc):
        told = conversation(USER, FINAL)
        assert enc.check(told, response_format={"type": "text"}) == []
        assert codes(enc.check(told, response_format={"type": "json_object"})) == ["HAR404"]

    @pytest.mark.parametrize(
        "wrong",
        [5, "x", {"type": "json_schema"}, [None], {"type": "json_schema", "json_schema": 5}],
    )
    def test_no_response_format(self, enc, wrong):
        with pytest.raises(InvalidMessage, match="response_format: "):
            enc.check([], response_format=wrong)

    def test_the_developer_s_formats(self, enc):
        developer = DeveloperContent.new().with_response_format("a", self.SCHEMA)
        told = [
            Message.from_role_and_content(Role.DEVELOPER, developer),
            *conversation(USER, FINAL).messages,
        ]
        (found,) = enc.check(told)
        assert (found.code, found.json_path) == ("HAR404", "$")
        assert found.message.startswith("at $ of the answer: not JSON: Expecting value")
        (found,) = enc.check(enc.render_conversation(Conversation.from_messages(told)))
        assert found.code == "HAR404"
        # Of several formats one is kept to.
        developer.with_response_format("b", {"type": "array"})
        told[2].content[0].text = "[]"
        assert enc.check(told) == []
        told[2].content[0].text = "5"
        assert codes(enc.check(told)) == ["HAR404"]

    def test_a_wrong_response_format_is_said_once(self, enc):
        told = conversation(USER, message("assistant", "{}", channel="final"))
        (found,) = enc.check(told, response_format={"type": "objekt"})
        assert (found.code, found.json_path, found.message_index) == ("HAR801", "$", None)

    def test_json_that_is_none_is_said_once(self, enc):
        told = conversation(USER, message("assistant", "{", channel="final", content_type="json"))
        assert codes(enc.check(told, response_format=self.SCHEMA)) == ["HAR504"]


class TestContent:
    @pytest.mark.parametrize(
        "text", ["<|start|>", "a<|reserved_200999|>", "<|endoftext|>b", "<|call|>"]
    )
    def test_special_tokens(self, enc, text):
        (found,) = enc.check(conversation(message("user", text)))
        assert found.code == "HAR501"
        tokens = enc.render_conversation(conversation(message("user", f"日本 {text} x")))
        (found,) = enc.check(tokens)
        start, stop = found.tokens
        assert found.text in enc.decode(tokens[start:stop])
        assert stop - start < 12

    @pytest.mark.parametrize("text", ["<|", "|>", "<|ende|>", "<end>", "<|reserved_x|>"])
    def test_what_is_no_special_token(self, enc, text):
        assert enc.check(conversation(message("user", text))) == []

    def test_a_place_behind_what_is_no_text(self, enc):
        tokens = [
            200006,
            1428,
            200008,
            99999999,
            200005,
            *enc.encode("<|end|>", disallowed_special=()),
            200007,
        ]
        (found,) = enc.check(tokens, select="HAR501")
        assert found.text == "<|channel|>"
        assert found.tokens == TokenRange(4, 5)
        assert enc.check(tokens[:3] + tokens[5:])[0].tokens == TokenRange(3, len(tokens) - 3)

    def test_special_tokens_in_structured_content(self, enc):
        def told(content) -> list[Message]:
            role = Role.SYSTEM if isinstance(content, SystemContent) else Role.DEVELOPER
            return [Message.from_role_and_content(role, content)]

        spelled = "x <|end|>"
        tool = ToolDescription.new("f", spelled)
        for content in (
            SystemContent.new().with_model_identity(spelled),
            DeveloperContent.new().with_instructions(spelled),
            DeveloperContent.new().with_function_tools([tool]),
            SystemContent.new().with_tools(ToolNamespaceConfig("python", spelled, [])),
        ):
            assert codes(enc.check(told(content))) == ["HAR501"]

    def test_empty_messages(self, enc):
        told = conversation(
            message("user", " \n"),
            message("assistant", "", channel="analysis"),
            call("", "python", channel="analysis", content_type="code"),
            result("python", channel="analysis"),
            message("assistant", "", channel="final"),
        )
        found = enc.check(told)
        assert [(d.code, d.message_index, bool(d.fix)) for d in found] == [
            ("HAR502", 0, False),
            ("HAR502", 1, True),
            ("HAR502", 2, False),
            ("HAR502", 4, False),
        ]
        assert len(apply_fixes(told, found).messages) == 4

    @pytest.mark.parametrize(
        ("text", "leaks"),
        [
            ("We need the capital of Portugal. It is Lisbon.", True),
            ("analysisWe need it.assistantfinalLisbon.", True),
            ("Sure.assistantcommentary Lisbon", True),
            ("analysis of Lisbon", False),
            ("An assistant, finally", False),
            ("Lisbon.", False),
        ],
    )
    def test_leaks(self, enc, text, leaks):
        thought = message("assistant", "We need the capital of Portugal.", channel="analysis")
        told = conversation(USER, thought, message("assistant", text, channel="final"))
        assert codes(enc.check(told)) == (["HAR503"] if leaks else [])
        short = conversation(
            USER,
            message("assistant", "Lisbon", channel="analysis"),
            message("assistant", "Lisbon", channel="final"),
        )
        assert enc.check(short) == []

    def test_several_contents_are_one_text(self, enc):
        parts = message("user")
        parts["content"] = ["", "Hi"]
        assert enc.check(conversation(parts)) == []


class TestSizes:
    def test_the_prompt_is_what_is_rendered(self, enc):
        told = conversation(USER, message("assistant", "Hm. " * 50, channel="analysis"), FINAL)
        size = len(enc.render_conversation_for_completion(told, Role.ASSISTANT))
        assert enc.check(told, context=size) == []
        (found,) = enc.check(told, context=size - 1)
        assert (found.code, found.message_index, found.tokens) == ("HAR703", None, None)
        assert found.message == f"the prompt has {size} tokens, more than {size - 1}"

    def test_tokens_are_counted(self, enc):
        tokens = ids(enc, "<|start|>user<|message|>Hi<|end|><|start|>assistant")
        assert enc.check(tokens, context=len(tokens)) == []
        (found,) = enc.check(tokens, context=4)
        assert found.tokens == TokenRange(4, len(tokens))
        (found,) = enc.check(enc.parse(tokens[:5]), context=4)
        assert found.code == "HAR703"

    def test_limits_of_conversations(self):
        enc = load_harmony_encoding(
            "HarmonyGptOss", spec={"limits": {"action_tokens": 60, "context_tokens": 400}}
        )
        thought, answer = (
            message("assistant", "a b c d e f " * 3, channel=c) for c in ("analysis", "final")
        )
        assert codes(enc.check(conversation(USER, thought, answer), ignore="HAR503")) == []
        long = message("assistant", "a b c d e f " * 9, channel="commentary")
        found = enc.check(conversation(USER, thought, long, answer), ignore="HAR503")
        assert [(d.code, d.message_index) for d in found] == [("HAR701", 2)]
        # A call and its result end what is said in one go.
        told = conversation(USER, thought, call(), result(), thought, answer)
        assert enc.check(told, ignore="HAR503") == []
        system = Message.from_role_and_content(Role.SYSTEM, SystemContent.new())
        assert enc.check([system, *conversation(USER).messages]) == []
        assert codes(enc.check(conversation(message("user", "a b " * 300)))) == ["HAR702"]

    def test_what_cannot_be_rendered_is_not_counted(self, enc):
        tool = ToolDescription("f", "d", {"type": "object", "properties": {"a": 5}})
        developer = DeveloperContent.new().with_function_tools([tool])
        told = [
            Message.from_role_and_content(Role.DEVELOPER, developer),
            *conversation(USER).messages,
        ]
        found = enc.check(told, context=2)
        assert codes(found) == ["HAR801", "HAR703"]


class TestTools:
    @pytest.mark.parametrize(
        ("tool", "expected"),
        [
            ({"name": "get-weather", "description": "d"}, [("HAR802", "$[0].name")]),
            ({"name": "$f", "description": "d"}, []),
            ({"name": "日本", "description": "d"}, []),
            ({"name": "f"}, [("HAR805", "$[0].description")]),
            ({"name": "f", "description": 5}, [("HAR805", "$[0].description")]),
            ({"name": "f", "description": " "}, [("HAR805", "$[0].description")]),
            ({"name": "f", "description": "d", "parameters": 5}, [("HAR801", "$[0].parameters")]),
            ({"name": "f", "description": "d", "parameters": True}, []),
            ({"name": "f", "description": "d", "parameters": {"required": "a"}}, [("HAR801", "$[0].parameters")]),
            ({"type": "function", "function": {"name": "f"}}, [("HAR805", "$[0].function.description")]),
            ({"name": "functions", "tools": [{"name": "f", "description": ""}]}, [("HAR805", "$[0].tools[0].description")]),
            ({"name": "crm", "tools": [{"name": "f", "description": "d"}, {"name": "g", "description": "d"}]}, [("HAR804", "$[0]")]),
            ({"name": "a b", "tools": []}, [("HAR802", "$[0].name"), ("HAR804", "$[0]")]),
            ("functions.a b", []),
        ],
        ids=str,
    )  # fmt: skip
    def test_declarations(self, enc, tool, expected):
        found = enc.check(conversation(USER), tools=[tool])
        assert [(d.code, d.json_path) for d in found] == expected

    def test_a_schema_that_is_nested_too_deeply(self, enc):
        schema: dict = {}
        for _ in range(300):
            schema = {"not": schema}
        (found,) = enc.check(conversation(USER), tools=[{**WEATHER, "parameters": schema}])
        assert "nested too deeply" in found.message
        schema["not"] = schema
        (found,) = enc.check(conversation(USER), tools=[{**WEATHER, "parameters": schema}])
        assert found.code == "HAR801"

    def test_a_schema_that_is_no_json(self, enc):
        (found,) = enc.check(conversation(USER), tools=[{**WEATHER, "parameters": {"x": object()}}])
        assert "Unsupported type: 'object'" in found.message

    def test_declarations_of_messages_have_a_place(self, enc):
        developer = DeveloperContent.new().with_function_tools([ToolDescription.new("f", "")])
        told = [Message.from_role_and_content(Role.DEVELOPER, developer)]
        (found,) = enc.check(told)
        assert (found.message_index, found.json_path) == (
            0,
            "$.content[0].tools.functions.tools[0].description",
        )
        tokens = enc.render(told[0])
        (found,) = enc.check(tokens)
        assert found.tokens == enc.parse(tokens).spans[0].content

    def test_the_caller_may_declare_what_the_conversation_does(self, enc):
        developer = DeveloperContent.new().with_function_tools([ToolDescription(**WEATHER)])
        told = [Message.from_role_and_content(Role.DEVELOPER, developer)]
        assert enc.check(told, tools=[WEATHER]) == []
        assert codes(enc.check(told * 2)) == ["HAR803"]

    def test_more_schemas_than_are_remembered(self, enc, monkeypatch):
        monkeypatch.setattr("harmony.check.schemas.MOST_SCHEMAS", 2)
        tools = [{**WEATHER, "name": f"f{i}", "parameters": {"title": str(i)}} for i in range(5)]
        assert enc.check(conversation(USER), tools=tools) == []

    def test_one_tool_is_no_list(self, enc):
        (found,) = enc.check(conversation(USER), tools={"functions": {"f": {"name": "f"}}})
        assert found.json_path == "$.functions.f.description"
        (found,) = enc.check(conversation(USER), tools=ToolDescription.new("f", ""))
        assert found.json_path == "$.description"

    def test_tools_that_can_be_read_once(self, enc):
        tokens = ids(enc, CALL.replace("{}", '{"city": 1}'))
        assert codes(enc.check(tokens, tools=iter([WEATHER]))) == ["HAR306"]

    def test_something_else_than_tools(self, enc):
        with pytest.raises(InvalidMessage, match="tools: expected tools"):
            enc.check([], tools=[5])


class TestDeviations:
    def test_parser_diagnostics_keep_their_names(self, enc):
        """README: `transcript.diagnostics` go by the leniency, findings by the rule."""
        tokens = ids(
            enc, "<|channel|>commentary to=functions.f to=functions.f<|message|>{}<|call|>"
        )
        (noted,) = enc.parse(tokens, Role.ASSISTANT, strict=False).diagnostics
        (found,) = enc.check(tokens)
        assert (noted.code, noted.name, noted.message_index, noted.fix) == (
            "repeated-recipient",
            "",
            None,
            None,
        )
        assert (found.code, found.name, found.message_index) == ("HAR622", "repeated-recipient", 0)
        assert (found.message, found.tokens, found.text) == (
            noted.message,
            noted.tokens,
            noted.text,
        )
        assert found.fix.edits == ()
        assert enc.check(enc.parse(tokens, Role.ASSISTANT, strict=False)) == [found]

    def test_departures_are_no_findings(self, enc):
        transcript = enc.parse(
            ids(enc, "<|start|>system<|message|>Be nice.<|end|>"), structured=True
        )
        assert codes(transcript.diagnostics) == ["system-text"]
        assert enc.check(transcript) == []

    def test_which_message(self, enc):
        text = "<|channel|>analysis<|message|>Hm.<|end|>\n<|start|>assistant<|channel|>final<|message|>Hi<|return|><|return|>"
        found = enc.check(ids(enc, text))
        assert [(d.name, d.message_index) for d in found] == [
            ("stray-white-space", 1),
            ("repeated-terminator", 1),
        ]
        (found,) = enc.check(ids(enc, "nothing <|start|>"), select="HAR6", ignore="empty-opening")
        assert found.message_index is None

    def test_an_id_that_the_vocabulary_lacks(self, enc):
        (found,) = enc.check([200006, 1428, 200008, 13225, 99999999, 200007])
        assert (found.code, found.fix) == ("HAR601", None)


class TestValidate:
    TEXT = (
        '<|channel|>commentary to=functions.get_weather json<|message|>{"city": 1, "days": ["x"]}<|end|>'
        "<|start|>assistant<|message|>Hm"
    )

    def test_all_errors_are_listed(self, enc):
        tokens = ids(enc, self.TEXT)
        with pytest.raises(CheckFailed) as caught:
            enc.parse(tokens, Role.ASSISTANT, tools=[WEATHER], validate=True)
        error = caught.value
        assert codes(error.diagnostics) == ["HAR306", "HAR306", "HAR304"]
        assert error.transcript.messages == enc.parse(tokens, Role.ASSISTANT).messages
        assert str(error).splitlines() == [
            "3 rules are broken:",
            '  message 0, tokens 10-22: HAR306 arguments-schema: at $.city of the arguments: 1 is not of type "string"',
            '  message 0, tokens 10-22: HAR306 arguments-schema: at $.days[0] of the arguments: "x" is not of type "integer"',
            "  message 0, token 23: HAR304 call-terminator: the call ends with <|end|>, not with <|call|>",
        ]
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.diagnostics) == (str(error), error.diagnostics)
        assert isinstance(copy.copy(error), HarmonyError)

    def test_warnings_pass(self, enc):
        tokens = ids(enc, "<|message|>Hi<|end|>")
        assert codes(enc.check(tokens)) == ["HAR201"]
        assert len(enc.parse(tokens, Role.ASSISTANT, validate=True).messages) == 1

    def test_faults_of_syntax_come_first(self, enc):
        with pytest.raises(ParseError):
            enc.parse(ids(enc, "<|message|>Hi"), validate=True)

    def test_a_lenient_parse_is_validated_too(self, enc):
        text = "<|channel|>commentary to=functions.f to=functions.g<|message|>{}<|call|>"
        with pytest.raises(
            CheckFailed,
            match=r"a rule is broken:\n  message 0, tokens .*: HAR623 several-recipients",
        ):
            enc.parse(ids(enc, text), Role.ASSISTANT, strict=False, validate=True)

    def test_structured(self, enc):
        tokens = ids(enc, SYSTEM + DEVELOPER + CALL)
        with pytest.raises(CheckFailed, match="HAR301"):
            enc.parse(tokens, structured=True, validate=True)


class TestFixes:
    def test_messages_without_a_fix_are_the_same_objects(self, enc):
        told = conversation(USER, message("assistant"))
        fixed = apply_fixes(told, enc.check(told))
        assert fixed.messages[0] is told.messages[0]
        assert fixed.messages[1].channel == "final"
        assert told.messages[1].channel is None
        assert type(fixed) is Conversation

    def test_of_tokens(self, enc):
        tokens = ids(enc, "<|start|>assistant<|message|>Hi<|call|>")
        fixed = apply_fixes(enc.parse(tokens), enc.check(tokens))
        expected = "<|start|>assistant<|channel|>final<|message|>Hi<|end|>"
        assert enc.decode(enc.render_conversation(fixed)) == expected

    def test_the_first_of_two_fixes_of_a_field_holds(self):
        fixes = [Fix("x", (Edit(0, "channel", value),)) for value in ("final", "analysis")]
        found = [Diagnostic("HAR201", "x", fix=fix) for fix in fixes]
        assert apply_fixes(conversation(USER), found).messages[0].channel == "final"

    @pytest.mark.parametrize(
        ("edit", "complaint"),
        [
            (Edit(5, "channel", "final"), "a fix is about message 5, but the conversation has 1"),
            (Edit(0, "colour", "red"), "the field 'colour', which it cannot set"),
            (Edit(0, "channel", 5), "a fix sets 'channel' to 5"),
            (Edit(0, "position", "x"), "a fix sets 'position' to 'x'"),
        ],
    )
    def test_an_edit_that_does_not_fit(self, edit, complaint):
        with pytest.raises(InvalidMessage, match=complaint):
            apply_fixes(conversation(USER), [Diagnostic("x", "x", fix=Fix("x", (edit,)))])

    def test_a_message_may_move_behind_all_others(self):
        edit = Edit(0, "position", 2)
        found = [Diagnostic("x", "x", fix=Fix("x", (edit,)))]
        told = conversation(message("user", "a"), message("user", "b"))
        assert [m.content[0].text for m in apply_fixes(told, found)] == ["b", "a"]

    def test_something_else(self, enc):
        with pytest.raises(InvalidMessage, match="expected a Conversation"):
            apply_fixes([1], [])
        with pytest.raises(InvalidMessage, match="expected Diagnostics"):
            apply_fixes(conversation(USER), ["HAR101"])


class TestDiagnostics:
    def test_they_are_values(self, enc):
        told = conversation(USER, message("assistant"))
        (found,) = enc.check(told)
        assert {found} == {*enc.check(told)}
        assert pickle.loads(pickle.dumps(found)) == found
        with pytest.raises(AttributeError):
            found.code = "x"

    def test_plain_data(self, enc):
        (found,) = enc.check(ids(enc, "<|start|>assistant<|message|>Hi<|end|>"))
        assert found.to_dict() == {
            "code": "HAR201",
            "message": "the message names no channel",
            "tokens": [0, 3],
            "severity": "warning",
            "text": "",
            "name": "channel-missing",
            "message_index": 0,
            "json_path": None,
            "fix": {
                "description": "set the channel to 'final'",
                "edits": [{"message_index": 0, "field": "channel", "value": "final"}],
            },
        }

    @pytest.mark.parametrize(
        ("parts", "path"),
        [
            ([], "$"),
            (["a", 0, "b_1"], "$.a[0].b_1"),
            (["a b", "it's", "é", ""], "$['a b']['it\\'s']['é']['']"),
        ],
    )
    def test_json_paths(self, parts, path):
        assert json_path(parts) == path


class TestWithoutTheExtra:
    """Spec [[rules]]: "Needs the extra `check`." All else works without."""

    @pytest.fixture
    def bare(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
        return load_harmony_encoding("HarmonyGptOss", cache_bytes=1)

    def test_what_needs_no_schema_is_checked(self, bare):
        assert codes(bare.check(conversation(USER, call("{"), result("functions.g")))) == [
            "HAR305",
            "HAR309",
        ]
        assert codes(bare.check(conversation(USER, call()), tools=["functions.f"])) == ["HAR301"]
        tokens = ids(bare, CALL)
        assert len(bare.parse(tokens, tools=["functions.get_weather"], validate=True).messages) == 1

    def test_what_needs_one_names_the_extra(self, bare):
        told = conversation(USER, call())
        with pytest.raises(MissingExtra, match=r"pip install 'harmony-format\[check\]'") as caught:
            bare.check(told, tools=[WEATHER])
        assert "ignore='HAR306,HAR404,HAR801'" in str(caught.value)
        assert isinstance(caught.value, ImportError)
        assert bare.check(told, tools=[WEATHER], ignore="HAR306,HAR404,HAR801") == []
        with pytest.raises(MissingExtra):
            bare.check(conversation(FINAL), response_format={}, select="HAR801")


def test_nothing_of_the_room_is_imported_before_it_is_needed():
    code = (
        "import sys, harmony; enc = harmony.load_harmony_encoding('HarmonyGptOss');"
        "enc.parse([200006, 1428, 200008, 3686, 200007]);"
        "assert not any(name.startswith(('harmony.check.', 'jsonschema')) for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert "apply_fixes" in harmony.__all__
