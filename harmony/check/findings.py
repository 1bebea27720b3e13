"""What a rule's code reports, and where that code is registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from harmony.check.subject import Subject
    from harmony.transcript import Fix, TokenRange


@attrs.frozen
class Finding:
    """A rule that is broken, at a place."""

    code: str
    """The rule's code."""
    index: int | None = None
    """Which message."""
    values: Mapping[str, object] = attrs.field(factory=dict)
    """What is filled into the rule's sentence."""
    tokens: TokenRange | None = None
    """Where in the tokens."""
    text: str = ""
    """The text that it is about."""
    json_path: str | None = None
    """The place in the JSON that it is about."""
    fix: Fix | None = None
    """How it is fixed."""


Check: TypeAlias = Callable[["Subject"], Iterator[Finding]]

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""Which codes each function reports."""


def reports(*codes: str) -> Callable[[Check], Check]:
    """A decorator: the function reports these rules. It runs only if one of them is wanted."""

    def register(check: Check) -> Check:
        CHECKS.append((codes, check))
        return check

    return register
