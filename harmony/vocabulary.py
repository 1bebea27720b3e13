"""Token ids and bytes: the embedded vocabulary, the lexer's table, the tokenizer.

The lexer is one table from id to bytes: an ordinary token's own bytes, and for a special
token a *marker*: the byte FF, which no UTF-8 text contains, and the token's text. One
ordinary token is the lone byte FF; its marker is FF FE. So the lexer is one join, text can
never forge structure, and markers turn back into what they stand for with two replacements.
"""

from __future__ import annotations

import functools
import hashlib
import os
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony import resources
from harmony.errors import GrammarError, InvalidToken, VocabularyError
from harmony.tokenizer import Tokenizer
from harmony.validation import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import tiktoken

    from harmony.spec import Spec

MARK = b"\xff"
LONE_MARK = b"\xff\xfe"
# A join takes 80 bytes of work space for each piece: at a million tokens fetching that memory
# takes longer than all the rest, so long inputs are joined in parts.
MOST_AT_ONCE = 65_536
PACKED_FILE = "o200k_base.bin"
# Between two tokens in the packed file. Neither byte occurs in UTF-8; that splitting at it
# gives back exactly the tokens is checked when the file is packed.
SEPARATOR = b"\xff\xfe"


class Vocabulary:
    """The tokens of a spec, the lexer's table and the tokenizer, each made when first used.

    Spec: [vocabulary], [[special_tokens]].
    """

    def __init__(self, spec: Spec) -> None:
        self._facts = spec.table("vocabulary")
        # `table`, once it is made: a plain attribute is found faster than a cached property.
        self._table: list[bytes] | None = None
        self._invalid = spec.row("parse_errors", "invalid_token")
        self.special_texts = spec.special_texts
        """Special ids and how they are spelled."""
        self.first_special: int = self._facts["first_special"]
        """All ids from here on are special."""
        self.start_id = spec.token("start").id
        """The id that opens a message."""
        self.size = spec.special_ids.stop
        """One more than the last id."""

    @functools.cached_property
    def tokens(self) -> list[bytes]:
        """The bytes of each ordinary token, by id.

        Raises:
            VocabularyError: the file that the environment names is missing or another one.
        """
        facts = self._facts
        if "tokens" in facts:
            return list(facts["tokens"])
        if "folder" in facts:
            tokens = _read_tokens(facts["folder"], facts["file"], facts.get("sha256"))
        else:
            folder = os.environ.get(facts["environment"]) or None
            tokens = ordinary_tokens(folder, facts["file"], facts["sha256"])
        if len(tokens) != self.first_special:
            raise VocabularyError(
                f"the vocabulary {facts['file']!r} has {len(tokens)} tokens, so its special ones "
                f"begin at {len(tokens)}, not at {self.first_special}"
            )
        return tokens

    @functools.cached_property
    def table(self) -> list[bytes]:
        """The bytes that the lexer makes of each id."""
        table = self.tokens.copy()
        for id in self._marked_ids:
            table[id] = table[id].replace(MARK, LONE_MARK)
        table.extend(self.marker(id) for id in range(self.first_special, self.size))
        self._table = table
        return table

    @property
    def _marked_ids(self) -> list[int]:
        """The ordinary tokens that hold the byte FF: one in `o200k_base`."""
        if "folder" not in self._facts and "tokens" not in self._facts:
            return [self.tokens.index(MARK)]
        return [id for id, token in enumerate(self.tokens) if MARK in token]

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """Text to ordinary ids."""
        facts = self._facts
        return Tokenizer(facts["name"], facts["pattern"], lambda: self.tokens, self.special_texts)

    @property
    def encoder(self) -> tiktoken.Encoding:
        """The vocabulary as a `tiktoken.Encoding`, special tokens included."""
        return self.tokenizer.encoder

    def marker(self, id: int) -> bytes:
        """The bytes that stand for the special token ``id``."""
        return MARK + self.special_texts[id].encode()

    def lex(self, tokens: Sequence[int]) -> bytes:
        """The bytes of ``tokens``, special tokens as markers.

        Raises:
            InvalidToken: an id that the vocabulary does not have.
        """
        try:
            # A list takes negative indices from its end; an array of unsigned refuses them.
            array("I", tokens)
            return self._joined(tokens)
        except (IndexError, OverflowError, TypeError):
            raise self.invalid_token(tokens) from None

    def lex_known(self, tokens: Sequence[int]) -> bytes:
        """As `lex`, for ids that were looked at one by one before."""
        table = self._table
        if table is not None and 1 < len(tokens) <= MOST_AT_ONCE:
            return b"".join(itemgetter(*tokens)(table))
        return self._joined(tokens)

    def _joined(self, tokens: Sequence[int]) -> bytes:
        table, count = self.table, len(tokens)
        if count > MOST_AT_ONCE:
            starts = range(0, count, MOST_AT_ONCE)
            return b"".join([self._joined(tokens[i : i + MOST_AT_ONCE]) for i in starts])
        if count > 1:
            return b"".join(itemgetter(*tokens)(table))
        # An itemgetter of one id gives no tuple, and there is none of no id.
        return table[tokens[0]] if tokens else b""

    def index_at(self, tokens: Sequence[int], offset: int) -> int:
        """The index of the token that holds the byte ``offset`` of the lexed tokens."""
        table = self.table
        return bisect_right(list(accumulate(len(table[token]) for token in tokens)), offset)

    def invalid_token(self, tokens: object, first: int = 0) -> InvalidToken:
        """The error for the first id of ``tokens`` that the vocabulary does not have.

        ``first`` is the position of the first of them in all the input.
        """
        for position, token in enumerate(tokens if isinstance(tokens, Iterable) else (), first):
            if not self.has(token):
                sentence = self._invalid["sentence"].format(token=repr(token))
                remedy = self._invalid["remedy"].format(last_token=self.size - 1)
                return InvalidToken(f"{sentence} (token {position}); {remedy}", position=position)
        return InvalidToken(f"expected a sequence of token ids, got {type_name(tokens)}")

    def has(self, token: Any) -> bool:
        """Whether ``token`` is an id of the vocabulary."""
        try:
            index: int = token.__index__()
        except (AttributeError, TypeError):
            return False
        return 0 <= index < self.size

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        """The bytes of ``tokens``, special tokens as their text. Raises as `lex` does."""
        return literal(self.lex(tokens))

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of ``text``; never a special token's. Lone surrogates become U+FFFD."""
        return self.tokenizer.encode(text)


