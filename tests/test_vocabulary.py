"""The embedded vocabulary, and the token helpers live against openai-harmony."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from harmony import (
    InvalidMessage,
    InvalidToken,
    InvalidUtf8,
    UnknownName,
    VocabularyError,
)
from harmony import vocabulary as vocabulary_module
from harmony.spec import load_spec
from harmony.vocabulary import (
    Vocabulary,
    export,
    literal,
    ordinary_tokens,
    packed,
    ranks_read,
    ranks_written,
    text_of,
)
from tests.strategies import SPECIAL_TEXTS, TEXT, VALID_IDS

FACTS = load_spec().table("vocabulary")
ROOT = Path(__file__).resolve().parent.parent


class TestEmbedded:
    """Spec [vocabulary]: "The library embeds the ranks, so nothing is ever fetched." """

    def test_the_exported_file_has_the_specs_sha256(self, vocabulary_folder):
        content = (vocabulary_folder / FACTS["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == FACTS["sha256"]
        assert len(content.splitlines()) == FACTS["size"] == FACTS["first_special"]

    def test_written_and_read(self, enc):
        tokens = enc.vocabulary.tokens
        assert ranks_read(ranks_written(tokens[:1000])) == tokens[:1000]
        assert packed(tokens[:100])
        with pytest.raises(VocabularyError, match="the separator occurs at the edge of a token"):
            packed([b"a\xff\xfeb"])

    def test_damaged(self, monkeypatch, tmp_path):
        broken = tmp_path / "broken.bin"
        broken.write_bytes(b"no zlib")
        monkeypatch.setattr(vocabulary_module.resources, "path", lambda *_: broken)
        ordinary_tokens.cache_clear()
        with pytest.raises(VocabularyError) as raised:
            ordinary_tokens(None, FACTS["file"], FACTS["sha256"])
        assert str(raised.value).startswith("the embedded vocabulary is damaged (Error -3")
        assert str(raised.value).endswith("); install the package again")
        ordinary_tokens.cache_clear()

    def test_another_one(self, monkeypatch, tmp_path, spec):
        monkeypatch.setattr(vocabulary_module, "_unpacked", lambda: [b"a", b"b"])
        with pytest.raises(VocabularyError, match="the embedded vocabulary is damaged; install"):
            export(tmp_path, spec)


class TestEnvironment:
    """Spec [vocabulary] `environment`: "The folder named here is read instead of the embedded
    vocabulary." """

    @pytest.fixture
    def vocabulary(self, monkeypatch, spec):
        def make(folder) -> Vocabulary:
            monkeypatch.setenv(FACTS["environment"], str(folder))
            return Vocabulary(spec)

        return make

    def test_a_good_file(self, vocabulary, vocabulary_folder, enc):
        assert vocabulary(vocabulary_folder).tokens == enc.vocabulary.tokens

    def test_a_missing_file(self, vocabulary, tmp_path):
        with pytest.raises(VocabularyError) as raised:
            _ = vocabulary(tmp_path).tokens
        path = tmp_path / FACTS["file"]
        assert str(raised.value) == (
            f"cannot read the vocabulary {str(path)!r}: No such file or directory. Unset the "
            "environment variable to use the embedded one, or put the file there with "
            "`harmony vocab --export`"
        )

    def test_another_file(self, vocabulary, tmp_path):
        path = tmp_path / FACTS["file"]
        path.write_bytes(b"IQ== 0\n")
        found = hashlib.sha256(b"IQ== 0\n").hexdigest()
        with pytest.raises(VocabularyError) as raised:
            _ = vocabulary(tmp_path).table
        assert str(raised.value) == (
            f"the vocabulary {str(path)!r} is not {FACTS['file']}: its SHA-256 is {found}, "
            f"expected {FACTS['sha256']}. `harmony vocab --export` writes the right file"
        )

    def test_a_folder_that_cannot_be_written(self, tmp_path, spec):
        (tmp_path / "file").write_text("")
        with pytest.raises(VocabularyError, match="cannot write"):
            export(tmp_path / "file" / "folder", spec)

    def test_in_a_process_of_its_own(self, tmp_path):
        """The variable is read when the vocabulary is, whatever was imported before."""
        code = "import harmony; harmony.load_harmony_encoding('HarmonyGptOss').encode('hi')"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, FACTS["environment"]: str(tmp_path), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "harmony.errors.VocabularyError: cannot read the vocabulary" in done.stderr


