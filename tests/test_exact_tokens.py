"""Transcripts render back to the ids that they were parsed from, and into normal form."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony import (
    Conversation,
    HarmonyEncoding,
    Message,
    RenderConversationConfig,
    Role,
    load_harmony_encoding,
)

KEEP = RenderConversationConfig(auto_drop_analysis=False)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("aeiou \n<|>end"), max_size=40
)


def split_freely(enc: HarmonyEncoding, data: st.DataObject, text: str) -> list[int]:
    """Some ids for ``text``, as a model might sample it: cut anywhere, then tokenised."""
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    edges = [0, *cuts, len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    return [token for piece in pieces for token in enc.encode(piece, disallowed_special=())]


def sampled(enc: HarmonyEncoding, data: st.DataObject, last: str = "<|return|>") -> list[int]:
    """A completion whose contents are split in another way than the tokenizer's."""
    tokens: list[int] = []
    headers = [
        "<|channel|>analysis<|message|>",
        "<|start|>assistant<|channel|>commentary to=functions.f  <|constrain|>json<|message|>",
        "<|start|>assistant<|channel|>final<|message|>",
    ]
    for header, end in zip(headers, ("<|end|>", "<|call|>", last), strict=True):
        tokens += enc.encode(header, allowed_special="all")
        tokens += split_freely(enc, data, data.draw(TEXT))
        tokens += enc.encode(end, allowed_special="all")
    return tokens


class TestExactTokens:
    """A transcript "renders back to the very ids it was parsed from"."""

    @given(st.data())
    def test_reuse_gives_the_very_ids(self, enc, data):
        tokens = sampled(enc, data, data.draw(st.sampled_from(["<|return|>", "<|end|>", ""])))
        transcript = enc.parse(tokens, Role.ASSISTANT)
        assert transcript.tokens == tokens
        rendering = enc.render_tokens(transcript, config=KEEP, reuse=transcript)
        assert rendering.tokens == enc.encode("<|start|>assistant", allowed_special="all") + tokens

    @given(st.data())
    def test_the_next_turn_begins_with_the_same_ids(self, enc, data):
        prompt = [Message.from_role_and_content(Role.USER, data.draw(TEXT))]
        before = enc.render_conversation_for_completion(
            Conversation.from_messages(prompt), Role.ASSISTANT
        )
        completion = sampled(enc, data)
        transcript = enc.parse(completion, Role.ASSISTANT)
        more = Message.from_role_and_content(Role.USER, data.draw(TEXT))
        history = Conversation.from_messages([*prompt, *transcript.messages, more])
        after = enc.render_tokens(history, Role.ASSISTANT, KEEP, reuse=transcript).tokens
        assert after[: len(before) + len(completion)] == before + completion
        assert after[len(before) + len(completion) :] == enc.render_conversation_for_completion(
            Conversation.from_messages([more]), Role.ASSISTANT
        )

    def test_a_changed_message_is_rendered_anew(self, enc):
        tokens = [*enc.encode("<|channel|>final<|message|>", allowed_special="all"), 71, 72]
        transcript = enc.parse(tokens, Role.ASSISTANT)
        assert enc.decode([71, 72]) == "hi" != enc.decode(enc.encode("hi")[:1]) + "i"
        exact = enc.render_tokens(transcript, reuse=transcript).tokens
        assert exact[-2:] == [71, 72]
        transcript.messages[0].channel = "commentary"
        anew = enc.render_tokens(transcript.conversation, reuse=enc.parse(tokens, Role.ASSISTANT))
        assert anew.tokens == enc.render(transcript.messages[0])

    def test_equal_messages_keep_their_own_ids(self, enc):
        header = enc.encode("<|start|>user<|message|>", allowed_special="all")
        end = enc.encode("<|end|>", allowed_special="all")
        tokens = [*header, 71, 72, *end, *header, *enc.encode("hi"), *end]
        transcript = enc.parse(tokens)
        assert transcript.messages[0] == transcript.messages[1]
        assert enc.render_tokens(transcript, reuse=transcript).tokens == tokens

    def test_a_missing_terminator_is_added_where_more_follows(self, enc):
        tokens = enc.encode("<|start|>user<|message|>hi", allowed_special="all")
        transcript = enc.parse(tokens)
        more = Message.from_role_and_content(Role.USER, "more")
        both = Conversation.from_messages([*transcript.messages, more])
        rendered = enc.render_tokens(both, reuse=transcript).tokens
        assert enc.parse_messages_from_completion_tokens(rendered) == both.messages

    def test_spans_tile_the_tokens(self, enc):
        text = "<|start|>user<|message|>hi<|end|><|start|>assistant<|channel|>final<|message|>"
        transcript = enc.parse(enc.encode(text, allowed_special="all"))
        edges = [
            edge
            for s in transcript.spans
            for part in (s.header, s.content, s.terminator)
            for edge in part
        ]
        assert edges[0] == 0
        assert edges[-1] == len(transcript.tokens)
        assert edges[1:-1:2] == edges[2::2]


