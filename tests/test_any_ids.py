"""Whatever is passed as tokens: a result, or a HarmonyError that says where and why."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import HarmonyError, InvalidToken, InvalidUtf8, ParseError, Role, StreamableParser
from tests.peer import plain
from tests.strategies import COMPLETION, JUNK_ID, PROMPT_ROLE, VALID_IDS, tokens_of

JUNK_IDS = st.lists(JUNK_ID | VALID_IDS.filter(bool).map(lambda ids: ids[0]), max_size=8)


class TestAnyIds:
    """Guide: "any list of ids gives a result or a HarmonyError, never another exception"."""

    @settings(max_examples=200)
    @given(JUNK_IDS, PROMPT_ROLE)
    def test_junk(self, enc, tokens, role):
        calls = [
            lambda: enc.parse_messages_from_completion_tokens(tokens, role),
            lambda: enc.parse(tokens, role).spans,
            lambda: enc.parse_tree(tokens, role),
            lambda: enc.decode(tokens),
            lambda: enc.decode_utf8(tokens),
            lambda: enc.decode_bytes(tokens),
            lambda: StreamableParser(enc, role).feed(tokens),
            lambda: [StreamableParser(enc, role).process(token) for token in tokens],
            lambda: StreamableParser(enc, role).feed(tokens[:1]) and None,
            lambda: enc.check(tokens, role=role),
        ]
        for call in calls:
            try:
                call()
            except HarmonyError as error:
                assert str(error)

    @given(JUNK_IDS, PROMPT_ROLE)
    def test_recovery_takes_all_of_it(self, enc, tokens, role):
        transcript = enc.parse(tokens, role, strict=False)
        unknown = [d for d in transcript.diagnostics if d.code == "unknown-token"]
        assert len(unknown) == sum(not enc.vocabulary.has(token) for token in tokens)
        parser = StreamableParser(enc, role, strict=False)
        parser.feed(tokens)
        assert parser.process_eos().messages == transcript.messages

    @settings(max_examples=100)
    @given(JUNK_IDS)
    def test_junk_after_each_state(self, enc, tokens):
        for opening in ("", "<|start|>", "<|start|>user<|message|>hi"):
            parser = StreamableParser(enc, None)
            parser.feed(enc.encode(opening, allowed_special="all"))
            for token in tokens:
                with contextlib.suppress(HarmonyError):
                    parser.process(token)
                assert parser.current_content is not None
                assert parser.last_content_delta != ""
                assert all(type(token) is int for token in parser.tokens)

    @pytest.mark.parametrize("tokens", [None, 3, "abc", b"abc", 1.5, object(), [[1]], ["a"], {"a"}])
    @pytest.mark.parametrize("call", ["parse", "parse_tree", "decode", "decode_utf8", "feed"])
    def test_no_ids_at_all(self, enc, tokens, call):
        holder = StreamableParser(enc, None) if call == "feed" else enc
        with pytest.raises(InvalidToken):
            getattr(holder, call)(tokens)

    def test_other_sequences_of_ids(self, enc):
        tokens = enc.encode("<|start|>user<|message|>hi<|end|>", allowed_special="all")
        expected = enc.parse_messages_from_completion_tokens(tokens)
        for form in (tuple(tokens), iter(tokens), dict.fromkeys(tokens)):
            assert enc.parse_messages_from_completion_tokens(form) == expected
        assert enc.decode(iter(tokens)) == enc.decode(tokens)
        assert StreamableParser(enc, None).feed(iter(tokens))[-1].message == expected[0]

    def test_integers_of_another_class(self, enc):
        """NumPy's, say: taken, and plain ints given back."""

        class Index:
            def __init__(self, value):
                self.value = value

            def __index__(self):
                return self.value

        tokens = enc.encode("<|start|>user<|message|>hi<|end|>", allowed_special="all")
        expected = enc.parse_messages_from_completion_tokens(tokens)
        others = [Index(token) for token in tokens]
        assert enc.parse_messages_from_completion_tokens(others) == expected
        assert enc.decode(others) == enc.decode(tokens)
        parser = StreamableParser(enc, None)
        for token in others:
            parser.process(token)
        assert parser.messages == expected
        assert parser.tokens == tokens
        fed = StreamableParser(enc, None)
        fed.feed(others)
        assert fed.messages == expected

    @given(VALID_IDS)
    def test_decode(self, enc, oracle, tokens):
        assert enc.decode(tokens) == oracle.decode(tokens)
        for errors in ("replace", "ignore", "backslashreplace"):
            assert enc.decode(tokens, errors=errors) == oracle.decode(tokens, errors=errors)
        try:
            theirs = oracle.decode_utf8(tokens)
        except RuntimeError:
            with pytest.raises(InvalidUtf8):
                enc.decode_utf8(tokens)
        else:
            assert enc.decode_utf8(tokens) == theirs


class TestPosition:
    """ParseError: "position: index of the token at which the fault was found; the number of
    tokens where the input ended too early"."""

    @settings(max_examples=200)
    @given(COMPLETION, st.data())
    def test_the_fault_is_where_it_was_put(self, enc, completion, data):
        """A complete input, then a token that cannot follow it."""
        role, parts = completion
        tokens = tokens_of(enc, parts)
        if StreamableParser(enc, role).feed(tokens) and tokens[-1] not in enc.stop_tokens():
            tokens.append(enc.stop_tokens()[0])
        expected = enc.parse_messages_from_completion_tokens(tokens, role)
        stray = data.draw(
            st.integers(0, 201088).filter(lambda token: token != enc.vocabulary.start_id)
        )
        with pytest.raises(ParseError) as raised:
            enc.parse_messages_from_completion_tokens([*tokens, stray, 3686], role)
        error = raised.value
        assert error.position == len(tokens)
        assert error.state == "ExpectStart"
        assert error.found == enc.decode([stray])
        assert f"Unexpected token {stray} while expecting start token" in error.message
        assert plain(error.parsed) == plain(expected)

    @settings(max_examples=200)
    @given(VALID_IDS, PROMPT_ROLE)
    def test_what_an_error_says(self, enc, tokens, role):
        try:
            enc.parse(tokens, role)
        except ParseError as error:
            assert 0 <= error.position <= len(tokens)
            assert error.state in {"ExpectStart", "Header", "Content"}
            assert (error.found == "") == (error.position == len(tokens))
            # The messages before the fault are those that the tokens before it hold.
            assert plain(error.parsed) == plain(
                enc.parse(tokens[: error.position], role, strict=True).messages[: len(error.parsed)]
                if error.parsed and error.state == "ExpectStart"
                else error.parsed
            )
            if tokens:
                line, caret = error.excerpt.split("\n")
                assert set(caret.strip()) == {"^"}
                assert len(caret) <= len(line) + 1
            assert str(error).startswith(f"{error.message} (token {error.position})")
            if not error.message.startswith(("could not decode", "the header repeats")):
                assert error.expected
            assert all(label == label.strip() for label in error.expected)
            # In the spec's words: no terminal's name stands in an error.
            assert not any(name.isupper() and name.isidentifier() for name in error.expected)


class TestUndecodableHeader:
    def test_a_header_of_broken_utf8(self, enc):
        tokens = [200006, 1428, 316, 53088, 4103, 200008, 3686, 200007]
        with pytest.raises(ParseError, match="could not decode header"):
            enc.parse(tokens)

    def test_role(self, enc):
        with pytest.raises(HarmonyError, match="Unknown role: 'model'"):
            enc.parse([], "model")
        assert enc.parse([200008, 3686], "assistant").messages[0].author.role is Role.ASSISTANT
