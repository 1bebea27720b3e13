"""Encodings, transcripts and stream parsers pickle and copy."""

from __future__ import annotations

import copy
import pickle

import pytest

from harmony import InvalidToken, Message, Role, StreamableParser, load_harmony_encoding

TEXT = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>hi"
WAYS = [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]


@pytest.mark.parametrize("way", WAYS)
def test_an_encoding(enc, channel_first, way):
    assert way(enc) is enc or way(enc).dialect == enc.dialect
    tokens = channel_first.encode(TEXT, allowed_special="all")
    again = way(channel_first)
    assert again.dialect == channel_first.dialect
    assert again.parse(tokens, Role.ASSISTANT) == channel_first.parse(tokens, Role.ASSISTANT)


@pytest.mark.parametrize("way", WAYS)
def test_an_encoding_of_ones_own(way):
    spec = {"content_types": [{"name": "toml", "purpose": "TOML."}]}
    own = load_harmony_encoding("HarmonyGptOss", spec=spec, cache_bytes=0, schema_style="complete")
    again = way(own)
    tokens = own.encode("<|start|>user toml<|message|>a = 1", allowed_special="all")
    assert again.parse(tokens).messages[0].content_type == "toml"
    assert again.cache.limit == 0
    assert again.schema_style == "complete"


@pytest.mark.parametrize("way", WAYS)
def test_a_transcript(enc, way):
    tokens = enc.encode(TEXT + "<|end|>junk", allowed_special="all")
    transcript = enc.parse(tokens, Role.ASSISTANT, strict=False)
    again = way(transcript)
    assert again == transcript
    assert again.tokens == tokens
    assert again.spans == transcript.spans
    assert again.diagnostics == transcript.diagnostics
    assert again.normalized().tokens == transcript.normalized().tokens
    assert way(enc.parse_conversation(enc.renderer.turn(Role.USER))).next_turn_role is Role.USER


@pytest.mark.parametrize("strict", [True, False])
def test_a_stream_goes_on_from_its_copy(enc, strict):
    tokens = enc.encode(TEXT, allowed_special="all")
    for cut in range(len(tokens)):
        parser = StreamableParser(enc, Role.ASSISTANT, strict=strict)
        parser.feed(tokens[:cut])
        again = copy.deepcopy(parser)
        for token in tokens[cut:]:
            again.process(token)
        assert again.process_eos().messages == enc.parse(tokens, Role.ASSISTANT).messages
        assert parser.tokens == tokens[:cut]


class TestNothingIsLost:
    """What was parsed before an id that the vocabulary lacks stays reachable."""

    @pytest.mark.parametrize("rest", [[-1], [200006, 10**9], [200006, 1428, 200008, 3686, 10**9]])
    def test_parse(self, enc, rest):
        before = [Message.from_role_and_content(Role.USER, "hi")]
        tokens = [*enc.render(before[0]), *rest]
        with pytest.raises(InvalidToken) as caught:
            enc.parse(tokens)
        assert caught.value.parsed == before
        assert caught.value.position == len(tokens) - 1

    def test_after_a_fault(self, enc):
        before = Message.from_role_and_content(Role.USER, "hi")
        with pytest.raises(InvalidToken) as caught:
            enc.parse([*enc.render(before), 5, -1])
        assert caught.value.parsed == [before]

    def test_stream(self, enc):
        before = Message.from_role_and_content(Role.USER, "hi")
        for take in ("process", "feed"):
            parser = StreamableParser(enc, None)
            parser.feed(enc.render(before))
            with pytest.raises(InvalidToken) as caught:
                getattr(parser, take)(-1 if take == "process" else [-1])
            assert caught.value.parsed == [before]
