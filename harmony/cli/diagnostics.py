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
    if as_json:
        facts: dict[str, object] = {"line": line} if line is not None else {}
        facts |= {
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "message": diagnostic.message,
            "tokens": diagnostic.to_dict()["tokens"],
            "text": diagnostic.text,
        }
        say(documents.as_json(facts, jsonl=True))
        return
    code = click.style(diagnostic.code, bold=True)
    complain(f"{code} ({diagnostic.place}): {diagnostic.message}", diagnostic.severity, line=line)
