"""The stream parser: every way to cut the tokens gives what the batch parser gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import (
    ContentDelta,
    HarmonyError,
    HeaderParsed,
    MessageFinished,
    ParseError,
    Role,
    StreamableParser,
    StreamState,
)
from tests.peer import plain, snapshot
from tests.strategies import COMPLETION, PROMPT_ROLE, VALID_IDS, tokens_of

READ = st.sampled_from([None, "current_content", "last_content_delta", "state_data", "all"])


def read(parser: StreamableParser, what: str | None) -> None:
    if what == "all":
        snapshot(parser)
    elif what is not None:
        getattr(parser, what)


@st.composite
def cuts(draw: st.DrawFn, tokens: list[int]) -> list[tuple[str, list[int], str | None]]:
    """``tokens`` in pieces: how each is handed over, and what is read after it."""
    pieces = []
    at = 0
    while at < len(tokens):
        size = draw(st.integers(0, len(tokens) - at) | st.integers(0, 3))
        pieces.append(
            (draw(st.sampled_from(["feed", "process"])), tokens[at : at + size], draw(READ))
        )
        at += size
    return pieces


class TestChunking:
    """harmony/stream.py: "Every way to cut the tokens into pieces gives the messages that the
    batch parser gives." """

    @settings(max_examples=150)
    @given(COMPLETION, st.data())
    def test_any_cuts(self, enc, completion, data):
        role, parts = completion
        tokens = tokens_of(enc, parts)
        expected = enc.parse_messages_from_completion_tokens(tokens, role)
        parser = StreamableParser(enc, role)
        reference = StreamableParser(enc, role)
        fed = False
        for how, piece, what in data.draw(cuts(tokens)):
            if how == "feed":
                parser.feed(piece)
            else:
                for token in piece:
                    parser.process(token)
            read(parser, what)
            for token in piece:
                reference.process(token)
            ours, theirs = snapshot(parser), snapshot(reference)
            fed = fed or how == "feed"
            if fed:  # The last delta is that of the call, not that of a token.
                del ours["last_content_delta"], theirs["last_content_delta"]
            # One bad byte is one step of `process`; `feed` takes them all.
            assert ours.pop("current_content").startswith(theirs.pop("current_content"))
            assert ours == theirs
        assert parser.process_eos() is parser
        assert parser.messages == expected
        assert parser.tokens == tokens
        assert parser.state is StreamState.EXPECT_START

    @given(COMPLETION, st.data())
    def test_deltas_of_tokens_and_of_calls(self, enc, completion, data):
        """Joined, the deltas of `process` and of `feed` are `current_content`."""
        role, parts = completion
        parser = StreamableParser(enc, role)
        deltas = ""
        for how, piece, _ in data.draw(cuts(tokens_of(enc, parts))):
            if how == "feed":
                for event in parser.feed(piece):
                    match event:
                        case HeaderParsed():
                            deltas = ""
                        case ContentDelta(text):
                            deltas += text
                        case MessageFinished(message):
                            assert deltas == message.content[0].text
            else:
                for token in piece:
                    in_content = parser.state is StreamState.CONTENT
                    parser.process(token)
                    deltas = deltas + (parser.last_content_delta or "") if in_content else ""
            if parser.state is StreamState.CONTENT:
                assert parser.current_content == deltas

    @settings(max_examples=200)
    @given(COMPLETION, st.data())
    def test_events(self, enc, completion, data):
        """`feed`'s deltas, joined, are the content, less what waits for the rest of a character."""
        role, parts = completion
        tokens = tokens_of(enc, parts)
        expected = enc.parse_messages_from_completion_tokens(tokens, role)
        parser = StreamableParser(enc, role)
        events = []
        for _, piece, what in data.draw(cuts(tokens)):
            events += parser.feed(piece)
            read(parser, what)
        open_content = parser.current_content if parser.state is StreamState.CONTENT else None
        parser.process_eos()
        assert parser.messages == expected
        finished = []
        deltas: list[str] = []
        headers = 0
        for event in events:
            match event:
                case HeaderParsed():
                    headers += 1
                    deltas = []
                    message = expected[headers - 1]
                    assert event == HeaderParsed(
                        message.author.role, message.author.name, message.recipient,
                        message.channel, message.content_type,
                    )  # fmt: skip
                case ContentDelta(text):
                    assert text
                    deltas.append(text)
                case MessageFinished(message, terminator):
                    assert "".join(deltas) == message.content[0].text
                    assert terminator in {t.text for t in enc.spec.stop_set("any")}
                    finished.append(message)
        assert headers == len(expected)
        if open_content is not None:
            assert "".join(deltas) == open_content
            assert expected[-1].content[0].text.startswith(open_content)
            finished.append(expected[-1])
        assert finished == expected

    @settings(max_examples=200)
    @given(COMPLETION)
    def test_deltas_of_single_tokens(self, enc, completion):
        """`last_content_delta` after every token, joined, is `current_content`."""
        role, parts = completion
        parser = StreamableParser(enc, role)
        deltas = ""
        for token in tokens_of(enc, parts):
            parser.process(token)
            if parser.state is not StreamState.CONTENT:
                deltas = ""
            deltas += parser.last_content_delta or ""
            assert parser.current_content == deltas


