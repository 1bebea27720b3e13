"""Constrained decoding: what a grammar of completions allows, and what it does not."""

from __future__ import annotations

import copy
import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import (
    ForbiddenToken,
    HarmonyError,
    InvalidMessage,
    InvalidSchema,
    Message,
    MissingExtra,
    ResponseFormat,
    Role,
    ToolDescription,
    ToolNamespaceConfig,
    UnknownName,
    UnsupportedSchema,
    load_harmony_encoding,
)
from harmony.constrain import completion_grammar, tokenizer
from harmony.constrain.simulate import draw
from tests.constrain_cases import CONFIGURATIONS, FUNCTIONS, WEATHER, Judge, chat
from tests.vector_files import vectors

VECTORS = vectors("constrain")
EACH = 200


def accepts(enc, grammar, text: str) -> bool:
    """Whether the text is a whole completion that the grammar allows."""
    matcher = grammar.matcher()
    try:
        for token in enc.encode(text, allowed_special="all"):
            matcher.accept(token)
    except ForbiddenToken:
        return False
    return matcher.done


def call(recipient: str, arguments: str = "{}") -> str:
    return f"<|channel|>commentary to={recipient} <|constrain|>json<|message|>{arguments}<|call|>"


ANSWER = "<|channel|>final<|message|>Hi.<|return|>"
THOUGHT = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
PREAMBLE = "<|channel|>commentary<|message|>Wait.<|end|><|start|>assistant"


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(enc, name):
    vector = VECTORS[name]
    grammar = completion_grammar(enc, **vector["request"])
    for text in vector["accepted"]:
        assert accepts(enc, grammar, text), text
    for text in [*vector["rejected"], *vector["not_in_gbnf"]]:
        assert not accepts(enc, grammar, text), text


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_random_completions_are_well_formed(enc, name):
    """Issue: "each ends, parses in strict mode with no diagnostic, passes `enc.check`, its
    arguments validate with jsonschema"."""
    options = CONFIGURATIONS[name]
    grammar = completion_grammar(enc, **options)
    judge = Judge(enc, grammar, options)
    rng = random.Random(name)
    for _ in range(EACH):
        tokens = draw(grammar.matcher(), enc, rng)
        assert judge.faults(tokens) == [], enc.decode(tokens)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_exported_grammar_validates(enc, name):
    import llguidance

    grammar = completion_grammar(enc, **CONFIGURATIONS[name])
    for stop in ("explicit", "eos"):
        text = grammar.to_llguidance(stop)
        assert llguidance.LLMatcher.validate_grammar(text, tokenizer.tokenizer_of(enc)) == ""


def test_white_space_alone_is_no_text(enc):
    grammar = completion_grammar(enc)
    assert not accepts(enc, grammar, "<|channel|>final<|message|> \n<|return|>")
    assert accepts(enc, grammar, "<|channel|>final<|message|> \n.<|return|>")


class TestStops:
    """Guide: with an end of sequence that is `<|return|>`, leave it out and keep `<|call|>`."""

    def test_explicit_and_eos(self, enc):
        grammar = completion_grammar(enc, FUNCTIONS)
        assert "<|return|>" in grammar.to_llguidance()
        assert "<|return|>" not in grammar.to_llguidance(stop="eos")
        assert "<|call|>" in grammar.to_llguidance(stop="eos")
        assert '"token": 200002' in grammar.to_xgrammar()
        assert '"token": 200002' not in grammar.to_xgrammar(stop="eos")
        assert '"token": 200012' in grammar.to_xgrammar(stop="eos")
        for form in ("token", "text"):
            text = grammar.to_gbnf(form)
            assert "200012" not in text
            assert '"<|call|>"' not in text
            assert ("<[200007]>" in text) is (form == "token")
            assert ('"<|end|>"' in text) is (form == "text")

    def test_the_reason(self, enc):
        matcher = completion_grammar(enc, FUNCTIONS).matcher()
        assert (matcher.done, matcher.stop_reason) == (False, None)
        for token in enc.encode(call("functions.get_location"), allowed_special="all"):
            assert matcher.stop_reason is None
            matcher.accept(token)
        assert (matcher.done, matcher.stop_reason) == (True, "call")
        matcher.rollback(1)
        assert (matcher.done, matcher.stop_reason) == (False, None)

    def test_several_calls(self, enc):
        two = call("functions.get_location") + "<|start|>assistant" + call("functions.get_location")
        one = completion_grammar(enc, FUNCTIONS)
        more = completion_grammar(enc, FUNCTIONS, parallel_tool_calls=True)
        assert not accepts(enc, one, two)
        assert accepts(enc, more, two)
        matcher = more.matcher()
        for token in enc.encode(call("functions.get_location"), allowed_special="all"):
            matcher.accept(token)
        # The completion is whole, and only another call may follow.
        assert matcher.done
        assert matcher.allowed() == [200006]
        with pytest.raises(ForbiddenToken):
            matcher.accept(199999)
        with pytest.raises(InvalidMessage, match="GBNF cannot express several calls"):
            more.to_gbnf()
        assert '"star"' in more.to_xgrammar()


