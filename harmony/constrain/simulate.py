"""Random completions under a mask: a look at what a grammar allows, without a model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from harmony.constrain.bits import ids_in
from harmony.errors import InvalidMessage

if TYPE_CHECKING:
    import random

    from harmony.encoding import HarmonyEncoding
    from harmony.vocabulary import Vocabulary

MOST_TOKENS = 2000
# How often what ends a text is taken where nearly all of 200,000 tokens may come: so it ends
# within some dozen tokens.
SPECIAL = 0.08
# Past this share of the tokens nothing is begun any more that need not be.
HURRY = 0.25
# With more bits than these set, a token is found sooner by trying ids than by listing them.
MANY = 2000
CLOSING = (b"}", b"]", b'"')


class Masked(Protocol):
    """What is drawn from: a `Matcher`, or another engine's."""

    @property
    def done(self) -> bool:
        """Whether the completion is whole."""

    def mask(self) -> bytes:
        """The ids that may come next: one bit a token id, least significant bit first."""

    def accept(self, token: int) -> None:
        """Take a token."""


def draw(
    matcher: Masked,
    encoding: HarmonyEncoding,
    rng: random.Random,
    *,
    most: int = MOST_TOKENS,
) -> list[int]:
    """The ids of a random completion, each drawn from those that ``matcher`` allows.

    Args:
        matcher: at the start of a completion; it is moved on.
        encoding: the format.
        rng: where the randomness comes from; a seeded one draws the same again.
        most: the most tokens. Long before them the draw takes what ends strings, lists and
            messages wherever that is allowed, so that only a schema without an end gets there.

    Raises:
        InvalidMessage: the completion is not whole after so many tokens, or nothing may
            follow and it is not whole.
    """
    dice = _Dice(encoding, rng)
    tokens: list[int] = []
    while not matcher.done:
        mask = matcher.mask()
        token = dice.token(mask, hurry=len(tokens) > most * HURRY)
        if token is None or len(tokens) >= most:
            reason = "nothing may follow" if token is None else f"there are {most} tokens"
            raise InvalidMessage(f"the completion is not whole, and {reason}")
        matcher.accept(token)
        tokens.append(token)
    return tokens


class _Dice:
    """Draws one token from a mask."""

    def __init__(self, encoding: HarmonyEncoding, rng: random.Random) -> None:
        vocabulary = encoding.vocabulary
        self._table = vocabulary.table
        self._first_special = vocabulary.first_special
        self._rng = rng
        self._closing, self._short = _endings(tuple(encoding.spec.special_texts), vocabulary)

    def token(self, mask: bytes, *, hurry: bool) -> int | None:
        """A token that ``mask`` allows; None if there is none."""
        special = ids_in(mask, self._first_special)
        count = int.from_bytes(mask, "little").bit_count()
        if not count:
            return None
        if special and (len(special) == count or hurry or self._rng.random() < SPECIAL):
            return self._rng.choice(special)
        soon = hurry or (count > MANY and self._rng.random() < SPECIAL)
        if soon and (found := self._ending(mask, hurry=hurry)) is not None:
            return found
        if count > MANY:
            while True:
                token = self._rng.randrange(len(self._table))
                if mask[token >> 3] >> (token & 7) & 1:
                    return token
        return self._rng.choice(ids_in(mask, 0))

    def _ending(self, mask: bytes, *, hurry: bool) -> int | None:
        """A token that ends something, if there is one; in a ``hurry`` else one of one byte."""
        # Of all of them, since `}` ends an object, but goes on in a string.
        for tokens in (self._closing, self._short)[: 1 + hurry]:
            if found := [token for token in tokens if mask[token >> 3] >> (token & 7) & 1]:
                return self._rng.choice(found)
        return None


@functools.lru_cache(maxsize=2)
def _endings(_: tuple[int, ...], vocabulary: Vocabulary) -> tuple[list[int], list[int]]:
    """The tokens that end a value, and all of one byte."""
    ordinary = range(vocabulary.first_special)
    table = vocabulary.table
    closing = [id for id in ordinary if table[id] in CLOSING]
    return closing, [id for id in ordinary if len(table[id]) == 1]