class TestFaults:
    """StreamableParser: "After a `ParseError` the messages read so far are still there, and the
    parser waits for the next `<|start|>`." """

    @settings(max_examples=150)
    @given(VALID_IDS, PROMPT_ROLE, st.data())
    def test_same_fault_as_the_batch_parser(self, enc, tokens, role, data):
        batch = stream = None
        try:
            expected = enc.parse_messages_from_completion_tokens(tokens, role)
        except HarmonyError as error:
            batch, expected = error, error.parsed
        parser = StreamableParser(enc, role)
        ended = False
        try:
            for how, piece, what in data.draw(cuts(tokens)):
                if how == "feed":
                    parser.feed(piece)
                else:
                    for token in piece:
                        parser.process(token)
                read(parser, what)
            ended = True
            parser.process_eos()
        except HarmonyError as error:
            stream = error
        assert plain(parser.messages) == plain(expected)
        assert (batch is None) == (stream is None)
        if batch is not None:
            assert stream is not None
            assert plain(stream.parsed) == plain(expected)
            assert parser.state is (StreamState.HEADER if ended else StreamState.EXPECT_START)
            # The stream sees no further than the token that it is at.
            assert (stream.message, stream.position) == (batch.message, batch.position)

    def test_goes_on_after_a_fault(self, enc):
        tokens = enc.encode(
            "<|start|>user<|message|>a<|end|>b<|start|>user<|message|>c<|end|>",
            allowed_special="all",
        )
        parser = StreamableParser(enc, None)
        faults = 0
        for token in tokens:
            try:
                parser.process(token)
            except HarmonyError:
                faults += 1
        assert faults == 1
        assert [m.content[0].text for m in parser.messages] == ["a", "c"]


class TestInvalidIds:
    """`process` and `feed`: "InvalidToken: the vocabulary has no such id." """

    @pytest.mark.parametrize("bad", [-1, 201089, 2**70, None, "1", 1.0])
    @pytest.mark.parametrize("text", ["", "<|start|>user", "<|start|>user<|message|>a"])
    def test_nothing_is_taken(self, enc, bad, text):
        parser = StreamableParser(enc, None)
        parser.feed(enc.encode(text, allowed_special="all"))
        before = snapshot(parser)
        for take in (
            parser.process,
            lambda token: parser.feed([token]),
            lambda t: parser.feed([3686, t]),
        ):
            with pytest.raises(HarmonyError, match="Invalid token for decoding") as raised:
                take(bad)
            assert repr(bad) in str(raised.value)
            assert snapshot(parser) == before

    def test_feed_takes_sequences_of_ids(self, enc):
        parser = StreamableParser(enc, Role.USER)
        parser.feed(tuple(enc.encode("<|message|>a", allowed_special="all")))
        parser.feed([])
        assert parser.current_content == "a"


class TestFinish:
    """`finish`: "what the end of the input brought, as `feed` does"."""

    @pytest.mark.parametrize("strict", [True, False])
    def test_the_rest_of_a_message(self, enc, strict):
        parser = StreamableParser(enc, Role.ASSISTANT, strict=strict)
        tokens = [*enc.encode("<|channel|>final<|message|>hi", allowed_special="all"), 9552]
        events = [event for token in tokens for event in parser.feed([token])]
        events += parser.finish()
        text = "".join(event.text for event in events if isinstance(event, ContentDelta))
        assert text == "hi \ufffd"
        assert events[-1] == MessageFinished(parser.messages[0], None)
        assert parser.messages[0].content[0].text == text
        assert parser.finish() == []

    @pytest.mark.parametrize("strict", [True, False])
    def test_nothing_left(self, enc, strict):
        parser = StreamableParser(enc, None, strict=strict)
        parser.feed(enc.encode("<|start|>user<|message|>hi<|end|>", allowed_special="all"))
        assert parser.finish() == []
        assert len(parser.messages) == 1

    def test_inside_a_header(self, enc):
        parser = StreamableParser(enc, Role.ASSISTANT)
        with pytest.raises(ParseError, match="Unexpected EOS"):
            parser.finish()
        lenient = StreamableParser(enc, Role.ASSISTANT, strict=False)
        lenient.feed(enc.encode("<|channel|>final", allowed_special="all"))
        events = lenient.finish()
        assert [type(event) for event in events] == [HeaderParsed, MessageFinished]
        assert lenient.diagnostics
