"""grammar/message.lark: its sentences, its two readings, and what a change of it changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import HarmonyError, Role
from harmony.grammar import load_grammar
from harmony.spec import load_spec
from tests.peer import plain, their_role
from tests.readings import by_lalr, by_matcher
from tests.sentences import TERMINALS, sentences
from tests.strategies import COMPLETION, PROMPT_ROLE, STRUCTURE, VALID_IDS, tokens_of

SYNTAX = load_grammar(load_spec()).syntax


def start_rule(role: Role | None) -> str:
    return "completion" if role is None else "continuation"


#: A role that the prompt ended with, and a sentence that may follow.
SENTENCE = PROMPT_ROLE.flatmap(
    lambda role: st.tuples(st.just(role), sentences(SYNTAX, start_rule(role)))
)


def test_every_terminal_is_drawn():
    used = {
        node.name
        for rule in SYNTAX.rules.values()
        for node in SYNTAX.walk(rule)
        if type(node).__name__ == "Terminal"
    }
    assert used == set(TERMINALS)


class TestSentences:
    """grammar/message.lark: whatever the grammar generates, both parsers accept."""

    @settings(max_examples=400)
    @given(SENTENCE)
    def test_both_accept_and_agree(self, enc, sentence):
        role, parts = sentence
        tokens = tokens_of(enc, parts)
        expected = by_lalr(enc, tokens, role)
        repeated = role is not None and expected is None
        if repeated:
            # The one thing that is no matter of syntax: it repeats another role.
            with pytest.raises(HarmonyError, match="repeats a role, but not the one"):
                enc.parse(tokens, role)
            assert by_matcher(enc, tokens, role) is None
            return
        assert expected is not None
        assert by_matcher(enc, tokens, role) == expected

    @settings(max_examples=200)
    @given(SENTENCE)
    def test_the_peer_agrees(self, enc, oracle, sentence):
        role, parts = sentence
        tokens = tokens_of(enc, parts)
        read = by_lalr(enc, tokens, role)
        if read is None or differs(enc, tokens, role, read):
            return
        theirs = oracle.parse_messages_from_completion_tokens(tokens, their_role(role))
        assert plain(enc.parse(tokens, role).messages) == plain(theirs)


def differs(enc, tokens, role, read) -> bool:
    """Whether the spec's [[differences]] speak of these messages."""
    first = role is not None
    tree = enc.parse_tree(tokens, role)
    for node in tree.iter_subtrees():
        if node.data == "start_repeated":
            return True
    for header, _, _ in read:
        given_tool = first and role is Role.TOOL
        first = False
        if header.content_type is not None and header.recipient is None:
            return True
        if header.role is not Role.TOOL and header.name is not None:
            return True
        if header.role is Role.TOOL and header.recipient is None and not given_tool:
            return True
        if "<" in (header.channel or ""):
            return True
    return False


@st.composite
def mutations(draw: st.DrawFn, enc_tokens: list[int]) -> list[int]:
    """Ids with a few taken out, doubled, put in or put elsewhere."""
    tokens = list(enc_tokens)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(tokens)))
        match draw(st.integers(0, 3)):
            case 0:
                del tokens[at : at + 1]
            case 1:
                tokens[at:at] = tokens[at - 1 : at]
            case 2:
                tokens[at:at] = draw(VALID_IDS)[:2]
            case _:
                tokens.insert(at, draw(st.sampled_from(STRUCTURE)))
    return tokens


class TestTwoReadings:
    """ "The LALR parser stays the authority": on any input the compiled matcher gives the same
    fields, or both refuse."""

    @settings(max_examples=400)
    @given(SENTENCE, st.data())
    def test_mutated_sentences(self, enc, sentence, data):
        role, parts = sentence
        tokens = data.draw(mutations(tokens_of(enc, parts)))
        assert by_matcher(enc, tokens, role) == by_lalr(enc, tokens, role)

    @settings(max_examples=400)
    @given(COMPLETION, st.data())
    def test_mutated_completions(self, enc, completion, data):
        role, parts = completion
        tokens = data.draw(mutations(tokens_of(enc, parts)))
        assert by_matcher(enc, tokens, role) == by_lalr(enc, tokens, role)

    @settings(max_examples=300)
    @given(VALID_IDS, PROMPT_ROLE)
    def test_any_ids(self, enc, tokens, role):
        assert by_matcher(enc, tokens, role) == by_lalr(enc, tokens, role)
