"""What recovery promises, over well-formed streams, damaged ones and arbitrary ids."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import strategies as own
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harmony import Author, Conversation, HarmonyEncoding, HarmonyError, Message, Role
from harmony.lenient_stream import LenientStreamableParser
from harmony.messages import TextContent
from harmony.spec import load_spec

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = load_spec()
SPECIAL = {name: token.id for name, token in SPEC.special_tokens.items()}
TERMINATORS = {token.id for token in SPEC.stop_set("any")}
# Ordinary tokens that headers are made of, besides plain text.
HEADER_WORDS = [
    *["assistant", "user", "system", "analysis", "final", "commentary", " to", "=", "functions"],
    *[".bash", "json", " code", "bash", "x", " ", "\n", ":", "{", " hello", "."],
]

# ---- well-formed messages --------------------------------------------------------------------

NAME = st.from_regex(r"\A[a-z][a-z0-9_]{0,8}\Z").filter(
    lambda name: name not in {*SPEC.role_names, *SPEC.channel_names, *SPEC.content_types}
)
TOOL = st.sampled_from(["functions.bash", "browser.search", "python"]) | st.builds(
    "{}.{}".format, NAME, NAME
)
CHANNEL = st.sampled_from([None, *SPEC.channel_names, "musing"])
CONTENT_TYPE = st.sampled_from([None, *SPEC.content_types, "<|constrain|>json", "<|constrain|>x"])
PLAIN = st.lists(own.PIECES | st.text(own.CHARACTERS, max_size=4), max_size=5).map("".join)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    role = draw(st.sampled_from(Role))
    author, recipient, channel, content_type = Author(role), None, None, None
    if role is Role.TOOL:
        recipient = draw(st.sampled_from([None, "assistant"]))
        name = draw(TOOL if recipient is None else TOOL | NAME)
        author, channel = Author(role, name), draw(CHANNEL)
    elif role is Role.ASSISTANT:
        recipient, channel = draw(st.none() | TOOL | NAME), draw(CHANNEL)
        content_type = draw(CONTENT_TYPE if recipient is None else CONTENT_TYPE | NAME | TOOL)
    elif role is Role.USER:
        author = Author(role, draw(st.none() | NAME))
    return Message(
        author=author,
        content=[TextContent(draw(PLAIN))],
        channel=channel,
        recipient=recipient,
        content_type=content_type,
    )


CONVERSATION = st.lists(messages(), min_size=1, max_size=5)


def tokens_of(enc: HarmonyEncoding, conversation: list[Message]) -> list[list[int]]:
    """The ids of each message; the format says nothing between two messages."""
    return [enc.render(message) for message in conversation]


def joined(parts: list[list[int]]) -> list[int]:
    return [token for part in parts for token in part]


class TestUndamaged:
    """Undamaged streams read as in strict mode, with no diagnostics."""

    @given(CONVERSATION, st.sampled_from(["reference", "channel-first"]))
    def test_whole(self, enc, channel_first, conversation, dialect):
        encoding = enc if dialect == "reference" else channel_first
        tokens = joined(tokens_of(encoding, conversation))
        self.check(enc, tokens, None, ())

    @given(CONVERSATION)
    def test_with_declared_tools(self, enc, conversation):
        for message in conversation:
            if message.author.role is Role.TOOL:
                message.recipient = "assistant"
            # `to=functions.bash bash` calls the tool once; its name is no content type.
            if message.content_type == "functions.bash":
                message.content_type = None
        tokens = joined(tokens_of(enc, conversation))
        self.check(enc, tokens, None, ["functions.bash", "weather"])

    @given(CONVERSATION, messages().filter(lambda m: m.author.role is Role.ASSISTANT))
    def test_after_a_prompt(self, enc, rest, first):
        prompt = enc.render_conversation_for_completion(Conversation([]), Role.ASSISTANT)
        tokens = joined(tokens_of(enc, [first, *rest]))[len(prompt) :]
        self.check(enc, tokens, Role.ASSISTANT, ())

    @given(CONVERSATION, st.integers(0, 40))
    def test_cut_off_inside_content(self, enc, conversation, size):
        parts = tokens_of(enc, conversation)
        begins = parts[-1].index(SPECIAL["message"]) + 1
        parts[-1] = parts[-1][: min(begins + size, len(parts[-1]) - 1)]
        self.check(enc, joined(parts), None, ())

    @staticmethod
    def check(enc, tokens, role, tools):
        strict = enc.parse(tokens, role)
        lenient = enc.recovery.transcript(tokens, role, tools)
        assert lenient.messages == strict.messages
        assert lenient.spans == strict.spans
        assert lenient.diagnostics == []
        parser = LenientStreamableParser(enc, role, tools=tools)
        for token in tokens:
            parser.process(token)
        parser.process_eos()
        assert parser.messages == strict.messages
        assert parser.diagnostics == []


# ---- damage ------------------------------------------------------------------------------------

IDS = st.one_of(
    st.integers(0, SPECIAL["startoftext"] - 1),
    st.sampled_from(sorted(SPECIAL.values())),
    st.integers(0, 10**7),
)


class TestDamage:
    """Recovery keeps what the damage did not touch, before it and from the next start on."""

    @given(CONVERSATION, st.data())
    @settings(max_examples=200)
    def test_damage(self, enc, conversation, data):
        parts = tokens_of(enc, conversation)
        owner = [number for number, part in enumerate(parts) for _ in part]
        tokens = joined(parts)
        at = data.draw(st.integers(0, len(tokens) - 1))
        first, last = owner[at], owner[at]
        match data.draw(st.sampled_from(["delete", "double", "swap", "insert", "replace", "cut"])):
            case "delete":
                damaged = tokens[:at] + tokens[at + 1 :]
            case "double":
                damaged = tokens[: at + 1] + tokens[at:]
            case "swap":
                other = min(at + 1, len(tokens) - 1)
                last = owner[other]
                pair = tokens[at : other + 1]
                damaged = tokens[:at] + pair[::-1] + tokens[other + 1 :]
            case "insert":
                # Before the first token of a message is behind the one before it.
                first = owner[max(at - 1, 0)]
                damaged = [*tokens[:at], data.draw(IDS), *tokens[at:]]
                last = first if at and owner[at - 1] != owner[at] else owner[at]
            case "replace":
                damaged = [*tokens[:at], data.draw(IDS), *tokens[at + 1 :]]
            case _:
                damaged, last = tokens[:at], len(parts)
        expected = enc.parse(tokens).messages
        whole = enc.recovery.transcript(damaged)
        assert whole.messages[:first] == expected[:first]
        after = expected[last + 1 :]
        assert whole.messages[len(whole.messages) - len(after) :] == after
        check_chunks(enc, damaged, None, whole, data.draw(st.integers(1, 4)))

    @given(CONVERSATION, st.lists(st.tuples(st.integers(0, 10**6), IDS), max_size=6))
    @settings(max_examples=200)
    def test_much_damage(self, enc, conversation, insertions):
        """No number of insertions raises."""
        tokens = joined(tokens_of(enc, conversation))
        for at, token in insertions:
            tokens.insert(at % (len(tokens) + 1), token)
        check_chunks(enc, tokens, None, enc.recovery.transcript(tokens), 2)


# ---- arbitrary ids -------------------------------------------------------------------------------


def check_chunks(enc, tokens, role, whole, size, tools=()):
    """Every way to cut the tokens gives the batch's messages, diagnostics and deltas."""
    parser = LenientStreamableParser(enc, role, tools=tools)
    deltas: list[str] = []
    finished = []
    for at in range(0, len(tokens), size):
        for event in parser.feed(tokens[at : at + size]):
            match type(event).__name__:
                case "ContentDelta":
                    deltas.append(event.text)
                case "MessageFinished":
                    finished.append(event.message)
                    text = event.message.content[0].text
                    assert "".join(deltas) == text
                    deltas.clear()
                case _:
                    assert not deltas
    shown = parser.current_content
    assert finished == parser.messages
    parser.process_eos()
    assert parser.messages == whole.messages
    assert parser.diagnostics == whole.diagnostics
    if len(parser.messages) > len(finished):
        assert parser.messages[len(finished)].content[0].text.startswith(shown.rstrip("\ufffd"))
    assert list(parser.tokens) == list(tokens)
    parser = LenientStreamableParser(enc, role, tools=tools)
    for token in tokens:
        before = parser.current_content
        count = len(parser.messages)
        parser.process(token)
        if parser.current_content and len(parser.messages) == count:
            assert parser.current_content == before + (parser.last_content_delta or "")
    parser.process_eos()
    assert parser.messages == whole.messages
    assert parser.diagnostics == whole.diagnostics