class TestChoices:
    """What the caller chooses."""

    @pytest.mark.parametrize(
        ("options", "allowed"),
        [
            ({}, "TPAC"),
            ({"tool_choice": "none"}, "TPA"),
            ({"tool_choice": "required"}, "TPC"),
            ({"tool_choice": "get_location"}, "TPC"),
            ({"tool_choice": "functions.get_location"}, "TPC"),
            ({"tool_choice": {"type": "function", "function": {"name": "get_location"}}}, "TPC"),
            ({"tool_choice": {"type": "function", "name": "get_location"}}, "TPC"),
            ({"tool_choice": "get_weather"}, "TP"),
            ({"reasoning": "off"}, "PAC"),
            ({"preambles": False}, "TAC"),
            ({"reasoning": "off", "preambles": False, "tool_choice": "none"}, "A"),
        ],
    )
    def test_messages(self, enc, options, allowed):
        grammar = completion_grammar(enc, FUNCTIONS, **options)
        location = call("functions.get_location")
        weather = call("functions.get_weather", '{"city":"x"}')
        end = ANSWER if "A" in allowed else location if "C" in allowed else weather
        assert accepts(enc, grammar, end)
        assert accepts(enc, grammar, THOUGHT + end) is ("T" in allowed)
        assert accepts(enc, grammar, PREAMBLE + end) is ("P" in allowed)
        assert accepts(enc, grammar, ANSWER) is ("A" in allowed)
        assert accepts(enc, grammar, location) is ("C" in allowed)

    def test_reasoning_that_is_required_comes_first(self, enc):
        grammar = completion_grammar(enc, reasoning="required")
        assert accepts(enc, grammar, THOUGHT + PREAMBLE + THOUGHT + ANSWER)
        assert not accepts(enc, grammar, ANSWER)
        assert not accepts(enc, grammar, PREAMBLE + THOUGHT + ANSWER)

    @pytest.mark.parametrize("start", ["assistant", "start", "none"])
    def test_start(self, enc, start):
        grammar = completion_grammar(enc, start=start)
        for name, prefix in (
            ("assistant", ""),
            ("start", "assistant"),
            ("none", "<|start|>assistant"),
        ):
            assert accepts(enc, grammar, prefix + ANSWER) is (name == start)

    @pytest.mark.parametrize(
        ("content_type", "forms"),
        [
            ("any", [" <|constrain|>json", "<|constrain|>json", " json", ""]),
            ("constrain", [" <|constrain|>json", "<|constrain|>json"]),
            ("json", [" json"]),
            ("none", [""]),
        ],
    )
    @pytest.mark.parametrize("recipient_in", ["channel", "role"])
    def test_headers(self, enc, content_type, forms, recipient_in):
        grammar = completion_grammar(
            enc, FUNCTIONS, content_type=content_type, recipient_in=recipient_in
        )
        to = " to=functions.get_location"
        for order, header in (
            ("channel", "<|channel|>commentary" + to),
            ("role", to + "<|channel|>commentary"),
        ):
            for form in (" <|constrain|>json", "<|constrain|>json", " json", ""):
                text = f"{header}{form}<|message|>{{}}<|call|>"
                assert accepts(enc, grammar, text) is (order == recipient_in and form in forms)

    @pytest.mark.parametrize("dialect", ["reference", "channel-first"])
    @pytest.mark.parametrize("channel", ["commentary", "analysis"])
    def test_what_the_dialect_writes(self, dialect, channel):
        """Spec [[dialects]]: just the header that the renderer writes."""
        enc = load_harmony_encoding("HarmonyGptOss", dialect=dialect)
        builtin = ["browser.search"] if channel == "analysis" else []
        recipient = "browser.search" if builtin else "functions.get_location"
        word = "code" if builtin else "json"
        message = Message.from_role_and_content(
            Role.ASSISTANT, '{"query": "x"}' if builtin else "{}"
        )
        message.with_channel(channel).with_recipient(recipient).with_content_type(word)
        tokens = enc.render(message)[2:]
        options = {"tools": FUNCTIONS, "builtin_tools": builtin}
        for grammar in (
            completion_grammar(enc, **options),
            completion_grammar(enc, **options, content_type="dialect", recipient_in="dialect"),
        ):
            assert accepts(enc, grammar, enc.decode(tokens))
        other = load_harmony_encoding(
            "HarmonyGptOss", dialect="reference" if dialect == "channel-first" else "channel-first"
        )
        assert not accepts(enc, grammar, enc.decode(other.render(message)[2:]))

    def test_white_space(self, enc):
        grammar = completion_grammar(enc, FUNCTIONS, whitespace=2)
        assert accepts(enc, grammar, call("functions.get_weather", '{ \n"city"\t:"x"}'))
        assert not accepts(enc, grammar, call("functions.get_weather", '{   "city":"x"}'))
        compact = completion_grammar(enc, FUNCTIONS, whitespace=0)
        assert accepts(enc, compact, call("functions.get_weather", '{"city":"x"}'))
        assert not accepts(enc, compact, call("functions.get_weather", '{"city": "x"}'))

    def test_forms_of_tools(self, enc):
        forms = [
            ToolDescription.new("f", "d", WEATHER),
            {"name": "f", "description": "d", "parameters": WEATHER},
            chat(WEATHER),
            {"type": "function", "name": "f", "parameters": WEATHER, "strict": True},
            ToolNamespaceConfig("functions", None, [ToolDescription.new("f", "d", WEATHER)]),
        ]
        texts = {completion_grammar(enc, [form]).to_llguidance() for form in forms}
        assert len(texts) == 1

    def test_forms_of_response_formats(self, enc):
        forms = [
            WEATHER,
            {"type": "json_schema", "json_schema": {"name": "w", "schema": WEATHER}},
            {"type": "json_schema", "name": "w", "schema": WEATHER},
            ResponseFormat("w", WEATHER),
        ]
        texts = {completion_grammar(enc, response_format=form).to_llguidance() for form in forms}
        assert len(texts) == 1
        free = completion_grammar(enc).to_llguidance()
        assert completion_grammar(enc, response_format={"type": "text"}).to_llguidance() == free
        anything = completion_grammar(enc, response_format={"type": "json_object"})
        assert accepts(enc, anything, '<|channel|>final<|message|>{"a": [1]}<|return|>')
        assert not accepts(enc, anything, "<|channel|>final<|message|>[1]<|return|>")
        value = completion_grammar(enc, response_format=True)
        assert accepts(enc, value, "<|channel|>final<|message|>[1]<|return|>")

    def test_another_namespace(self, enc):
        own = ToolNamespaceConfig("shop", None, [ToolDescription.new("buy", "d")])
        free = ToolNamespaceConfig("notes", None, [])
        grammar = completion_grammar(enc, [own, free])
        assert accepts(enc, grammar, call("shop.buy"))
        assert accepts(enc, grammar, "<|channel|>commentary to=notes<|message|>x<|call|>")
        browser = completion_grammar(enc, builtin_tools=[ToolNamespaceConfig.browser()])
        assert browser.to_gbnf() == completion_grammar(enc, builtin_tools=["browser"]).to_gbnf()
        forced = completion_grammar(enc, builtin_tools=["browser", "python"], tool_choice="browser")
        assert "to=browser.find" in forced.to_llguidance()
        assert "python" not in forced.to_llguidance()

    def test_a_tool_without_parameters_or_with_any(self, enc):
        grammar = completion_grammar(enc, [chat({}), {"name": "g"}])
        assert accepts(enc, grammar, call("functions.f", '{"a": 1}'))
        assert not accepts(enc, grammar, call("functions.f", "1"))
        assert not accepts(enc, grammar, call("functions.g", '{"a": 1}'))