class TestLexer:
    """harmony/vocabulary.py: "the lexer is one join, text can never forge structure"."""

    @given(VALID_IDS)
    def test_markers_turn_back_into_what_they_stand_for(self, enc, tokens):
        vocabulary = enc.vocabulary
        data = vocabulary.lex(tokens)
        assert literal(data) == vocabulary.decode_bytes(tokens)
        assert text_of(data) == enc.decode(tokens)
        at = 0
        for index, token in enumerate(tokens):
            size = len(vocabulary.table[token])
            assert {vocabulary.index_at(tokens, at + i) for i in range(size)} == {index}
            at += size
        assert at == len(data)

    def test_every_marker_is_one_of_its_own(self, enc):
        table = enc.vocabulary.table
        assert len(table) == enc.vocabulary.size == len(set(table))
        first = enc.vocabulary.first_special
        assert [b for b in table[:first] if b"\xff" in b] == [b"\xff\xfe"]
        assert all(marker[:2] == b"\xff<" for marker in table[first:])

    def test_each_token_is_decoded_to_its_bytes(self, enc, oracle):
        for token in [*range(0, 199998, 997), 187, *range(199998, 201089)]:
            assert list(enc.decode_bytes([token])) == list(oracle._inner.decode_bytes([token]))


SETS = st.one_of(
    st.just("all"),
    st.sets(
        st.sampled_from([*SPECIAL_TEXTS, "<|reserved_200001|>", "no token", "to="]), max_size=4
    ),
)


def answer(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except RuntimeError as error:
        return str(error).partition("token")[0]


class TestEncode:
    @given(TEXT, SETS, SETS | st.just(()))
    def test_all_forms(self, enc, oracle, text, allowed, disallowed):
        # An allowed text that is no special token is passed over by both.
        kwargs = {"allowed_special": allowed, "disallowed_special": disallowed}
        assert answer(enc.encode, text, **kwargs) == answer(oracle.encode, text, **kwargs)

    @given(TEXT)
    def test_defaults(self, enc, oracle, text):
        assert answer(enc.encode, text) == answer(oracle.encode, text)
        ids = enc.encode(text, disallowed_special=())
        assert enc.decode(ids) == enc.decode_utf8(ids) == text
        assert enc.vocabulary.encode_ordinary(text) == ids
        assert not any(enc.is_special_token(token) for token in ids)

    @given(st.text(st.sampled_from("a \ud800\udfff\udc80é"), max_size=6))
    def test_lone_surrogates(self, enc, oracle, text):
        assert enc.encode(text) == oracle.encode(text)

    def test_a_disallowed_one(self, enc):
        with pytest.raises(InvalidToken) as raised:
            enc.encode("a <|end|> b <|start|>")
        assert str(raised.value) == (
            "Encountered text corresponding to disallowed special token '<|end|>'. Pass "
            "allowed_special={'<|end|>'} to encode it as one special token, or "
            "disallowed_special=() to encode it as ordinary text"
        )

    def test_no_text(self, enc):
        with pytest.raises(InvalidMessage) as raised:
            enc.encode(3)
        assert str(raised.value) == "encode: expected a str, got int"

    def test_a_large_text(self, enc, oracle):
        text = "word " * 20_000
        assert enc.encode(text) == oracle.encode(text)


class TestDecode:
    def test_invalid_utf8(self, enc):
        with pytest.raises(InvalidUtf8, match=r"^Invalid utf-8: "):
            enc.decode_utf8([9552])
        with pytest.raises(InvalidUtf8, match=r"^Invalid utf-8: "):
            enc.decode([187], errors="strict")

    def test_unknown_handler(self, enc):
        with pytest.raises(UnknownName) as raised:
            enc.decode([187], errors="nonsense")
        assert str(raised.value) == "decode: there is no error handler 'nonsense'"

    def test_an_id_outside(self, enc):
        with pytest.raises(InvalidToken) as raised:
            enc.decode([3686, 99999999])
        assert str(raised.value) == (
            "Invalid token for decoding: 99999999 (token 1); ids are integers from 0 to 201088"
        )


class TestSpecialTokens:
    def test_sets(self, enc, oracle):
        assert enc.special_tokens_set == oracle.special_tokens_set

    def test_stop_tokens(self, enc, oracle):
        assert set(enc.stop_tokens()) == set(oracle.stop_tokens())
        ours = enc.stop_tokens_for_assistant_actions()
        assert set(ours) == set(oracle.stop_tokens_for_assistant_actions())

    def test_is_special(self, enc, oracle):
        for token in [0, 187, 199997, *range(199998, 201089), 201089, 2**31]:
            assert enc.is_special_token(token) == oracle.is_special_token(token)
        assert not enc.is_special_token(-1)
        assert enc.name == oracle.name

    def test_the_tiktoken_encoding(self, enc):
        encoder = enc.vocabulary.encoder
        assert isinstance(encoder, tiktoken.Encoding)
        assert encoder.name == "o200k_harmony"
        assert encoder.n_vocab == 201089

    @pytest.mark.parametrize("value", [None, "x", (), 1.5])
    def test_junk(self, enc, value):
        assert enc.is_special_token(value) is False