ANY_IDS = st.lists(
    st.one_of(
        st.sampled_from(sorted(SPECIAL.values())),
        st.integers(0, 2000),
        st.sampled_from(HEADER_WORDS),
        st.integers(-(10**6), 10**9),
    ),
    max_size=40,
)
ROLE = st.sampled_from([None, Role.ASSISTANT, Role.USER])
TOOLS = st.sampled_from([(), ("functions.bash",), ("bash", "functions.my tool")])


def to_ids(enc, drawn) -> list[int]:
    return [
        token for item in drawn for token in (enc.encode(item) if isinstance(item, str) else [item])
    ]


class TestAnyIds:
    """Rule 1: never raises, whatever the ids; nothing is dropped in silence."""

    @given(ANY_IDS, ROLE, TOOLS, st.integers(1, 5))
    @settings(max_examples=200)
    def test_never_raises_and_streams_alike(self, enc, drawn, role, tools, size):
        tokens = to_ids(enc, drawn)
        whole = enc.recovery.transcript(tokens, role, tools)
        assert len(whole.spans) == len(whole.messages)
        for span in whole.spans:
            bounds = [*span.header, *span.content, *span.terminator]
            assert bounds == sorted(bounds)
            assert 0 <= bounds[0] <= bounds[-1] <= len(tokens)
        for found in whole.diagnostics:
            assert 0 <= found.tokens.start <= found.tokens.stop <= len(tokens)
        check_chunks(enc, tokens, role, whole, size, tools)

    @given(ANY_IDS, ROLE, TOOLS)
    @settings(max_examples=200)
    def test_nothing_is_lost(self, enc, drawn, role, tools):
        """Letter by letter: what ordinary tokens hold stands somewhere in the result."""
        tokens = to_ids(enc, drawn)
        whole = enc.recovery.transcript(tokens, role, tools)
        kept: Counter[str] = Counter()
        for message in whole.messages:
            author = message.author
            fields = [author.role.value, author.name, message.recipient, message.channel]
            for text in [*fields, message.content_type, message.content[0].text]:
                kept.update(text or "")
        for found in whole.diagnostics:
            kept.update(found.text)
        ordinary = b"".join(
            enc.decode_bytes([token]) for token in tokens if 0 <= token < SPECIAL["startoftext"]
        )
        asked = Counter(c for c in ordinary.decode("utf-8", "ignore") if c.isascii())
        missing = asked - kept
        for mark in "to=: \n\t\r\f":
            del missing[mark]
        assert not missing

    @given(st.lists(st.sampled_from([*sorted(TERMINATORS), "\n", " ", SPECIAL["endoftext"]])))
    def test_after_a_terminator(self, enc, drawn):
        """Rule 4: terminators and white space are skipped, and a header opens again."""
        before = enc.encode("<|start|>user:al<|message|>a<|end|>", allowed_special="all")
        after = enc.encode("<|message|>b<|end|>", allowed_special="all")
        whole = enc.recovery.transcript(before + to_ids(enc, drawn) + after)
        assert [m.content[0].text for m in whole.messages] == ["a", "b"]
        assert whole.messages[0].author == whole.messages[1].author
        codes = {found.code for found in whole.diagnostics}
        assert codes <= {"repeated-terminator", "stray-white-space", "missing-start"}

    @given(own.TEXT, ROLE.filter(bool))
    @example("assistant", Role.ASSISTANT)
    def test_text_alone(self, enc, text, role):
        """Rule 5: text without any structure is a message, its white space kept."""
        whole = enc.recovery.transcript(enc.vocabulary.encode_ordinary(text), role)
        if text and "to=" not in text:
            (message,) = whole.messages
            assert (message.author.role, message.content[0].text) == (role, text)


