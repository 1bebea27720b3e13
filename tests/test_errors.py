"""Every error has its own sentence, and each can be pickled and copied."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given

from harmony import (
    Author,
    Conversation,
    DeveloperContent,
    Diagnostic,
    HarmonyError,
    InvalidMessage,
    InvalidToken,
    Message,
    ParseError,
    RenderError,
    Role,
    StreamableParser,
    SystemContent,
    TextContent,
    UnknownName,
    errors,
)
from harmony.loading import load_harmony_encoding
from harmony.spec import load_spec
from tests.strategies import PROMPT_ROLE, VALID_IDS
from tests.vector_files import ids_of_text, vectors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, HarmonyError)
]


def parse_error(enc, text: str, role: str | None = None) -> ParseError:
    with pytest.raises(ParseError) as raised:
        enc.parse(ids_of_text(enc, text), role)
    return raised.value


REMEDIES = {row["name"]: row["remedy"] for row in load_spec().rows("parse_errors")}


class TestParseErrors:
    """The exact text of each of the spec's [[parse_errors]]."""

    def test_expected_start(self, enc):
        error = parse_error(enc, "<|start|>user<|message|>hi<|end|>oops")
        assert str(error) == (
            "Unexpected token 188183 while expecting start token 200006 (token 5)\n"
            "  <|start|>user<|message|>hi<|end|>oops\n"
            "                                   ^^^^\n"
            "expected: <|start|>, the end of the input\n"
            "found: 'oops'\n"
            "parsed before it: 1 message(s), in `.parsed`\n"
            f"remedy: {REMEDIES['expected_start']}"
        )

    def test_unexpected_in_header(self, enc):
        error = parse_error(enc, "<|start|>assistant<|channel|>a b c d<|message|>x<|end|>")
        assert str(error) == (
            "unexpected tokens remaining in message header: 'd' (token 6)\n"
            "  <|start|>assistant<|channel|>a b c d<|message|>x<|end|>\n"
            "                                    ^^\n"
            "expected: <|message|>, a space\n"
            "found: 'd'\n"
            f"remedy: {REMEDIES['unexpected_in_header']}"
        )

    def test_missing_author(self, enc):
        error = parse_error(enc, "<|start|><|message|>hi<|end|>")
        assert str(error) == (
            "message header did not contain a role (token 1)\n"
            "  <|start|><|message|>hi<|end|>\n"
            "           ^^^^^^^^^^^\n"
            "expected: a role (system, developer, user, assistant), a space, a tool's name\n"
            "found: '<|message|>'\n"
            f"remedy: {REMEDIES['missing_author']}"
        )

    def test_missing_channel(self, enc):
        error = parse_error(enc, "<|start|>user<|channel|> x<|message|>")
        assert str(error) == (
            "`<|channel|>` is not followed by a channel name (token 3)\n"
            "  <|start|>user<|channel|> x<|message|>\n"
            "                          ^^\n"
            "expected: a word\n"
            "found: ' x'\n"
            f"remedy: {REMEDIES['missing_channel']}"
        )

    def test_incomplete_header(self, enc):
        error = parse_error(enc, "<|start|>assistant<|channel|>")
        assert str(error) == (
            "Unexpected EOS while waiting for message header to complete (token 3)\n"
            "  <|start|>assistant<|channel|>\n"
            "                               ^\n"
            "expected: a word\n"
            "found: the end of the input\n"
            f"remedy: {REMEDIES['incomplete_header']}"
        )

    def test_undecodable_header(self, enc):
        error = parse_error(enc, "<|start|>user:a{4103}<|message|>")
        assert str(error) == (
            "could not decode header: Invalid utf-8 (token 3)\n"
            "  <|start|>user:a\ufffd<|message|>\n"
            "                 ^\n"
            "found: '\ufffd'\n"
            f"remedy: {REMEDIES['undecodable_header']}"
        )

    def test_other_role(self, enc):
        error = parse_error(enc, " user<|message|>", "assistant")
        assert str(error) == (
            "the header repeats a role, but not the one that was given: 'user' (token 0)\n"
            "   user<|message|>\n"
            "  ^^^^^\n"
            "found: 'user'\n"
            f"remedy: {REMEDIES['other_role']}"
        )

    def test_invalid_token(self, enc):
        with pytest.raises(InvalidToken) as raised:
            enc.parse([200006, -1])
        assert str(raised.value) == (
            "Invalid token for decoding: -1 (token 1); ids are integers from 0 to 201088"
        )

    def test_every_row_is_tested(self, spec):
        tested = {name.removeprefix("test_") for name in vars(type(self))}
        assert {row["name"] for row in spec.rows("parse_errors")} <= tested

    def test_a_long_input_is_cut_around_the_fault(self, enc):
        text = "<|start|>user<|message|>" + "word " * 30 + "<|end|>a\nb c d e f g h i j"
        line, caret = parse_error(enc, text).excerpt.split("\n")
        assert line.startswith("  …")
        assert line.endswith("…")
        assert "a\\nb c d" in line.replace("\\n", "\\n")
        assert line[caret.index("^")] == "a"

    def test_nothing_at_all(self, enc):
        error = parse_error(enc, "", "assistant")
        assert error.excerpt == ""
        assert str(error).startswith("Unexpected EOS while waiting")
        assert error.expected == (
            "<|channel|>",
            "<|constrain|>",
            "<|message|>",
            "<|start|>",
            "a recipient (to=…)",
            "a role (system, developer, user, assistant)",
            "a space",
        )


