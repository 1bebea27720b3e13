"""Text to token ids and back: the part of an encoding that knows nothing of messages."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

from harmony.errors import InvalidMessage, InvalidToken, InvalidUtf8, UnknownName
from harmony.validation import type_name
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Sequence
    from collections.abc import Set as AbstractSet

    from harmony.spec import Spec
    from harmony.vocabulary import Vocabulary


class TokenText:
    """Encodes and decodes. Spec: [vocabulary], [[special_tokens]], [stop]."""

    def __init__(self, vocabulary: Vocabulary, spec: Spec) -> None:
        self.vocabulary = vocabulary
        self.spec = spec

    @functools.cached_property
    def special_tokens_set(self) -> set[str]:
        """All special tokens, as text."""
        return set(self.vocabulary.special_texts.values())

    def is_special_token(self, token: int) -> bool:
        """Whether the id is a special token's."""
        return token in self.vocabulary.special_texts

    def stop_tokens(self) -> list[int]:
        """The ids that end a message. Spec: [stop]."""
        return [token.id for token in self.spec.stop_set("any")]

    def stop_tokens_for_assistant_actions(self) -> list[int]:
        """The ids at which a server stops sampling. Spec: [stop]."""
        return [token.id for token in self.spec.stop_set("assistant_actions")]

    def encode(
        self,
        text: str,
        *,
        allowed_special: Literal["all"] | AbstractSet[str] = frozenset(),
        disallowed_special: Literal["all"] | Collection[str] = "all",
    ) -> list[int]:
        """The ids of ``text``.

        Args:
            text: any text.
            allowed_special: the special tokens that the text may spell, or ``"all"``; each
                becomes its one id.
            disallowed_special: those that it must not spell, or ``"all"`` for all others;
                with ``()`` they are ordinary text.

        Raises:
            InvalidToken: the text spells a special token that is not allowed.
        """
        if not isinstance(text, str):
            raise InvalidMessage(f"encode: expected a str, got {type_name(text)}")
        allowed = self.special_tokens_set if allowed_special == "all" else set(allowed_special)
        if disallowed_special == "all":
            disallowed = self.special_tokens_set - allowed
        else:
            disallowed = set(disallowed_special)
        if disallowed and (found := _first_of(frozenset(disallowed), text)) is not None:
            raise InvalidToken(
                f"Encountered text corresponding to disallowed special token {found!r}. "
                f"Pass allowed_special={{{found!r}}} to encode it as one special token, or "
                "disallowed_special=() to encode it as ordinary text"
            )
        known = allowed & self.special_tokens_set
        return self.vocabulary.encoder.encode(text, allowed_special=known, disallowed_special=())

    def decode(self, tokens: Sequence[int], errors: str = "replace") -> str:
        """The text of ``tokens``, special tokens spelled out.

        ``errors`` says what becomes of bytes that are not UTF-8, as in `bytes.decode`.

        Raises:
            InvalidToken: an id that the vocabulary does not have.
            InvalidUtf8: with ``errors="strict"``, bytes that are not UTF-8.
        """
        try:
            return self.decode_bytes(tokens).decode("utf-8", errors=errors)
        except UnicodeDecodeError as error:
            raise InvalidUtf8(f"Invalid utf-8: {error}") from None
        except LookupError:
            raise UnknownName(f"decode: there is no error handler {errors!r}") from None

    def decode_utf8(self, tokens: Sequence[int]) -> str:
        """The text of ``tokens``. Raises `InvalidUtf8` and `InvalidToken`."""
        return self.decode(tokens, errors="strict")

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        """The bytes of ``tokens``, special tokens spelled out. Raises `InvalidToken`."""
        return self.vocabulary.decode_bytes(ids_of(tokens))


def _first_of(texts: frozenset[str], text: str) -> str | None:
    """The one of ``texts`` that ``text`` holds first."""
    found = _any_of(texts).search(text)
    return None if found is None else found.group()


@functools.lru_cache(maxsize=16)
def _any_of(texts: frozenset[str]) -> re.Pattern[str]:
    import re

    return re.compile("|".join(re.escape(text) for text in sorted(texts)))
