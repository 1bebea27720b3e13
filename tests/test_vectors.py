"""Each valid vector drives parse, stream and render; each invalid one its error."""

from __future__ import annotations

import pytest

from harmony import (
    Conversation,
    HarmonyError,
    Message,
    ParseError,
    RenderConversationConfig,
    Role,
    StreamableParser,
)
from tests import vector_files
from tests.vector_files import ids_of_text, is_raw, vectors

VALID = vectors("valid")
INVALID = vectors("invalid")
KEEP_ALL = RenderConversationConfig(auto_drop_analysis=False)


def role_of(vector: dict) -> Role | None:
    return Role(vector["role"]) if "role" in vector else None


def messages_of(vector: dict) -> list[Message]:
    return [Message.from_dict(message) for message in vector["messages"]]


def fed(parser: StreamableParser, tokens: list[int], size: int) -> StreamableParser:
    for at in range(0, len(tokens), size):
        parser.feed(tokens[at : at + size])
    return parser


@pytest.mark.parametrize("name", VALID)
class TestValid:
    def test_parse(self, enc, name):
        vector = VALID[name]
        tokens = ids_of_text(enc, vector["text"])
        expected = messages_of(vector)
        role = role_of(vector)
        assert enc.parse_messages_from_completion_tokens(tokens, role) == expected
        # Once more, now that the headers are known.
        assert enc.parse(tokens, role).messages == expected
        assert len(enc.parse_tree(tokens, role).children) == len(expected)

    def test_stream(self, enc, name):
        vector = VALID[name]
        tokens = ids_of_text(enc, vector["text"])
        expected = messages_of(vector)
        for size in (1, 2, 3, 5, len(tokens) or 1):
            parser = StreamableParser(enc, role_of(vector))
            assert fed(parser, tokens, size).process_eos().messages == expected
        parser = StreamableParser(enc, role_of(vector))
        for token in tokens:
            parser.process(token)
        assert parser.process_eos().messages == expected

    def test_render(self, enc, channel_first, name):
        """`written_by` is complete: no other dialect writes this text."""
        vector = VALID[name]
        role = role_of(vector)
        text = ("" if role is None else f"<|start|>{role.value}") + vector["text"]
        if is_raw(text):
            assert vector["written_by"] == []
            return
        conversation = Conversation(messages_of(vector))
        writers = []
        for encoding in (enc, channel_first):
            written = [
                encoding.decode(encoding.render_conversation(conversation, KEEP_ALL)),
                encoding.decode(encoding.render_conversation_for_training(conversation, KEEP_ALL)),
            ]
            if text in written:
                writers.append(encoding.dialect.name)
        assert writers == vector["written_by"]


@pytest.mark.parametrize("name", INVALID)
class TestInvalid:
    def test_parse(self, enc, name):
        vector = INVALID[name]
        expected = vector["error"]
        with pytest.raises(HarmonyError) as raised:
            enc.parse(ids_of_text(enc, vector["text"]), role_of(vector))
        error = raised.value
        assert error.message == expected["message"]
        assert isinstance(error, ParseError) == ("position" in expected)
        if isinstance(error, ParseError):
            assert len(error.parsed) == expected["parsed"]
            for field in ("position", "expected", "found", "state"):
                value = getattr(error, field)
                assert (list(value) if field == "expected" else value) == expected[field]

    def test_stream(self, enc, name):
        """The same sentence, at the token that is at fault or at the end of its header."""
        vector = INVALID[name]
        expected = vector["error"]
        tokens = ids_of_text(enc, vector["text"])
        for size in (1, 2, len(tokens) or 1):
            parser = StreamableParser(enc, role_of(vector))
            with pytest.raises(HarmonyError) as raised:
                fed(parser, tokens, size).process_eos()
            if "position" not in expected:
                return
            error = raised.value
            assert (error.message, error.position) == (expected["message"], expected["position"])
            assert (error.found, error.state) == (expected["found"], expected["state"])
            assert len(error.parsed) == len(parser.messages) == expected["parsed"]


class TestLoader:
    def test_fails_loudly(self, monkeypatch, tmp_path):
        monkeypatch.setattr(vector_files, "FOLDER", tmp_path)
        with pytest.raises(FileNotFoundError, match="no vectors in"):
            vectors("valid")

    def test_every_parse_error_of_the_spec_has_a_vector(self, spec):
        """But for the invalid token, whose error is of another class."""
        for row in spec.rows("parse_errors"):
            beginning = row["sentence"].split("{")[0]
            assert any(v["error"]["message"].startswith(beginning) for v in INVALID.values())