class TestRendering:
    """`render_tokens`: "tokens with the message and part each belongs to, and the mask"."""

    def test_it_renders_what_the_others_do(self, enc):
        conversation = conversation_of_six()
        for config in (None, KEEP):
            rendering = enc.render_tokens(conversation, Role.ASSISTANT, config)
            expected = enc.render_conversation_for_completion(conversation, Role.ASSISTANT, config)
            assert rendering.tokens == expected
        training = enc.render_tokens(conversation, training=True)
        assert training.tokens == enc.render_conversation_for_training(conversation)

    def test_every_token_has_its_message_and_part(self, enc):
        conversation = conversation_of_six()
        rendering = enc.render_tokens(conversation, Role.ASSISTANT, KEEP)
        for index, message in enumerate(conversation):
            own = [
                t
                for t, m in zip(rendering.tokens, rendering.message_indices, strict=True)
                if m == index
            ]
            assert own == enc.render(message)
        assert rendering.message_indices[-2:] == [None, None]
        assert set(rendering.parts) == {"header", "content", "terminator"}
        ends = [
            t for t, p in zip(rendering.tokens, rendering.parts, strict=True) if p == "terminator"
        ]
        assert set(ends) <= set(enc.stop_tokens())
        assert len(ends) == 6

    def test_the_mask_teaches_what_the_model_samples(self, enc):
        rendering = enc.render_tokens(conversation_of_six(), config=KEEP)
        taught = [t for t, m in zip(rendering.tokens, rendering.training_mask, strict=True) if m]
        assert enc.decode(taught) == (
            "<|channel|>analysis<|message|>one<|end|>"
            " to=functions.f<|channel|>commentary json<|message|>{}<|call|>"
            "<|channel|>final<|message|>two<|end|>"
        )


def conversation_of_six() -> Conversation:
    say = Message.from_role_and_content
    call = say(Role.ASSISTANT, "{}").with_channel("commentary").with_recipient("functions.f")
    answer = Message.from_dict({"role": "tool", "name": "functions.f", "content": "1"})
    return Conversation.from_messages(
        [
            say(Role.USER, "a"),
            say(Role.ASSISTANT, "one").with_channel("analysis"),
            call.with_content_type("json"),
            answer.with_recipient("assistant").with_channel("commentary"),
            say(Role.ASSISTANT, "two").with_channel("final"),
            say(Role.USER, "b"),
        ]
    )


class TestNormalForm:
    """`transcript.normalized()`: "the conversation as it should be stored for the next turn"."""

    @given(st.data())
    def test_contents_keep_their_ids(self, enc, data):
        transcript = enc.parse(sampled(enc, data), Role.ASSISTANT)
        normal = transcript.normalized()
        assert normal.messages == transcript.messages
        for ours, theirs in zip(normal.spans, transcript.spans, strict=True):
            assert (
                normal.tokens[ours.content.start : ours.content.stop]
                == transcript.tokens[theirs.content.start : theirs.content.stop]
            )
        assert enc.parse(normal.tokens).messages == normal.messages
        assert normal.normalized().tokens == normal.tokens

    def test_return_becomes_end(self, enc):
        tokens = enc.encode("<|channel|>final<|message|>hi<|return|>", allowed_special="all")
        normal = enc.parse(tokens, Role.ASSISTANT).normalized()
        assert enc.decode(normal.tokens) == "<|start|>assistant<|channel|>final<|message|>hi<|end|>"

    @pytest.mark.parametrize(
        ("dialect", "expected"),
        [
            ("reference", " to=functions.f<|channel|>commentary json"),
            ("channel-first", "<|channel|>commentary to=functions.f <|constrain|>json"),
        ],
    )
    def test_deviating_headers_become_the_dialects(self, dialect, expected):
        enc = load_harmony_encoding("HarmonyGptOss", dialect=dialect)
        text = "<|start|> assistant   to=functions.f json<|channel|>commentary<|message|>{}"
        normal = enc.parse(enc.encode(text, allowed_special="all")).normalized()
        assert enc.decode(normal.tokens) == f"<|start|>assistant{expected}<|message|>{{}}<|call|>"
        assert enc.parse(normal.tokens).messages == normal.messages

    def test_what_recovery_made_good_is_stored_well_formed(self, enc):
        text = "<|channel|>finalx<|message|>Use <|start|>assistant to begin.<|return|>junk"
        transcript = enc.parse(
            enc.encode(text, allowed_special="all"), Role.ASSISTANT, strict=False
        )
        normal = transcript.normalized()
        assert enc.decode(normal.tokens) == (
            "<|start|>assistant<|channel|>final<|message|>Use <|start|>assistant to begin.<|end|>"
        )
        # The `<|start|>` of the text is text now: only the structure has special tokens.
        assert sum(map(enc.is_special_token, normal.tokens)) == 4
        assert enc.parse(normal.tokens).messages == transcript.messages
