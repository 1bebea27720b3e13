"""What a lenient parser bore, as findings. Spec: [[leniencies]], [[text_leniencies]]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from harmony.transcript import Diagnostic, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harmony.check.rules import Rule
    from harmony.check.subject import Tokens
    from harmony.transcript import Span

_RENDER = Fix("render what was read anew")


def deviations(tokens: Tokens, by_leniency: dict[str, Rule]) -> Iterator[Diagnostic]:
    """The parser's diagnostics under the codes of their rules.

    Those that are about no leniency, such as departures from a template, are passed over.
    """
    for diagnostic in tokens.diagnostics:
        rule = by_leniency.get(diagnostic.code)
        if rule is None:
            continue
        yield attrs.evolve(
            diagnostic,
            code=rule.code,
            name=rule.name,
            severity=rule.severity,
            message_index=_message_at(diagnostic, tokens.spans),
            fix=_RENDER if rule.can_fix else None,
        )


def _message_at(diagnostic: Diagnostic, spans: Sequence[Span]) -> int | None:
    """The message that holds the place, or comes next; the last one behind them all."""
    if not spans:
        return None
    start = 0 if diagnostic.tokens is None else diagnostic.tokens.start
    for index, span in enumerate(spans):
        if start < max(span.terminator.stop, span.header.start + 1):
            return index
    return len(spans) - 1
