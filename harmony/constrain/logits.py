"""Masks as a logits processor: for transformers, or whatever calls one in its way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from harmony.constrain.bits import put

if TYPE_CHECKING:
    from harmony.constrain.completion import CompletionGrammar
    from harmony.constrain.matcher import Matcher


class GrammarLogitsProcessor:
    """Sets the scores of tokens that a grammar does not allow to minus infinity.

    For `generate(…, logits_processor=[GrammarLogitsProcessor(grammar)])` of transformers;
    arrays of numpy work too. One serves one call of `generate`: the prompt is what is there
    at the first step. Rows may be reordered between steps, as in a beam search. A row that is
    done is left alone.
    """

    def __init__(self, grammar: CompletionGrammar) -> None:
        """``grammar`` is that of the completions that may follow the prompt."""
        self._grammar = grammar
        self._prompt: int | None = None
        self._matchers: dict[tuple[int, ...], Matcher] = {}

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """The scores of the next token, forbidden ones at minus infinity.

        Args:
            input_ids: prompt and completion so far, a row a sequence.
            scores: a row a sequence, a column a token id.

        Raises:
            ForbiddenToken: a row holds a token that the grammar does not allow.
        """
        # The library that made the scores is imported already; none is imported for it.
        library = sys.modules[type(scores).__module__.partition(".")[0]]
        rows = input_ids.tolist()
        if self._prompt is None:
            self._prompt = len(rows[0])
        matchers: dict[tuple[int, ...], Matcher] = {}
        allowed = bytearray()
        columns = scores.shape[-1]
        for row in rows:
            tokens = tuple(row[self._prompt :])
            matcher = self._at(tokens)
            matchers[tokens] = matcher
            flags = memoryview(bytearray(columns)).cast("?")
            if matcher.done:
                allowed += b"\1" * columns
            else:
                put(matcher.mask(), flags, 0)
                allowed += flags.cast("B")
        self._matchers = matchers
        kind = getattr(library, "bool_", None) or library.bool
        flat = library.frombuffer(allowed, dtype=kind).reshape(len(rows), columns)
        if hasattr(scores, "device") and hasattr(flat, "to"):
            flat = flat.to(scores.device)
        return library.where(flat, scores, float("-inf"))

    def _at(self, tokens: tuple[int, ...]) -> Matcher:
        """A matcher that has accepted ``tokens``; what follows the end of one is padding."""
        known = self._matchers.get(tokens[:-1]) if tokens else None
        matcher = known.copy() if known else self._grammar.matcher()
        for token in tokens[-1:] if known else tokens:
            if matcher.done:
                break
            matcher.accept(token)
        return matcher
