"""xgrammar as something to draw from: its CPU build, over our vocabulary."""

from __future__ import annotations

import functools
from importlib.metadata import version

import xgrammar

NAME = f"xgrammar {version('xgrammar')}"
END_OF_SEQUENCE = 199999


@functools.cache
def compiler(enc):
    size = enc.spec.table("vocabulary")["model_size"]
    pieces = [enc.vocabulary.decode_bytes([id]) for id in range(size)]
    info = xgrammar.TokenizerInfo(
        pieces,
        vocab_type=xgrammar.VocabType.RAW,
        vocab_size=size,
        stop_token_ids=[END_OF_SEQUENCE],
    )
    # xgrammar 0.2.8 keeps masks across grammars by a key that passes over the ids of token
    # elements: after another grammar it allows <|call|> where this one has <|return|>.
    return xgrammar.GrammarCompiler(info, max_threads=2, cache_enabled=False)


class Engine:
    """One grammar, at the start of a completion after `reset`."""

    judges_stops = True

    def __init__(self, enc, grammar) -> None:
        self._size = enc.vocabulary.size
        tag = grammar.to_xgrammar(stop="explicit")
        self._matcher = xgrammar.GrammarMatcher(compiler(enc).compile_structural_tag(tag))
        self._bitmask = xgrammar.allocate_token_bitmask(
            1, enc.spec.table("vocabulary")["model_size"]
        )
        self.done = False

    def reset(self) -> None:
        self._matcher.reset()
        self.done = False

    def mask(self) -> bytes:
        self._bitmask.fill_(-1)
        self._matcher.fill_next_token_bitmask(self._bitmask, 0)
        mask = bytearray(self._bitmask[0].numpy().tobytes())
        self._end = mask[END_OF_SEQUENCE >> 3] >> (END_OF_SEQUENCE & 7) & 1
        mask[END_OF_SEQUENCE >> 3] &= ~(1 << (END_OF_SEQUENCE & 7)) & 0xFF
        return bytes(mask).ljust((self._size + 7) // 8, b"\0")

    def accept(self, token: int) -> None:
        if not self._matcher.accept_token(token):
            raise ValueError(f"xgrammar refuses {token}, which its mask allows")
        # The end of sequence may come where the grammar is complete.
        self.mask()
        self.done = bool(self._end)
