"""No production of grammar/message.lark is idle: without it some vector fails."""

from __future__ import annotations

import functools

import pytest

from harmony import Conversation, GrammarError, HarmonyError, Message, Role, load_harmony_encoding
from harmony.grammar import load_grammar
from harmony.spec import load_spec
from tests.readings import by_lalr, by_matcher
from tests.sentences import grammar_text, variants
from tests.vector_files import ids_of_text, vectors

GRAMMAR = load_grammar(load_spec())
RULES = GRAMMAR.syntax.rules
VARIANTS = [
    (name, changed, what) for name, node in RULES.items() for changed, what in variants(node)
]


@pytest.fixture(scope="module")
def corpus(enc):
    """The valid vectors' tokens and messages."""
    found = []
    for vector in vectors("valid").values():
        role = Role(vector["role"]) if "role" in vector else None
        tokens = ids_of_text(enc, vector["text"])
        found.append((tokens, role, [Message.from_dict(m) for m in vector["messages"]]))
    return found


def failing(encoding, corpus) -> str | None:
    """The reading of ``encoding`` that fails on some vector, if one does."""
    for tokens, role, messages in corpus:
        try:
            if encoding.parse(tokens, role).messages != messages:
                return "fields"
            lalr = by_lalr(encoding, tokens, role)
            if lalr is None:
                return "LALR"
            if by_matcher(encoding, tokens, role) != lalr:
                return "matcher"
        except HarmonyError:
            return "parse"
    return None


def test_the_grammar_written_out_again_is_the_same(corpus, enc):
    text = grammar_text(RULES, GRAMMAR.text)
    encoding = load_harmony_encoding("HarmonyGptOss", grammar=text)
    assert encoding.grammar.syntax.rules == RULES
    assert encoding.grammar.syntax.terminals == GRAMMAR.syntax.terminals
    assert failing(encoding, corpus) is None


@pytest.mark.parametrize("rule", RULES)
def test_without_a_rule(rule, corpus):
    rules = {name: node for name, node in RULES.items() if name != rule}
    assert fails_without(rules, corpus)


@pytest.mark.parametrize("index", range(len(VARIANTS)), ids=lambda i: f"{VARIANTS[i][0]}-{i}")
def test_without_an_alternative_or_an_optional_part(index, corpus):
    rule, changed, what = VARIANTS[index]
    assert fails_without({**RULES, rule: changed}, corpus), f"{rule}: {what} is idle"


def fails_without(rules, corpus) -> bool:
    try:
        encoding = load_harmony_encoding("HarmonyGptOss", grammar=grammar_text(rules, GRAMMAR.text))
        return failing(encoding, corpus) is not None
    except GrammarError:
        return True


TERMINALS = [line for line in GRAMMAR.text.splitlines() if line.split(":")[0].lstrip("_").isupper()]


@pytest.mark.parametrize("line", TERMINALS, ids=lambda line: line.split(":")[0])
def test_without_a_terminal(line):
    text = GRAMMAR.text.replace(line + "\n", "")
    assert text != GRAMMAR.text
    with pytest.raises(GrammarError):
        load_harmony_encoding("HarmonyGptOss", grammar=text).parse([200006])


@functools.cache
def changed_encoding():
    """Written ` for=…`; and a name stands behind a slash."""
    text = GRAMMAR.text.replace('"to="', '"for="').replace("(?!to=)", "(?!for=)")
    text = text.replace('_NAME_MARK: ":"', '_NAME_MARK: "/"')
    return load_harmony_encoding("HarmonyGptOss", grammar=text, spec={"written": {"_TO": " for="}})


