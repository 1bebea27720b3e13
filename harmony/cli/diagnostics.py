"""What a lenient parse noticed, on standard error: for people, or as JSON Lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harmony.cli import documents
from harmony.cli.terminal import complain, say

if TYPE_CHECKING:
    from harmony.transcript import Diagnostic


def report(diagnostic: Diagnostic, *, as_json: bool, line: int | None = None) -> None:
    """Write ``diagnostic`` to standard error.

    Args:
        diagnostic: what was noticed.
        as_json: as a line of JSON: ``code``, ``severity``, ``message``, ``tokens`` (the
            range), ``text``, and ``line`` if it is known.
        line: the line of the input that it is about.
    """
    assert diagnostic.tokens is not None, "a parser's"
    start, stop = diagnostic.tokens
    if as_json:
        facts: dict[str, object] = {"line": line} if line is not None else {}
        facts |= {
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "message": diagnostic.message,
            "tokens": [start, stop],
            "text": diagnostic.text,
        }
        say(documents.as_json(facts, jsonl=True))
        return
    where = f"tokens {start}-{stop - 1}" if stop - start > 1 else f"token {start}"
    code = click.style(diagnostic.code, bold=True)
    complain(f"{code} ({where}): {diagnostic.message}", diagnostic.severity, line=line)
