"""Parsing and streaming, live against openai-harmony: equal messages and equal deltas."""

from __future__ import annotations

import openai_harmony as peer
import pytest
from hypothesis import example, given, settings

from harmony import Role, StreamableParser
from tests.peer import plain, snapshot, their_conversation, their_role
from tests.strategies import COMPLETION, CONVERSATION, TEXT, tokens_of


class TestBatch:
    """Spec [header]: "a header is the author […], then in either order the recipient and the
    channel, then the content type. All but the author may be missing. White space separates
    words; it does not matter how much." """

    @settings(max_examples=300)
    @given(COMPLETION)
    def test_completions(self, enc, oracle, completion):
        role, parts = completion
        tokens = tokens_of(enc, parts)
        ours = enc.parse_messages_from_completion_tokens(tokens, role)
        theirs = oracle.parse_messages_from_completion_tokens(tokens, their_role(role))
        assert plain(ours) == plain(theirs)
        assert plain(enc.parse(tokens, role).messages) == plain(theirs)

    @pytest.mark.parametrize(
        "header",
        [
            "assistant to=functions.f<|channel|>commentary <|constrain|>json",
            "assistant to=functions.f<|channel|>commentary<|constrain|>json",
            "assistant to=functions.f<|channel|>commentary json",
            "assistant<|channel|>commentary to=functions.f <|constrain|>json",
            "assistant<|channel|>commentary to=functions.f<|constrain|>json",
            "assistant<|channel|>commentary to=functions.f code",
            "assistant <|channel|>commentary  to=functions.f   <|constrain|>json ",
            "assistant to=functions.f <|constrain|>json<|channel|>commentary",
            "assistant to=functions.f json <|channel|>commentary",
            "assistant<|channel|>commentary functions.f",
            "assistant functions.f<|channel|>commentary <|constrain|>json",
            "\n assistant\tto=functions.f\r\n<|channel|>commentary\f",
            "functions.f to=assistant<|channel|>commentary",
            "functions.f<|channel|>commentary to=assistant",
            "functions.f assistant<|channel|>commentary",
            "tool to=assistant",
            "tool",
            "user to=assistant",
        ],
    )
    def test_header_forms(self, enc, oracle, header):
        text = f"<|start|>{header}<|message|>{{}}<|call|>"
        tokens = enc.encode(text, allowed_special="all")
        ours = enc.parse_messages_from_completion_tokens(tokens)
        assert plain(ours) == plain(oracle.parse_messages_from_completion_tokens(tokens))


class TestStream:
    """Spec [content]: "Inside it only the three terminators are structure; any other special
    token reads as its literal text, and bytes that are not UTF-8 read as U+FFFD." """

    @settings(max_examples=150)
    @given(COMPLETION)
    # A character split over tokens, a lone half, and bytes that no character begins with.
    @example((Role.ASSISTANT, [("special", "<|message|>"), ("ids", [9552, 235, 9552])]))
    @example((None, [("special", "<|start|>user<|message|>"), ("ids", [4103, 187, 187, 97, 9552])]))
    def test_everything_after_every_token(self, enc, oracle, completion):
        role, parts = completion
        ours = StreamableParser(enc, role)
        theirs = peer.StreamableParser(oracle, their_role(role))
        assert snapshot(ours) == snapshot(theirs)
        for token in tokens_of(enc, parts):
            assert ours.process(token) is ours
            theirs.process(token)
            assert snapshot(ours) == snapshot(theirs)
        assert ours.process_eos() is ours
        theirs.process_eos()
        assert plain(ours.messages) == plain(theirs.messages)

    @given(TEXT)
    def test_content_tokens_of_rendered_text(self, enc, oracle, text):
        ours = StreamableParser(enc, Role.ASSISTANT)
        theirs = peer.StreamableParser(oracle, peer.Role.ASSISTANT)
        for token in [*enc.encode("<|message|>", allowed_special="all")]:
            ours.process(token)
            theirs.process(token)
        ids = enc.encode(text, disallowed_special=())
        for token in ids:
            ours.process(token)
            theirs.process(token)
        assert ours.state_data["content_tokens"] == ids
        assert ours.current_content == theirs.current_content

    @given(CONVERSATION)
    def test_rendered_conversations(self, enc, oracle, conversation):
        """Whatever the reference renders and can read back, both read equally."""
        tokens = oracle.render_conversation(their_conversation(conversation))
        try:
            theirs = plain(oracle.parse_messages_from_completion_tokens(tokens))
        except peer.HarmonyError:
            return
        try:
            ours = plain(enc.parse_messages_from_completion_tokens(tokens))
        except RuntimeError:
            return  # A field that holds what a header cannot: see [[differences]].
        assert len(ours) == len(theirs)
        assert [m["content"] for m in ours] == [m["content"] for m in theirs]
