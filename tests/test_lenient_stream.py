"""The lenient stream: what it shows while the tokens come."""

from __future__ import annotations

import pytest
from test_recovery import PUBLIC, ids

from harmony import ContentDelta, HarmonyEncoding, Role, StreamableParser, StreamState
from harmony.lenient_stream import LenientStreamableParser


def stream(enc: HarmonyEncoding, text: str, role: Role | None = None) -> StreamableParser:
    parser = StreamableParser(enc, role, strict=False)
    for token in ids(enc, text):
        parser.process(token)
    return parser


def test_one_name_serves_both(enc: HarmonyEncoding):
    assert isinstance(StreamableParser(enc, None, strict=False), LenientStreamableParser)
    assert type(StreamableParser(enc, None)) is StreamableParser


@pytest.mark.parametrize("row", [row for row in PUBLIC if row["expected"]], ids=lambda r: r["id"])
def test_well_formed_streams_show_what_strict_ones_show(enc: HarmonyEncoding, row: dict):
    """After every token, as long as the strict parser takes them."""
    from harmony import HarmonyError

    tokens = ids(enc, row["text"])
    role = row["role"] and Role(row["role"])
    strict, lenient = StreamableParser(enc, role), StreamableParser(enc, role, strict=False)
    whole = enc.parse(tokens, role, strict=False)
    if whole.diagnostics:
        return
    for token in tokens:
        try:
            strict.process(token)
        except HarmonyError:
            return
        lenient.process(token)
        for name in (
            *("state", "state_data", "messages", "tokens", "last_content_delta"),
            *("current_content", "current_role", "current_channel", "current_recipient"),
            "current_content_type",
        ):
            assert getattr(lenient, name) == getattr(strict, name), (name, lenient.tokens)


def test_text_before_a_header_comes_at_once(enc: HarmonyEncoding):
    parser = stream(enc, "I", Role.ASSISTANT)
    assert parser.state is StreamState.HEADER  # The word may go on: `I.am.a.tool`, say.
    parser = stream(enc, "I will", Role.ASSISTANT)
    assert parser.current_content == "I will"
    assert (parser.state, parser.current_role) == (StreamState.CONTENT, Role.ASSISTANT)
    assert parser.last_content_delta == "I will"


def test_start_in_content_is_waited_for(enc: HarmonyEncoding):
    """Deltas are late, never wrong."""
    parser = stream(enc, "<|channel|>final<|message|>Use <|start|>asistant", Role.ASSISTANT)
    assert parser.current_content == "Use "
    assert parser.last_content_delta is None
    (token,) = ids(enc, " to")
    parser.process(token)
    assert parser.current_content == "Use "
    (token,) = ids(enc, " begin")
    (delta,) = parser.feed([token, *ids(enc, " with")])
    assert delta == ContentDelta("<|start|>asistant to begin with")
    assert parser.current_content == "Use <|start|>asistant to begin with"
    parser.process_eos()
    assert [found.code for found in parser.diagnostics] == ["literal-special"]


def test_a_header_without_its_end_becomes_content(enc: HarmonyEncoding):
    """After as many words as a header has, what follows streams."""
    most = enc.spec.table("recovery")["header_words"]
    parser = stream(enc, "<|channel|>final" + " word" * (most - 1), Role.ASSISTANT)
    assert parser.state is StreamState.HEADER
    for token in ids(enc, " word" * 2):
        parser.process(token)
    assert parser.current_content == "word" + " word" * most
    assert parser.current_channel == "final"


def test_a_message_that_may_be_none(enc: HarmonyEncoding):
    """A stray `<|message|>` is one only if content follows."""
    parser = stream(enc, "<|channel|>final<|message|>a<|return|><|message|>", Role.ASSISTANT)
    assert (parser.state, parser.current_role) == (StreamState.CONTENT, Role.ASSISTANT)
    assert parser.state_data["content_tokens"] == []
    assert len(parser.process_eos().messages) == 1
    assert parser.state is StreamState.EXPECT_START


def test_ids_outside_the_vocabulary(enc: HarmonyEncoding):
    parser = stream(enc, "<|start|>user<|message|>a")
    parser.process(-1).process(10**9)
    assert parser.current_content == "a\ufffd\ufffd"
    assert parser.tokens[-2:] == [-1, 10**9]
    assert [found.text for found in parser.diagnostics] == ["-1", "1000000000"]


def test_what_the_header_said(enc: HarmonyEncoding):
    parser = stream(enc, "<|start|>user:al<|message|>a\nb")
    assert parser.state_data == {
        "state": "Content",
        "header": {
            "author": {"role": "user", "name": "al"},
            "recipient": None,
            "channel": None,
            "content_type": None,
        },
        "content_tokens": ids(enc, "a\nb"),
    }
    assert stream(enc, "<|start|>user").state_data == {
        "state": "Header",
        "header_tokens": ids(enc, "user"),
    }
    assert stream(enc, "").state_data == {"state": "ExpectStart"}


def test_tools(enc: HarmonyEncoding):
    tokens = ids(enc, "<|start|>bash<|message|>{}<|call|>")
    parser = LenientStreamableParser(enc, None, tools=["functions.bash"])
    parser.feed(tokens)
    assert parser.messages[0].recipient == "functions.bash"


def test_characters_split_over_tokens(enc: HarmonyEncoding):
    tokens = ids(enc, "<|end|><|start|>user<|message|>💖<|end|>")
    parser = StreamableParser(enc, None, strict=False)
    deltas = []
    for token in tokens:
        parser.process(token)
        deltas.append(parser.last_content_delta)
    assert [delta for delta in deltas if delta] == ["💖"]