class TestChangedGrammar:
    """Guide: "a test shows that changing a production in the `.lark` file changes the matcher";
    and with it the stream and the renderer."""

    def test_everything_follows(self, enc):
        changed = changed_encoding()
        message = Message.from_role_and_content(Role.ASSISTANT, "{}")
        message.with_channel("commentary").with_recipient("functions.f")
        tokens = changed.render(message)
        text = "<|start|>assistant for=functions.f<|channel|>commentary<|message|>{}<|call|>"
        assert changed.decode(tokens) == text
        assert changed.parse_messages_from_completion_tokens(tokens) == [message]
        assert by_matcher(changed, tokens, None) == by_lalr(changed, tokens, None)
        assert by_matcher(changed, tokens, None) is not None

        from harmony import StreamableParser

        parser = StreamableParser(changed, None)
        for token in tokens:
            parser.process(token)
        assert parser.messages == [message]
        # ` to=…` says nothing any more: it is a bare recipient.
        (read,) = changed.parse(enc.render(message)).messages
        assert read.recipient == "to=functions.f"

    def test_names(self):
        changed = changed_encoding()
        tokens = changed.encode("<|start|>user/alice<|message|>hi<|end|>", allowed_special="all")
        # `user/alice` is a tool's name, since a role ends at `:`, which the spec says.
        assert changed.parse(tokens).messages[0].author.role is Role.TOOL

    def test_ranges_and_letters_of_either_case(self):
        text = GRAMMAR.text.replace('"to="', '"TO="i').replace("name: WORD", "name: NAME")
        text = text.replace("(?!to=)", "(?![tT][oO]=)")
        text += 'NAME: ("a".."z" | "-")+\n'
        encoding = load_harmony_encoding("HarmonyGptOss", grammar=text)
        tokens = encoding.encode(
            "<|start|>user:al-ice tO=x<|message|>hi<|end|>", allowed_special="all"
        )
        (message,) = encoding.parse(tokens).messages
        assert (message.author.name, message.recipient) == ("al-ice", "x")
        assert by_matcher(encoding, tokens, None) == by_lalr(encoding, tokens, None)
        tokens = encoding.encode("<|start|>user:Al<|message|>hi<|end|>", allowed_special="all")
        assert by_matcher(encoding, tokens, None) is by_lalr(encoding, tokens, None) is None

    def test_dropping_an_order_drops_it_everywhere(self):
        lines = [line for line in GRAMMAR.text.splitlines() if "-> channel_first" not in line]
        encoding = load_harmony_encoding(
            "HarmonyGptOss", grammar="\n".join(lines) + "\n", dialect="channel-first"
        )
        message = Message.from_role_and_content(Role.ASSISTANT, "{}")
        message.with_channel("commentary").with_recipient("f")
        # The dialect's order is gone, so the other one is written, and only that one is read.
        tokens = encoding.render(message)
        assert encoding.decode(tokens).startswith("<|start|>assistant to=f<|channel|>commentary")
        gone = encoding.encode(
            "<|start|>assistant<|channel|>commentary to=f<|message|>{}<|call|>",
            allowed_special="all",
        )
        with pytest.raises(HarmonyError):
            encoding.parse(gone)
        assert by_matcher(encoding, gone, None) is None

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("completion: X\n", "the grammar"),
            ("completion: (\nX: /a/\n", "the grammar cannot be read"),
            (
                "%import .other (X)\ncompletion: X\ncontinuation: X\n",
                "only `.spec` and Lark's own can be imported",
            ),
            (GRAMMAR.text.replace("content terminator", "terminator"), "is not a header"),
            (GRAMMAR.text.replace("name: WORD", "name: author"), "holds itself"),
            (GRAMMAR.text.replace("START, ", ""), "START"),
            (GRAMMAR.text.replace("_to: ", "other: "), "_to"),
        ],
    )
    def test_a_grammar_that_does_not_hold_together(self, text, sentence):
        def use():
            encoding = load_harmony_encoding("HarmonyGptOss", grammar=text)
            encoding.parse([200006])
            encoding.render(Message.from_role_and_content(Role.USER, "x"))

        with pytest.raises(GrammarError) as raised:
            use()
        assert sentence in str(raised.value)

    def test_a_grammar_is_a_text_or_a_path(self, tmp_path, corpus):
        path = tmp_path / "message.lark"
        path.write_text(GRAMMAR.text, encoding="utf-8")
        common = GRAMMAR.text + "%import common.DIGIT\n"
        for grammar in (path, str(path), GRAMMAR.text, common):
            assert (
                failing(load_harmony_encoding("HarmonyGptOss", grammar=grammar), corpus[:5]) is None
            )
        with pytest.raises(GrammarError, match="cannot read the grammar"):
            load_harmony_encoding("HarmonyGptOss", grammar=tmp_path / "none.lark")


def test_a_conversation_needs_a_header_that_the_grammar_has():
    """A field that the grammar cannot hold is an error, and not left out."""
    rules = {**RULES}
    text = grammar_text(rules, GRAMMAR.text).replace("(_NAME_MARK name)?", "")
    encoding = load_harmony_encoding("HarmonyGptOss", grammar=text)
    message = Message.from_dict({"role": "user", "name": "alice", "content": "hi"})
    with pytest.raises(GrammarError, match="the grammar has no header with name, role"):
        encoding.render_conversation(Conversation([message]))
