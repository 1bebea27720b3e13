"""Grammars of users: what the reader of productions and the compiler take, and refuse."""

from __future__ import annotations

import pytest

from harmony import GrammarError, Message, Role, StreamableParser, load_harmony_encoding, resources
from harmony import grammar as grammar_module
from harmony.grammar import load_grammar
from harmony.spec import load_spec
from harmony.syntax import Choice, Repeat, Rule, Terminal, read_syntax
from tests.readings import by_lalr, by_matcher

TEXT = load_grammar(load_spec()).text
USER = "<|start|>user<|message|>hi<|end|>"


def syntax_of(text: str):
    return read_syntax(text, lambda *_: ("<spec>", ""))


class TestProductions:
    def test_every_operator(self):
        syntax = syntax_of(
            'a: b? c* d+ [b] B~2 B~2..4 (b | c)\nb: B -> x | c\nc: C\nd: D\nB: "b"\nC: "c"~2..3\n'
            'D: ["d"] "e"? ("f" | /g|h/i)+\n'
        )
        parts = syntax.rule("a").parts
        assert parts[:4] == (
            Repeat(Rule("b"), 0, 1),
            Repeat(Rule("c"), 0, None),
            Repeat(Rule("d"), 1, None),
            Repeat(Rule("b"), 0, 1),
        )
        assert parts[4:6] == (Repeat(Terminal("B"), 2, 2), Repeat(Terminal("B"), 2, 4))
        assert parts[6] == Choice((Rule("b"), Rule("c")), ("", ""))
        assert syntax.rule("b") == Choice((Terminal("B"), Rule("c")), ("x", ""))
        assert syntax.terminals["C"] == "(?:c){2,3}"
        assert syntax.terminals["D"] == "(?:d)?(?:e)?(?:(?:f|(?i:g|h)))+"
        assert syntax.literals == {"B": "b"}

    def test_an_unnamed_text_is_refused(self):
        with pytest.raises(GrammarError, match="name the text with a terminal instead"):
            syntax_of('a: "b"\n')

    def test_an_unknown_rule(self):
        with pytest.raises(GrammarError, match="the grammar has no rule 'nonsense'"):
            load_grammar(load_spec()).syntax.rule("nonsense")

    def test_a_walk_enters_each_rule_once(self):
        syntax = load_grammar(load_spec()).syntax
        rules = [n.name for n in syntax.walk(Rule("completion")) if isinstance(n, Rule)]
        assert set(rules) == set(syntax.rules) - {
            "continuation", "completion", "first_message", "first_unterminated", "first_header",
            "repeated_role",
        } | {"completion"}  # fmt: skip


class TestCompiler:
    def encoding(self, text: str, **spec):
        return load_harmony_encoding("HarmonyGptOss", grammar=text, spec=spec or None)

    def test_an_expression_that_does_not_compile(self):
        text = TEXT.replace("name: WORD", "name: NAME") + "NAME: /(?P<content_1>a)/\n"
        with pytest.raises(GrammarError, match="the grammar does not make an expression"):
            _ = self.encoding(text).matcher.message

    @pytest.mark.parametrize(
        ("definition", "sentence"),
        [
            ('X: X "a"', "Recursion in terminal 'X'"),
            ("X: /(/", "the grammar does not make an expression"),
            ('X: "a"~3..99999999999', "the grammar does not make an expression"),
            ('X: "→"', "the grammar does not make an expression"),
            ("%declare X", "a terminal of the grammar is declared, but not defined"),
        ],
    )
    def test_a_terminal_that_cannot_be(self, definition, sentence):
        text = TEXT.replace("name: WORD", "name: X") + definition + "\n"
        with pytest.raises(GrammarError) as raised:
            _ = self.encoding(text).matcher.message
        assert sentence in str(raised.value)

    def test_no_message_marker(self):
        text = TEXT.replace("MESSAGE,", "").replace(" MESSAGE ", " END_OF_HEADER ")
        text += 'END_OF_HEADER: "\\xff<|message|>"\n'
        with pytest.raises(GrammarError, match="the grammar does not import MESSAGE from the spec"):
            _ = self.encoding(text).matcher

    def test_a_grammar_that_is_not_lalr(self):
        text = TEXT.replace("\nrole: ROLE\n", "\nrole: ROLE | role2\nrole2: ROLE\n")
        with pytest.raises(GrammarError, match="the grammar is not LALR"):
            self.encoding(text)

    def test_a_terminal_that_nobody_can_write(self):
        text = TEXT.replace("\nheader: author", "\nheader: SIGN author")
        text = text.replace("\n      | author", "\n      | SIGN author")
        text += "SIGN: /[!?]/\n"
        with pytest.raises(GrammarError) as raised:
            self.encoding(text)
        line = text.splitlines().index("header: SIGN author route") + 1
        assert str(raised.value) == (
            f"<grammar>:{line}: [written] of the spec does not say how to write SIGN"
        )
        encoding = self.encoding(text, written={"SIGN": "!"})
        tokens = encoding.render(Message.from_role_and_content(Role.USER, "x"))
        assert encoding.decode(tokens) == "<|start|>!user<|message|>x<|end|>"

    def test_what_only_lalr_takes_is_taken(self):
        """The compiler takes a repeat for greedy; where it is not, the authority reads."""
        text = TEXT.replace(
            "header: author route", "header: author route\n      | START* START author route", 1
        )
        encoding = self.encoding(text)
        tokens = encoding.encode("<|start|><|start|>" + USER + USER, allowed_special="all")
        assert by_matcher(encoding, tokens, None) is None
        expected = [Message.from_role_and_content(Role.USER, "hi")] * 2
        assert len(by_lalr(encoding, tokens, None)) == 2
        assert encoding.parse(tokens).messages == expected
        assert len(encoding.parse(tokens).spans) == 2
        parser = StreamableParser(encoding, None)
        for token in tokens:
            parser.process(token)
        assert parser.messages == expected
        fed = StreamableParser(encoding, None)
        fed.feed(tokens)
        assert fed.messages == expected


class TestCachedSyntax:
    """harmony/data/syntax.json: "used only while the digest of grammar and spec is the one
    that they were made from"."""

    @pytest.mark.parametrize("content", ["no json", "[]", '{"digest": "x"}', None])
    def test_without_it_the_grammar_is_read(self, monkeypatch, content):
        def read(folder: str, name: str) -> str:
            if content is None:
                raise FileNotFoundError(name)
            return content

        grammar = load_grammar(load_spec())
        expected = grammar.syntax
        grammar_module._cached_syntax.cache_clear()
        monkeypatch.setattr(grammar_module.resources, "read_text", read)
        try:
            assert grammar_module.Grammar(grammar.spec, grammar.text).syntax == expected
        finally:
            grammar_module._cached_syntax.cache_clear()

    def test_the_files_are_found(self):
        assert resources.path("grammar", "message.lark").exists()
        assert resources.path("spec", "harmony.toml").exists()
        assert resources.read_bytes("spec", "harmony.toml")