class TestOtherErrors:
    """The exact text of what is refused elsewhere."""

    def test_a_tool_without_a_name(self, enc):
        message = Message.from_role_and_content(Role.TOOL, "1")
        with pytest.raises(RenderError) as raised:
            enc.render(message)
        assert str(raised.value) == (
            "Tools should have a name! A tool's message is headed by the tool's name: "
            'Author.new(Role.TOOL, "functions.get_weather")'
        )

    @pytest.mark.parametrize(
        ("role", "content", "sentence"),
        [
            (Role.USER, SystemContent(), "SystemContent may only appear in system messages, found in a user message"),
            (Role.SYSTEM, DeveloperContent(), "DeveloperContent may only appear in developer messages, found in a system message"),
        ],
    )  # fmt: skip
    def test_content_in_the_wrong_message(self, enc, role, content, sentence):
        with pytest.raises(RenderError) as raised:
            enc.render(Message.from_role_and_content(role, content))
        assert str(raised.value) == sentence

    def test_no_conversation(self, enc):
        with pytest.raises(InvalidMessage) as raised:
            enc.render_conversation([])
        assert str(raised.value) == "expected a Conversation, got list"
        with pytest.raises(InvalidMessage) as raised:
            enc.render("hi")
        assert "expected a Message, got" in str(raised.value)

    def test_an_unknown_role(self, enc, monkeypatch):
        # Other tests of this process have loaded overlays with roles of their own.
        monkeypatch.setattr("harmony.messages._added_roles", {})
        sentence = "Unknown role: 'model'; the roles are: user, assistant, system, developer, tool"
        for call in (
            lambda: Role("model"),
            lambda: Author("model"),
            lambda: enc.parse([], "model"),
            lambda: StreamableParser(enc, "model"),
            lambda: enc.render_conversation_for_completion(Conversation([]), "model"),
        ):
            with pytest.raises(UnknownName) as raised:
                call()
            assert str(raised.value) == sentence
            assert isinstance(raised.value, ValueError)


def example(kind: type[HarmonyError]) -> HarmonyError:
    if kind is ParseError:
        message = Message.from_role_and_content(Role.USER, "hi")
        return ParseError(
            "what", position=3, expected=["a", "b"], found="c", state="Header", parsed=[message],
            excerpt="x\n^", remedy="y",
        )  # fmt: skip
    if kind is errors.InvalidSchema:
        return kind("what", path="/a")
    if kind is errors.UnsupportedSchema:
        return kind("what", keyword="not", path="/a/not")
    if kind is errors.ForbiddenToken:
        return kind("what", token=5, position=3, allowed=["x"])
    if kind is errors.InvalidType:
        return kind("what", offset=3)
    if kind is errors.CheckFailed:
        transcript = load_harmony_encoding("HarmonyGptOss").parse([])
        return kind("what", diagnostics=[Diagnostic("HAR305", "x")], transcript=transcript)
    return kind("what")


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    """harmony/errors.py: "Every error pickles and copies." """

    def test_pickle_and_copy(self, kind):
        error = example(kind)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert_same(pickle.loads(pickle.dumps(error, protocol)), error)
        assert_same(copy.copy(error), error)
        assert_same(copy.deepcopy(error), error)

    def test_it_is_in_the_tree(self, kind):
        assert f"{kind.__name__} (" in errors.__doc__ or f"── {kind.__name__} " in errors.__doc__
        assert issubclass(kind, RuntimeError)


def assert_same(other: HarmonyError, error: HarmonyError) -> None:
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert other.args == error.args
    assert vars(other) == vars(error)


@given(VALID_IDS, PROMPT_ROLE)
def test_real_errors_pickle(enc, tokens, role):
    try:
        enc.parse(tokens, role)
    except HarmonyError as error:
        assert_same(pickle.loads(pickle.dumps(error)), error)


def test_the_vectors_show_every_state(enc):
    """ "ExpectStart", "Header"; a strict parser finds no fault in content but an id."""
    states = {vector["error"].get("state") for vector in vectors("invalid").values()}
    assert states == {"ExpectStart", "Header", None}


def test_text_content_is_checked_when_it_is_rendered(enc):
    content = TextContent("a")
    content.text = 3
    with pytest.raises(InvalidMessage) as raised:
        enc.render(Message.from_role_and_content(Role.USER, content))
    assert str(raised.value) == "TextContent.text: expected a str, got 3"
