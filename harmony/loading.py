"""Encodings by name."""

from __future__ import annotations

import functools
from enum import Enum
from typing import TYPE_CHECKING, Any

from harmony.encoding import HarmonyEncoding
from harmony.errors import UnknownName
from harmony.grammar import load_grammar
from harmony.spec import load_spec
from harmony.text_cache import DEFAULT_BYTES
from harmony.vocabulary import Vocabulary

if TYPE_CHECKING:
    import os

    from harmony.grammar import Grammar
    from harmony.spec import Overlay


class HarmonyEncodingName(str, Enum):  # noqa: UP042 (as in openai_harmony)
    """The encodings. Spec: [[encodings]], which a test compares with these members."""

    HARMONY_GPT_OSS = "HarmonyGptOss"

    def __str__(self) -> str:
        return str(self.value)


def load_harmony_encoding(
    name: str | HarmonyEncodingName,
    *,
    dialect: str | None = None,
    spec: Overlay = None,
    grammar: str | os.PathLike[str] | None = None,
    schema_style: str | None = None,
    cache_bytes: int = DEFAULT_BYTES,
) -> HarmonyEncoding:
    """The encoding ``name``: ``"HarmonyGptOss"``.

    Args:
        name: its name. Spec: [[encodings]].
        dialect: how headers are written: ``"reference"`` (the default) or
            ``"channel-first"``. Spec: [[dialects]].
        spec: facts to lay over the library's own: a mapping, the path of a TOML file, or a
            `Spec` that was changed by its methods.
        grammar: what to lay over the library's grammar with `%extend` and `%override`, or a
            grammar of messages that stands alone: its text, or the path of a `.lark` file.
        schema_style: how tools' parameters are written: ``"reference"`` (the default) or
            ``"complete"``.
        cache_bytes: the most bytes that the ids of texts already rendered may take; 0 turns
            that cache off.

    With neither ``spec`` nor ``grammar``, the same arguments give the same object.

    Raises:
        UnknownName: there is no such encoding or dialect.
        GrammarError: the spec or the grammar does not hold together. Its text names the
            file, the line and the reason.
        VocabularyError: the vocabulary that the spec names is missing or another one.
    """
    name = str(name)
    if spec is None and grammar is None:
        return _own_encoding(name, dialect, schema_style, cache_bytes)
    from harmony.verification import verified

    loaded = load_spec(spec)

    def make() -> HarmonyEncoding:
        own = load_grammar(loaded, grammar)
        return _encoding(name, dialect, schema_style, cache_bytes, own, Vocabulary(loaded))

    return verified(loaded, make)


def rebuilt(arguments: dict[str, Any]) -> HarmonyEncoding:
    """The encoding that was pickled or copied with these arguments of `load_harmony_encoding`."""
    return load_harmony_encoding(**arguments)


@functools.lru_cache(maxsize=16)
def _own_encoding(
    name: str, dialect: str | None, schema_style: str | None, cache_bytes: int
) -> HarmonyEncoding:
    grammar, vocabulary = _own_parts()
    return _encoding(name, dialect, schema_style, cache_bytes, grammar, vocabulary)


@functools.cache
def _own_parts() -> tuple[Grammar, Vocabulary]:
    spec = load_spec()
    return load_grammar(spec), Vocabulary(spec)


def _encoding(
    name: str,
    dialect: str | None,
    schema_style: str | None,
    cache_bytes: int,
    grammar: Grammar,
    vocabulary: Vocabulary,
) -> HarmonyEncoding:
    spec = grammar.spec
    known = [row["name"] for row in spec.rows("encodings")]
    if name not in known:
        raise UnknownName(
            f"Invalid HarmonyEncodingName: {name}; the encodings are: {', '.join(known)}"
        )
    return HarmonyEncoding(
        name,
        grammar,
        vocabulary,
        spec.dialect(dialect),
        cache_bytes=cache_bytes,
        schema_style=schema_style,
    )
