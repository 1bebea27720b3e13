"""Text whose special tokens were stripped or spelled out, read back into messages."""

from __future__ import annotations

import itertools
import json
import sys

import pytest
import strategies as own
from hypothesis import given
from hypothesis import strategies as st
from test_recovery import fields, vectors

from harmony import HarmonyEncoding, Message, Role
from harmony.spec import load_spec
from harmony.text_recovery import recover_text

SPEC = load_spec()
ROWS = vectors("recovery_text.jsonl")
CHANNELS = "|".join(SPEC.channel_names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_vector(row: dict):
    whole = recover_text(row["text"], row["role"], tools=row["tools"])
    assert [fields(message) for message in whole.messages] == row["expected"]
    assert sorted({found.code for found in whole.diagnostics}) == row["codes"]


@pytest.mark.parametrize("row", SPEC.rows("text_leniencies"), ids=lambda row: row["code"])
def test_leniency(row: dict):
    whole = recover_text(row["bad"], row["role"])
    assert whole.messages == [Message.from_dict(m) for m in json.loads(row["reading"])]
    found = [found for found in whole.diagnostics if found.code == row["code"]]
    assert found[0].severity == row["severity"]
    assert found[0].message == row["sentence"].replace("{found}", repr(found[0].text))


def test_declared_tools_are_heard_of():
    text = (
        "analysisHm.assistantcommentary to=calc json{}calc to=assistantcommentary2assistantfinal3"
    )
    whole = recover_text(text, tools=["calc"])
    assert [m.author.name for m in whole.messages] == [None, None, "calc", None]
    assert recover_text("commentary to=calc json1", tools="calc").messages[0].recipient == "calc"


# ---- what a model says comes back ----------------------------------------------------------------

SENTENCE = st.sampled_from(
    ["We need it.", "Hi!", "4", '{"a": 1}', "The assistant is final.", "Ja, ça va", "日本語"]
)
TURN = st.lists(
    st.tuples(st.sampled_from(["analysis", "commentary", "final", "call"]), SENTENCE),
    min_size=1,
    max_size=4,
)


def rendered(enc: HarmonyEncoding, turn: list[tuple[str, str]]) -> tuple[str, list[Message]]:
    """A completion with its special tokens spelled, and its messages."""
    messages = []
    for channel, text in turn:
        message = Message.from_role_and_content(Role.ASSISTANT, text).with_channel(channel)
        if channel == "call":
            message.with_channel("commentary").with_recipient("functions.f")
            message.with_content_type("json").content[0].text = '{"a": 1}'
        messages.append(message)
    tokens = [token for message in messages for token in enc.render(message)]
    prompt = len(enc.encode("<|start|>assistant", allowed_special="all"))
    return enc.decode(tokens[prompt:]), messages


@given(TURN, st.booleans())
def test_spelled_out(enc, channel_first, turn, dialect):
    text, messages = rendered(channel_first if dialect else enc, turn)
    whole = recover_text(text)
    for found, message in zip(whole.messages, messages, strict=True):
        expected = message.content_type and message.content_type.removeprefix("<|constrain|>")
        if found.content_type is not None:
            found.content_type = found.content_type.removeprefix("<|constrain|>")
        assert found == message.with_content_type(expected)
    assert {found.code for found in whole.diagnostics} == {"spelled-special"}


@given(TURN, st.booleans())
def test_stripped(enc, channel_first, turn, dialect):
    """Every special token skipped, as a server's detokenizer does it."""
    text, messages = rendered(channel_first if dialect else enc, turn)
    for token in SPEC.special_tokens.values():
        text = text.replace(token.text, "")
    first = text.removeprefix(turn[0][0])
    if len(turn) == 1 and turn[0][0] != "call" and not (first[:1].isupper() or first[:1].isalnum()):
        return  # `analysis{"a": 1}` alone could be anything.
    whole = recover_text(text)
    assert [(m.channel, m.recipient, m.content[0].text) for m in whole.messages] == [
        (m.channel, m.recipient, m.content[0].text) for m in messages
    ]


@given(own.TEXT, st.sampled_from([None, *Role]))
def test_no_text_is_refused(text, role):
    whole = recover_text(text, role)
    kept = "".join(
        [m.content[0].text for m in whole.messages] + [d.text for d in whole.diagnostics]
    )
    for word in text.split():
        if word.isalpha() and word not in SPEC.role_names:
            assert word in kept


@given(st.text(st.characters(codec="ascii", categories=["L", "Zs", "P"])))
def test_prose_stays_whole(text):
    """Without a marker word nothing is cut."""
    if text and "to=" not in text and not any(c in text for c in SPEC.channel_names):
        (message,) = recover_text(text).messages
        assert message.content[0].text == text


@pytest.mark.parametrize(
    "unit",
    ["assistantfinal", "assistantcommentary to=x", "functions.f", "analysis", "<|start|>", "a."],
)
def test_work_is_linear(unit: str):
    """Counted in calls, of Python's functions and C's: time depends on what else is running."""
    calls = []
    for count in (500, 5_000):
        seen = itertools.count()
        sys.setprofile(lambda frame, event, argument, seen=seen: next(seen) and None)
        try:
            recover_text("analysisHm." + unit * count)
        finally:
            sys.setprofile(None)
        calls.append(next(seen))
    assert calls[1] < 12 * calls[0]