class TestSpec:
    """Issue: "The message structure in the exported grammars comes from `grammar/` and the
    spec (an overlay's channel appears in them)"."""

    @pytest.mark.parametrize("visible", [True, False])
    def test_a_channel_of_an_overlay(self, visible):
        spec = {"channels": [{"name": "Summary 2", "visible": visible, "purpose": "x"}]}
        spec["channels"][0]["name"] = "summary"
        enc = load_harmony_encoding("HarmonyGptOss", spec=spec)
        text = "<|channel|>summary<|message|>So far.<|end|><|start|>assistant"
        grammar = completion_grammar(enc, FUNCTIONS)
        for exported in (grammar.to_llguidance(), grammar.to_gbnf(), grammar.to_xgrammar()):
            assert '"summary"' in exported
        assert accepts(enc, grammar, text + ANSWER)
        off = {"preambles": False} if visible else {"reasoning": "off"}
        assert not accepts(enc, completion_grammar(enc, **off), text + ANSWER)
        assert not accepts(load_harmony_encoding("HarmonyGptOss"), completion_grammar(
            load_harmony_encoding("HarmonyGptOss")), text + ANSWER)  # fmt: skip

    def test_names_of_rules_are_their_own(self):
        channels = [
            {"name": n, "visible": True, "purpose": "x"}
            for n in ("a-b", "a_b", "A B".replace(" ", "."))
        ]
        enc = load_harmony_encoding("HarmonyGptOss", spec={"channels": channels})
        grammar = completion_grammar(enc)
        for name in ("a-b", "a_b", "A.B"):
            text = f"<|channel|>{name}<|message|>x<|end|><|start|>assistant"
            assert accepts(enc, grammar, text + ANSWER)

    def test_other_names_for_the_channels(self):
        spec = {
            "terminators": {"training_channel": "answer"},
            "channels": [{"name": "answer", "visible": True, "purpose": "x"}],
            "namespaces": [{"name": "functions", "channel": "actions"}],
            "special_tokens": [{"name": "start", "id": 200010, "text": "<|im_start|>"}],
        }
        enc = load_harmony_encoding("HarmonyGptOss", spec=spec)
        grammar = completion_grammar(enc, FUNCTIONS)
        assert accepts(enc, grammar, ANSWER.replace("final", "answer"))
        assert not accepts(enc, grammar, ANSWER)
        text = call("functions.get_location").replace("commentary", "actions")
        assert accepts(enc, grammar, THOUGHT.replace("<|start|>", "<|im_start|>") + text)
        assert "<[200010]>" in grammar.to_gbnf()

    def test_a_grammar_without_an_order(self, enc):
        lines = [x for x in enc.grammar.text.splitlines() if "-> recipient_first" not in x]
        changed = load_harmony_encoding("HarmonyGptOss", grammar="\n".join(lines) + "\n")
        grammar = completion_grammar(changed, FUNCTIONS)
        assert accepts(changed, grammar, call("functions.get_location"))
        role = " to=functions.get_location<|channel|>commentary<|message|>{}<|call|>"
        assert not accepts(changed, grammar, role)
        with pytest.raises(HarmonyError, match="the grammar has no header with"):
            completion_grammar(changed, FUNCTIONS, recipient_in="role")

    def test_a_grammar_that_does_not_hold_together(self, enc):
        text = enc.grammar.text.replace("first_header: route", "first_header: _SPACE route")
        changed = load_harmony_encoding("HarmonyGptOss", grammar=text)
        with pytest.raises(HarmonyError, match="differ behind the role"):
            completion_grammar(changed)


