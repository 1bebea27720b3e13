"""Masks in this process: which token may come next, by llguidance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from harmony.constrain import bits
from harmony.constrain.tokenizer import end_of_sequence, llguidance, tokenizer_of
from harmony.errors import ForbiddenToken, InvalidMessage, InvalidSchema
from harmony.validation import shortened

if TYPE_CHECKING:
    from harmony.encoding import HarmonyEncoding

SHOWN = 12
"""How many allowed tokens an error names."""


@attrs.define(eq=False, init=False, repr=False)
class Matcher:
    """Follows one completion and says which tokens may come next.

    Made by `CompletionGrammar.matcher`. Not for several threads at once; `copy` it instead.
    """

    tokens: list[int]
    """The ids that were accepted."""
    _encoding: HarmonyEncoding
    _engine: Any
    _end: int
    _stops: dict[int, str]

    def __init__(self, encoding: HarmonyEncoding, engine: Any) -> None:
        self.tokens = []
        self._encoding = encoding
        self._engine = engine
        self._end = end_of_sequence(encoding)
        stops = encoding.spec.stop_set("assistant_actions")
        self._stops = {token.id: token.name for token in stops}

    @classmethod
    def of(cls, encoding: HarmonyEncoding, grammar: str) -> Matcher:
        """A matcher of an exported grammar, at its start.

        Raises:
            MissingExtra: llguidance is not installed.
            InvalidSchema: llguidance refuses the grammar.
        """
        engine = llguidance().LLMatcher(tokenizer_of(encoding), grammar, log_level=0)
        if engine.is_error():
            reason = " ".join(engine.get_error().split("\n")[0].split())
            raise InvalidSchema(f"llguidance refuses the grammar: {reason}")
        return cls(encoding, engine)

    def __repr__(self) -> str:
        return f"Matcher({len(self.tokens)} tokens, done={self.done})"

    # ---- what may come -----------------------------------------------------------------------

    def mask(self) -> bytes:
        """Which tokens may come next: one bit a token id, least significant bit first.

        ``mask[id // 8] >> (id % 8) & 1``. There are as many bits as the vocabulary has
        tokens, rounded up to whole bytes. None is set where nothing may follow.
        """
        size = (self._encoding.vocabulary.size + bits.BYTE - 1) // bits.BYTE
        if self._engine.is_stopped():
            return bytes(size)
        mask: bytes = self._engine.compute_bitmask()
        self._check()
        if self.done:
            # The engine's end of sequence is no token of the format.
            index = self._end // bits.BYTE
            changed = bytearray(mask)
            changed[index] &= ~(1 << self._end % bits.BYTE) & 0xFF
            mask = bytes(changed)
        return mask[:size]

    def fill(self, array: Any, row: int = 0) -> None:
        """Write the mask into row ``row`` of ``array``.

        The array is numpy's, torch's (in main memory) or any buffer, of one dimension or
        two. Integers of any width hold a bit a token, so 32-bit ones are the bitmasks of
        vLLM and xgrammar; booleans hold a token each.

        Raises:
            InvalidMessage: it is no such array, or its rows are too short.
        """
        bits.put(self.mask(), array, row)

    def allowed(self, most: int | None = None) -> list[int]:
        """The ids that may come next, from the lowest; at most ``most`` of them."""
        found = bits.ids_in(self.mask(), 0)
        return found if most is None else found[:most]

    def forced(self) -> list[int]:
        """The ids that have to come next, as far as that is certain; often none."""
        if self._engine.is_stopped():
            return []
        tokens: list[int] = self._engine.compute_ff_tokens()
        self._check()
        return [token for token in tokens if token != self._end]

    # ---- what came ---------------------------------------------------------------------------

    def accept(self, token: int) -> None:
        """Take the token that was sampled.

        Raises:
            ForbiddenToken: the grammar does not allow it; says what it does. The matcher is
                as before.
        """
        if type(token) is not int or not 0 <= token < self._encoding.vocabulary.size:
            token = self._id(token)
        engine = self._engine
        if engine.validate_tokens([token]) != 1 or token == self._end:
            raise self._forbidden(token)
        if not engine.consume_token(token):
            self._check()
        self.tokens.append(token)

    def _id(self, token: object) -> int:
        if self._encoding.vocabulary.has(token):
            return int(token)  # type: ignore[call-overload, no-any-return]
        raise self._forbidden(token)

    def rollback(self, count: int) -> None:
        """Take back the last ``count`` tokens.

        Raises:
            InvalidMessage: fewer were accepted.
        """
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise InvalidMessage(f"rollback: expected a number of tokens, got {shortened(count)}")
        if count > len(self.tokens):
            raise InvalidMessage(
                f"rollback: cannot take back {count} tokens; {len(self.tokens)} were accepted"
            )
        if count:
            self._engine.rollback(count)
            self._check()
            del self.tokens[-count:]

    def copy(self) -> Matcher:
        """Another matcher at the same place, as for the branches of a beam."""
        other = Matcher.__new__(Matcher)
        for name in ("_encoding", "_end", "_stops"):
            setattr(other, name, getattr(self, name))
        other.tokens = list(self.tokens)
        other._engine = self._engine.deep_copy()  # noqa: SLF001 (of our own class)
        return other

    __copy__ = copy

    def __deepcopy__(self, _: object) -> Matcher:
        return self.copy()

    @property
    def done(self) -> bool:
        """Whether the completion is whole: it ends with a stop token that the grammar allows.

        Only with ``parallel_tool_calls`` may tokens follow all the same: another call.
        """
        return bool(self._engine.is_accepting())

    @property
    def stop_reason(self) -> str | None:
        """What ended the completion: ``"return"`` or ``"call"``; None while it is not done."""
        return self._stops.get(self.tokens[-1]) if self.tokens and self.done else None

    # ---- errors ------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._engine.is_error():
            reason = " ".join(self._engine.get_error().split())
            raise InvalidMessage(f"llguidance gave up after {len(self.tokens)} tokens: {reason}")

    def _forbidden(self, token: object) -> ForbiddenToken:
        vocabulary = self._encoding.vocabulary
        known = vocabulary.has(token)
        found = shortened(self._encoding.decode([int(token)])) if known else "no token"  # type: ignore[call-overload]
        ids = self.allowed()
        # Special tokens say most, and there are few.
        ids.sort(key=vocabulary.first_special.__gt__)
        allowed = [self._encoding.decode([id]) for id in ids[:SHOWN]]
        more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
        told = ", ".join(map(repr, allowed)) + more if ids else "nothing: the completion is whole"
        return ForbiddenToken(
            f"the grammar does not allow the token {token!r} ({found}) after "
            f"{len(self.tokens)} tokens; allowed: {told}",
            token=int(token) if known else -1,  # type: ignore[call-overload]
            position=len(self.tokens),
            allowed=allowed,
        )
