"""The two tokenizers give the same ids. harmony/tokenizer.py says why."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harmony import load_harmony_encoding
from harmony.tokenizer import LOOK_AHEAD, SHORT, TAIL, Tokenizer, is_plain
from tests.strategies import TEXT

# Every character that some engine calls white space, and what stands beside it in text.
WHITE = "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
EDGES = st.text(
    st.sampled_from(WHITE + "aZé1.,/'{}\"\u0301\u200b\u200d\ufeff中😀٣\ud7ff") | st.just(" "),
    max_size=12,
)


@pytest.fixture(scope="module")
def tokenizer(enc) -> Tokenizer:
    return enc.vocabulary.tokenizer


def longer(text: str) -> str:
    """A text above the length from which on is_plain asks in another way."""
    return text * (SHORT // max(1, len(text)) + 1)


@settings(max_examples=500)
@given((TEXT | EDGES | st.text()).flatmap(lambda text: st.sampled_from([text, longer(text)])))
@example("a b \n\n c")
@example(" ")
@example("end ")
@example(" \n")
@example("x \n/\n y")
def test_the_same_ids(tokenizer, text):
    expected = tokenizer.encoder.encode_ordinary(text)
    assert tokenizer.encode(text) == expected
    if is_plain(text):
        assert tokenizer.encode_plain(text) == expected


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", True),
        ("Hello there.", True),
        ("Two lines,\nand\n\nmore \n", True),
        ("“Quoted”, é, 中文, 😀", True),
        ("two  spaces", False),
        ("an\n indent", False),
        ("a\ttab", False),
        ("a\xa0no-break space", False),
        ("\ud800", False),
    ],
)
def test_plain(text, plain):
    assert is_plain(text) == plain
    assert is_plain(text + "x" * SHORT) == plain


def test_texts_that_are_not_plain_need_the_other(tokenizer):
    text = "if x:\n    return 1"
    assert tokenizer.encode_plain(text) != tokenizer.encode(text)
    assert tokenizer.encode(text) == tokenizer.encoder.encode_ordinary(text)


def test_the_pattern_of_the_spec_ends_as_it_has_to(spec):
    assert spec.table("vocabulary")["pattern"][-3:] == TAIL
    assert LOOK_AHEAD in TAIL


def test_another_pattern_gets_one_tokenizer(spec):
    pattern = [r"\w+", r"\W", LOOK_AHEAD]
    enc = load_harmony_encoding("HarmonyGptOss", spec={"vocabulary": {"pattern": pattern}})
    other = enc.vocabulary.tokenizer
    for text in ("one two", "a b  c"):
        assert other.encode_plain(text) == other.encoder.encode_ordinary(text)
        assert other.encode(text) == other.encoder.encode_ordinary(text)