class TestMatcher:
    def test_masks(self, enc):
        matcher = completion_grammar(enc, reasoning="off", preambles=False).matcher()
        mask = matcher.mask()
        assert isinstance(mask, bytes)
        assert len(mask) == (enc.vocabulary.size + 7) // 8
        allowed = [i for i in range(len(mask) * 8) if mask[i // 8] >> (i % 8) & 1]
        assert allowed == matcher.allowed() == [200005]
        assert matcher.forced()[:1] == [200005]
        for token in enc.encode(ANSWER, allowed_special="all"):
            assert token in matcher.allowed()
            matcher.accept(token)
        assert matcher.done
        assert matcher.mask() == bytes(len(mask))
        assert matcher.forced() == matcher.allowed() == []
        assert repr(matcher) == "Matcher(6 tokens, done=True)"

    def test_forced(self, enc):
        grammar = completion_grammar(
            enc, FUNCTIONS, tool_choice="get_location", reasoning="off", preambles=False,
            recipient_in="channel", content_type="constrain", whitespace=0, start="none",
        )  # fmt: skip
        assert enc.decode(grammar.matcher().forced()).startswith("<|start|>assistant<|channel|>")

    def test_a_forbidden_token(self, enc):
        matcher = completion_grammar(enc).matcher()
        with pytest.raises(ForbiddenToken) as raised:
            matcher.accept(200008)
        error = raised.value
        assert str(error) == (
            "the grammar does not allow the token 200008 ('<|message|>') after 0 tokens; "
            "allowed: '<|channel|>'"
        )
        assert (error.token, error.position, error.allowed) == (200008, 0, ("<|channel|>",))
        # The matcher is as before.
        for token in enc.encode("<|channel|>final<|message|>H", allowed_special="all"):
            matcher.accept(token)
        with pytest.raises(ForbiddenToken, match=r"allowed: '<.return.>', .* more") as raised:
            matcher.accept(200006)
        assert raised.value.allowed[0] == "<|return|>"
        for nonsense in ("x", None, -1, 10**9, 1.5):
            with pytest.raises(ForbiddenToken, match="no token"):
                matcher.accept(nonsense)
        matcher.accept(200002)
        with pytest.raises(ForbiddenToken, match="nothing: the completion is whole"):
            matcher.accept(200002)
        assert copy.copy(copy.deepcopy(error)).token == 200008

    def test_rollback_and_copy(self, enc):
        matcher = completion_grammar(enc).matcher()
        tokens = enc.encode(THOUGHT + ANSWER, allowed_special="all")
        masks = []
        for token in tokens:
            masks.append(matcher.mask())
            matcher.accept(token)
        assert matcher.tokens == tokens
        other = copy.deepcopy(matcher)
        for index in reversed(range(len(tokens))):
            matcher.rollback(1)
            assert matcher.mask() == masks[index]
        assert other.done
        assert not matcher.done
        other.rollback(0)
        other.rollback(len(tokens) - 7)
        with pytest.raises(InvalidMessage, match="cannot take back 8 tokens; 7 were accepted"):
            other.rollback(8)
        for nonsense in (-1, "x", True):
            with pytest.raises(InvalidMessage, match="expected a number of tokens"):
                other.rollback(nonsense)

    @settings(max_examples=30)
    @given(st.integers(0, 2**32), st.integers(1, 30))
    def test_a_rollback_forgets(self, enc, seed, back):
        rng = random.Random(seed)
        grammar = completion_grammar(enc, FUNCTIONS)
        tokens = draw(grammar.matcher(), enc, rng)
        matcher = grammar.matcher()
        for token in tokens:
            matcher.accept(token)
        back = min(back, len(tokens))
        matcher.rollback(back)
        again = grammar.matcher()
        for token in tokens[: len(tokens) - back]:
            again.accept(token)
        assert again.mask() == matcher.mask()

    def test_two_grammars_share_a_tokenizer(self, enc):
        assert tokenizer.tokenizer_of(enc) is tokenizer.tokenizer_of(
            load_harmony_encoding("HarmonyGptOss", dialect="channel-first")
        )
        grammar = completion_grammar(enc)
        one, other = grammar.matcher(), grammar.matcher()
        one.accept(200005)
        assert other.tokens == []
        assert other.mask() != one.mask()

    def test_without_the_engine(self, enc, monkeypatch):
        tokenizer.llguidance.cache_clear()
        monkeypatch.setitem(sys.modules, "llguidance", None)
        grammar = completion_grammar(enc)
        assert grammar.to_llguidance()
        assert grammar.to_gbnf()
        with pytest.raises(MissingExtra, match=r"pip install 'harmony-format\[constrain\]'"):
            grammar.matcher()
        tokenizer.llguidance.cache_clear()

    def test_an_end_of_sequence_is_no_stop_token(self):
        assert tokenizer.end_of_sequence(load_harmony_encoding("HarmonyGptOss")) == 199999
        spec = {"recovery": {"terminators": ["return"]}}
        enc = load_harmony_encoding("HarmonyGptOss", spec=spec)
        assert tokenizer.end_of_sequence(enc) not in (200002, 200007, 200012)


class TestBadInput:
    """Issue: "clear errors before any token is sampled"."""

    @pytest.mark.parametrize(
        ("options", "kind", "sentence"),
        [
            ({"tool_choice": "nope"}, UnknownName, "unknown tool_choice 'nope': expected 'auto', 'none', 'required' or the name of a declared tool; declared: none"),
            ({"tool_choice": "nope", "tools": FUNCTIONS}, UnknownName, "declared: 'functions.get_location', 'functions.get_weather'"),
            ({"tool_choice": "required"}, UnknownName, "tool_choice is 'required', but no tool is declared: pass `tools` or `builtin_tools`"),
            ({"tool_choice": 3}, UnknownName, "tool_choice: expected 'auto', 'none', 'required' or a tool's name, got int: 3"),
            ({"tool_choice": {"type": "function"}}, UnknownName, "or a tool's name, got dict"),
            ({"tools": [*FUNCTIONS, FUNCTIONS[0]]}, InvalidMessage, "the tool 'functions.get_location' is declared twice; each needs a name of its own"),
            ({"tools": [3]}, InvalidMessage, "tools[0]: expected a ToolDescription or a tool object, got int"),
            ({"tools": {"name": "f"}}, InvalidMessage, "tools: expected a list, got dict"),
            ({"tools": [{"type": "function"}]}, InvalidMessage, "tools[0]: the field 'name' is missing"),
            ({"tools": [{"name": ""}]}, InvalidMessage, "tools[0]: the name is empty"),
            ({"tools": [{"name": 3}]}, InvalidMessage, "ToolDescription.name: expected a str, got int: 3"),
            ({"tools": [{"name": "get weather"}]}, InvalidMessage, "the recipient 'functions.get weather' cannot stand in a header: it has to be one word"),
            ({"tools": [{"type": "web_search"}]}, InvalidMessage, "a tool of type 'web_search' is no function; name built-in tools in `builtin_tools`"),
            ({"tools": [{"type": "function", "function": 3}]}, InvalidMessage, "tools[0].function: expected an object, got int"),
            ({"tools": [{"name": "f", "parameters": 3}]}, InvalidMessage, "tools[0].parameters: expected a JSON Schema (an object), got int"),
            ({"tools": [chat({"type": "string"})]}, InvalidSchema, "the parameters of functions.f have the type 'string'; arguments are an object (at /type in the schema)"),
            ({"builtin_tools": ["nope"]}, UnknownName, "there is no built-in tool 'nope'; there are: browser, python. Tools of your own go into `tools`"),
            ({"builtin_tools": ["functions"]}, UnknownName, "there is no built-in tool 'functions'"),
            ({"builtin_tools": ["browser.nope"]}, UnknownName, "there is no built-in tool 'browser.nope'"),
            ({"builtin_tools": [3]}, UnknownName, "there is no built-in tool 3"),
            ({"builtin_tools": "python"}, InvalidMessage, "builtin_tools: expected a list, got str"),
            ({"response_format": 3}, InvalidMessage, "response_format: expected a JSON Schema (an object) or a response format, got int"),
            ({"response_format": {"type": "json_schema"}}, InvalidMessage, "needs a JSON Schema under 'schema' or 'json_schema.schema', got None"),
            ({"reasoning": "maybe"}, UnknownName, "reasoning: expected one of 'auto', 'required', 'off', got 'maybe'"),
            ({"preambles": 1}, InvalidMessage, "preambles: expected a bool, got int: 1"),
            ({"recipient_in": "x"}, UnknownName, "recipient_in: expected some of 'channel', 'role', or 'dialect', got 'x'"),
            ({"recipient_in": ()}, UnknownName, "recipient_in: expected some of"),
            ({"recipient_in": 3}, UnknownName, "recipient_in: expected some of"),
            ({"recipient_in": [[]]}, UnknownName, "recipient_in: expected some of"),
            ({"content_type": "xml"}, UnknownName, "content_type: expected one of 'any', 'constrain', 'json', 'none', 'dialect', got 'xml'"),
            ({"start": "user"}, UnknownName, "start: expected one of 'assistant', 'start', 'none', got 'user'"),
            ({"whitespace": -1}, InvalidMessage, "whitespace: expected a number of characters from 0 to 1000, got int: -1"),
            ({"whitespace": True}, InvalidMessage, "whitespace: expected a number of characters"),
            ({"parallel_tool_calls": "x"}, InvalidMessage, "parallel_tool_calls: expected a bool"),
            ({"lenient": 1}, InvalidMessage, "lenient: expected a bool, got 1"),
        ],
    )  # fmt: skip
    def test_options(self, enc, options, kind, sentence):
        with pytest.raises(kind) as raised:
            completion_grammar(enc, **options)
        assert sentence in str(raised.value)

    def test_no_encoding(self):
        with pytest.raises(InvalidMessage, match="expected a HarmonyEncoding, got str"):
            completion_grammar("HarmonyGptOss")

    def test_no_such_export(self, enc):
        grammar = completion_grammar(enc)
        for export in (grammar.to_llguidance, grammar.to_xgrammar):
            with pytest.raises(UnknownName, match="stop: expected one of 'explicit', 'eos', got"):
                export("x")
        with pytest.raises(UnknownName, match="form: expected one of 'token', 'text', got 'x'"):
            grammar.to_gbnf("x")

    def test_nothing_may_be_done(self, enc):
        dialect = {"name": "channel-first", "recipient_after_channel": []}
        spec = {"channels": [], "dialects": [dialect]}
        bare = load_harmony_encoding("HarmonyGptOss", spec=spec)
        assert accepts(bare, completion_grammar(bare), ANSWER)
        with pytest.raises(InvalidMessage, match="the spec has no hidden channel to reason on"):
            completion_grammar(bare, reasoning="required")

    def test_the_engine_refuses_a_schema(self, enc):
        impossible = {"type": "integer", "minimum": 3, "maximum": 2}
        grammar = completion_grammar(enc, response_format=impossible)
        with pytest.raises(InvalidSchema, match=r"llguidance refuses the grammar: .*minimum"):
            grammar.matcher()
        for export in (grammar.to_gbnf, grammar.to_xgrammar):
            with pytest.raises(InvalidSchema, match="no value satisfies the schema of response_fo"):
                export()

    def test_errors_are_the_library_s(self, enc):
        assert issubclass(UnsupportedSchema, InvalidSchema)
        with pytest.raises(UnsupportedSchema) as raised:
            completion_grammar(enc, [chat({"properties": {"a": {"uniqueItems": True}}})])
        error = raised.value
        assert (error.keyword, error.path) == ("uniqueItems", "/properties/a/uniqueItems")
        assert str(error) == (
            "the schema of functions.f has 'uniqueItems', which cannot be enforced: no grammar "
            "can express it. Take it out, or pass lenient=True and check the result afterwards "
            "(at /properties/a/uniqueItems in the schema)"
        )
