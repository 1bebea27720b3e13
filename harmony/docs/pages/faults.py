"""The page of the errors: what a strict parser says, and all kinds of errors."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from harmony import errors
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.docs.states import error_name
from harmony.errors import HarmonyError, ParseError
from harmony.messages import Role

if TYPE_CHECKING:
    from harmony.docs.book import Book


def page(book: Book) -> str:
    """The parse errors, each as it is met, and the tree of errors."""
    spec = book.spec
    return paragraphs(
        "Every error that the library raises on purpose is a `HarmonyError`. A `ParseError` says "
        "where the fault is, what could have stood there, what stood there, and what to do.",
        "## What a strict parser says",
        table(
            ["error", "sentence", "remedy"],
            (
                [code(row["name"]), row["sentence"], row["remedy"]]
                for row in spec.rows("parse_errors")
            ),
        ),
        "## As they are met",
        *_met(book),
        "## Kinds",
        fence(
            inspect.cleandoc(errors.__doc__ or "").partition("::\n\n")[2].partition("\n\nEvery")[0]
        ),
    )


def _met(book: Book) -> list[str]:
    """For each parse error an input of the spec that brings it, and its whole text."""
    rows = [*book.spec.rows("differences"), *book.spec.rows("leniencies")]
    found: dict[str, str] = {}
    for row in rows:
        text = str(row.get("input") or row.get("bad") or "")
        tokens = book.spelling.tokens(row, book.enc, "input", "bad")
        if tokens is None:
            continue
        role = Role(row["role"]) if row.get("role") else None
        try:
            book.enc.parse(tokens, role)
        except HarmonyError as error:
            name = (
                error_name(book.enc, error)
                if isinstance(error, ParseError)
                else type(error).__name__
            )
            if name not in found:
                found[name] = paragraphs(
                    f"### {name.replace('_', ' ')}",
                    fence(text, "harmony") if text else fence(str(tokens)),
                    f"Read with role {code(row['role'])}:" if row.get("role") else "",
                    fence(str(error)),
                )
    order = [row["name"] for row in book.spec.rows("parse_errors")]
    return [
        found[name] for name in sorted(found, key=lambda n: order.index(n) if n in order else 99)
    ]