def ids_of(tokens: Iterable[int]) -> Sequence[int]:
    """``tokens`` as a list or a tuple.

    Raises:
        InvalidToken: it is no iterable, or text; the ids in it are not looked at.
    """
    if isinstance(tokens, (list, tuple)):
        return tokens
    if isinstance(tokens, (str, bytes, bytearray)) or not isinstance(tokens, Iterable):
        raise InvalidToken(f"expected a sequence of token ids, got {type_name(tokens)}")
    return list(tokens)


def literal(data: bytes) -> bytes:
    """Lexed bytes with every marker turned into what it stands for."""
    if MARK not in data:
        return data
    return MARK.join(part.replace(MARK, b"") for part in data.split(LONE_MARK))


def text_of(data: bytes) -> str:
    """Lexed bytes as text; bytes that are not UTF-8 become U+FFFD. Spec: [content]."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return literal(data).decode("utf-8", "replace")


@functools.lru_cache(maxsize=4)
def ordinary_tokens(folder: str | None, file: str, sha256: str) -> list[bytes]:
    """The bytes of each ordinary token, by id: from ``folder``, or embedded if it is None.

    Raises:
        VocabularyError: the file is missing, damaged, or not the one with that SHA-256.
    """
    if folder is None:
        return _unpacked()
    return _read_tokens(folder, file, sha256)


def _read_tokens(folder: str, file: str, sha256: str | None) -> list[bytes]:
    path = Path(folder) / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VocabularyError(
            f"cannot read the vocabulary {os.fspath(path)!r}: {error.strerror}. Unset the "
            "environment variable to use the embedded one, or put the file there with "
            "`harmony vocab --export`"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise VocabularyError(
            f"the vocabulary {os.fspath(path)!r} is not {file}: its SHA-256 is {found}, "
            f"expected {sha256}. `harmony vocab --export` writes the right file"
        )
    try:
        return ranks_read(content)
    except (ValueError, IndexError) as error:
        raise VocabularyError(
            f"the vocabulary {os.fspath(path)!r} is not in tiktoken's form, a line each of "
            f"base64, a space and the rank, in the order of the ranks: {error}"
        ) from error


def _unpacked() -> list[bytes]:
    packed = resources.path("data", PACKED_FILE)
    try:
        return zlib.decompress(packed.read_bytes()).split(SEPARATOR)
    except (OSError, zlib.error) as error:
        raise VocabularyError(
            f"the embedded vocabulary is damaged ({error}); install the package again"
        ) from error


def ranks_read(content: bytes) -> list[bytes]:
    """The tokens of a ``.tiktoken`` file: a line each of base64, a space and the rank."""
    import base64

    lines = [line.split() for line in content.splitlines()]
    if any(int(rank) != index for index, (_, rank) in enumerate(lines)):
        raise ValueError("a rank is missing")
    return [base64.b64decode(token) for token, _ in lines]


def vocabulary_of(encoding: tiktoken.Encoding, tokens: Mapping[str, str]) -> dict[str, Any]:
    """The overlay that makes ``encoding`` the vocabulary. `Spec.with_vocabulary` has the rest.

    Raises:
        GrammarError: ``encoding`` has no such special token, or its special tokens do not have
            the highest ids.
    """
    ids = {text: encoding.encode_single_token(text) for text in encoding.special_tokens_set}
    for name, text in tokens.items():
        if text not in ids:
            known = ", ".join(sorted(ids))
            raise GrammarError(
                f"the encoding {encoding.name!r} has no special token {text!r} to be {name!r}; it "
                f"has: {known or 'none'}"
            )
    if not ids:
        raise GrammarError(f"the encoding {encoding.name!r} has no special tokens")
    first = len(encoding.token_byte_values())
    try:
        ordinary = [encoding.decode_single_token_bytes(id) for id in range(first)]
    except KeyError:
        ordinary = []
    if min(ids.values()) < first or not ordinary:
        raise GrammarError(
            f"the encoding {encoding.name!r} has {first} ordinary tokens; they should have the ids "
            f"below {first}, and its special tokens ids from there on"
        )
    vocabulary = {
        "name": encoding.name,
        "tokens": ordinary,
        "pattern": [encoding._pat_str],  # noqa: SLF001 (tiktoken gives it in no other way)
        "first_special": first,
        "last_special": max(ids.values()),
    }
    named = [{"name": name, "text": text, "id": ids[text]} for name, text in tokens.items()]
    # The others keep their texts: a token that Harmony has no use for is text in a content.
    others = [
        {"name": text, "text": text, "id": id, "purpose": "Harmony does not use it."}
        for text, id in ids.items()
        if text not in tokens.values()
    ]
    return {"vocabulary": vocabulary, "special_tokens": named + others}


def ranks_written(tokens: Sequence[bytes]) -> bytes:
    """The ``.tiktoken`` file of ``tokens``; the inverse of `ranks_read`."""
    import base64

    lines = (b"%s %d\n" % (base64.b64encode(token), id) for id, token in enumerate(tokens))
    return b"".join(lines)


def packed(tokens: Sequence[bytes]) -> bytes:
    """The packed form of ``tokens`` that the package embeds."""
    joined = SEPARATOR.join(tokens)
    if joined.split(SEPARATOR) != list(tokens):
        raise VocabularyError("the separator occurs at the edge of a token; choose another one")
    return zlib.compress(joined, 9)


def export(folder: str | os.PathLike[str], spec: Spec) -> Path:
    """Write the vocabulary file into ``folder`` (made if missing), for tools that need it.

    Returns its path.

    Raises:
        VocabularyError: the embedded vocabulary is damaged, or the folder cannot be written.
    """
    facts = spec.table("vocabulary")
    content = ranks_written(_unpacked())
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise VocabularyError("the embedded vocabulary is damaged; install the package again")
    path = Path(folder, facts["file"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise VocabularyError(
            f"cannot write {os.fspath(path)!r}: {error.strerror or error}"
        ) from error
    return path