class TestStrictOrDiagnosed:
    """What strict parsing refuses is read with a diagnostic; what it takes differently too."""

    @given(own.COMPLETION)
    @settings(max_examples=200)
    def test_completion(self, enc, completion):
        role, parts = completion
        tokens = own.tokens_of(enc, parts)
        whole = enc.recovery.transcript(tokens, role)
        try:
            strict = enc.parse(tokens, role)
        except HarmonyError:
            assert whole.diagnostics or not tokens
            return
        assert whole.diagnostics or whole.messages == strict.messages


# ---- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<|start|>",
        "<|start|>assistant",
        "<|end|>",
        "<|message|>",
        "<|channel|>",
        "<|constrain|>",
        "<|channel|>final<|message|>",
        "<|start|>x ",
        "<|end|><|message|>",
        " ",
        "a",
        " json",
        "<|start|>functions.bash<|message|>",
        "<|start|>functions.bash<|message|><|end|>",
        "\ufffd<|end|> ",
    ],
)
@pytest.mark.parametrize("role", [None, Role.ASSISTANT])
@pytest.mark.parametrize("opening", ["", "<|start|>assistant<|channel|>final<|message|>"])
def test_work_is_linear(enc: HarmonyEncoding, text: str, role: Role | None, opening: str):
    """Ten times the tokens make about ten times the calls. (Calls are counted, not timed: the
    machines that run the tests are shared.)"""
    unit = enc.encode(text, allowed_special="all")
    calls = []
    for count in (200, 2_000):
        tokens = enc.encode(opening, allowed_special="all") + unit * count

        def read(tokens: list[int] = tokens) -> None:
            enc.recovery.transcript(tokens, role, ["functions.bash"])
            parser = LenientStreamableParser(enc, role, tools=["functions.bash"])
            for token in tokens:
                parser.process(token)
            parser.process_eos()

        calls.append(calls_of(read))
    assert calls[1] < 13 * calls[0]


def calls_of(work: Callable[[], object]) -> int:
    """How many functions ``work`` calls, in Python and in C."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
