"""What rendering gives beside the ids: to which message and part each of them belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from harmony.transcript import Span, TokenRange


@attrs.frozen
class Rendering:
    """The result of `HarmonyEncoding.render_tokens`. Spec: [format], [terminators]."""

    tokens: list[int]
    """The ids."""
    spans: list[Span]
    """Where each rendered message stands, in order."""
    messages: list[int]
    """For each span the index of its message in the conversation; analysis that was dropped
    has none."""
    taught: list[TokenRange]
    """For each span the tokens that training teaches; empty for what the model did not say."""

    @property
    def message_indices(self) -> list[int | None]:
        """For each token the index of its message in the conversation.

        None for the `<|start|>` and role that open the next turn.
        """
        indices: list[int | None] = [None] * len(self.tokens)
        for span, message in zip(self.spans, self.messages, strict=True):
            start, stop = span.header.start, span.terminator.stop
            indices[start:stop] = [message] * (stop - start)
        return indices

    @property
    def parts(self) -> list[str]:
        """For each token its part: ``"header"``, ``"content"`` or ``"terminator"``."""
        parts = ["header"] * len(self.tokens)
        for span in self.spans:
            for part, (start, stop) in attrs.asdict(span, recurse=False).items():
                parts[start:stop] = [part] * (stop - start)
        return parts

    @property
    def training_mask(self) -> list[int]:
        """For each token 1 if training teaches it, else 0.

        Taught is what the model itself would have sampled: all of an assistant's message but
        the `<|start|>` and the role, which the prompt holds.
        """
        mask = [0] * len(self.tokens)
        for start, stop in self.taught:
            mask[start:stop] = [1] * (stop - start)
        return mask
