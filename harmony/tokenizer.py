r"""Text to ordinary token ids, by tiktoken. Spec: [vocabulary].

tiktoken first splits a text with the vocabulary's pattern and then looks each piece up. The
pattern ends with `\s*[\r\n]+`, `\s+(?!\S)`, `\s+`: of white space before a word, all but the
last character is a piece of its own. That look-ahead costs up to half of the time, since it
keeps the engine from running the pattern as an automaton, and most texts do not need it:
where no white space is followed by a space, what `\s+(?!\S)` could match is one space at the
end of the text, which `\s+` matches too. Such texts are *plain*, and go through a second
tokenizer without that alternative. It gives the same ids; a property test says so.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import tiktoken

LOOK_AHEAD = r"\s+(?!\S)"
# What the pattern has to end with for the reasoning above to hold.
TAIL = [r"\s*[\r\n]+", LOOK_AHEAD, r"\s+"]

# Texts below this length, in characters, are asked whether they are printable first.
SHORT = 256


def is_plain(text: str) -> bool:
    """Whether ``text`` has no white space but spaces and line feeds, and no space follows any.

    Of two ways to find that out the faster is taken: a printable string has no white space but
    the space, which is one call, but a nanosecond or more a character; an ASCII string has five
    other kinds, and each is looked for in no time.
    """
    if len(text) < SHORT and text.isprintable():
        return "  " not in text
    if "  " in text or "\n " in text:
        return False
    if text.isascii():
        return not any(map(text.__contains__, "\t\v\f\r"))
    return text.replace("\n", "").isprintable()


class Tokenizer:
    """Encodes text as ordinary tokens. Each of its encoders is made when first needed.

    Args:
        name: the vocabulary's name.
        pattern: the alternatives of the pattern that splits a text.
        tokens: the bytes of each ordinary token, by id; asked for once.
        special_texts: the special tokens.
    """

    def __init__(
        self,
        name: str,
        pattern: list[str],
        tokens: Callable[[], list[bytes]],
        special_texts: dict[int, str],
    ) -> None:
        self._name = name
        self._pattern = pattern
        self._tokens = tokens
        self._special_texts = special_texts

    @functools.cached_property
    def _ranks(self) -> dict[bytes, int]:
        tokens = self._tokens()
        return dict(zip(tokens, range(len(tokens)), strict=True))

    @functools.cached_property
    def encoder(self) -> tiktoken.Encoding:
        """The vocabulary as tiktoken has it, special tokens included."""
        import tiktoken

        return tiktoken.Encoding(
            self._name,
            pat_str="|".join(self._pattern),
            mergeable_ranks=self._ranks,
            special_tokens={text: id for id, text in self._special_texts.items()},
        )

    @functools.cached_property
    def encode_plain(self) -> Callable[[str], list[int]]:
        """Encodes plain text; raises UnicodeEncodeError for lone surrogates.

        Where the pattern does not end as expected, this is as good as `encode`, not better.
        """
        if self._pattern[-len(TAIL) :] != TAIL:
            return self._function_of(self.encoder)
        import tiktoken

        alternatives = [part for part in self._pattern if part != LOOK_AHEAD]
        plain = tiktoken.Encoding(
            f"{self._name}, plain",
            pat_str="|".join(alternatives),
            mergeable_ranks=self._ranks,
            special_tokens={},
        )
        return self._function_of(plain)

    @staticmethod
    def _function_of(encoder: tiktoken.Encoding) -> Callable[[str], list[int]]:
        # tiktoken's method is a Python function around this one; if the attribute should ever
        # be gone, the method serves.
        core: Any = getattr(encoder, "_core_bpe", encoder)
        function: Callable[[str], list[int]] = core.encode_ordinary
        return function

    def encode(self, text: str) -> list[int]:
        """The ids of ``text``, all of them ordinary; lone surrogates become U+FFFD."""
        if is_plain(text):
            return self.encode_plain(text)  # A surrogate is not printable.
        return self.encoder.encode_ordinary(text)
