"""The page of the leniencies: each with an example and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.docs.examples import shown
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.messages import Role
from harmony.text_recovery import recover_text

if TYPE_CHECKING:
    from harmony.docs.book import Book
    from harmony.transcript import Transcript

CODES = (
    "A transcript's `diagnostics` name what was made good by these codes. Each has an example "
    "of what it is about, the reading that it gets, and what the diagnostics say."
)
TEXT = (
    "`recover_text(text, role)` reads text from which special tokens were stripped, or in which "
    "they are spelled out, by the same rules. It has two leniencies of its own."
)


def page(book: Book) -> str:
    """The leniencies by rule, those of text, and departures from the templates."""
    spec = book.spec
    rows = spec.rows("leniencies")
    parts = [book.prose("recovery"), CODES]
    for rule in sorted({row["rule"] for row in rows}):
        parts.append(f"## Rule {rule}")
        held = [row for row in rows if row["rule"] == rule]
        parts += [_leniency(row, read) for row in held if (read := _tokens_read(row, book))]
    parts += ["## Text without special tokens", TEXT]
    parts += [
        _leniency(
            row,
            recover_text(book.spelling.text(row["bad"]), role=Role(row["role"]), encoding=book.enc),
        )
        for row in spec.rows("text_leniencies")
    ]
    parts += [
        "## Structured content",
        "Why a system or developer message stays text when structured content is asked for.",
        table(
            ["code", "what it says", "example"],
            (
                [code(row["code"]), row["text"], code(row.get("bad", ""))]
                for row in spec.rows("departures")
            ),
        ),
    ]
    return paragraphs(*parts)


def _tokens_read(row: dict[str, Any], book: Book) -> Transcript | None:
    tokens = book.spelling.tokens(row, book.enc, "bad")
    if tokens is None:
        return None
    role = Role(row["role"]) if row.get("role") else None
    return book.enc.parse(tokens, role, strict=False, tools=row.get("tools") or ())


def _leniency(row: dict[str, Any], read: Transcript) -> str:
    given = [f"role {code(row['role'])}"] if row.get("role") else []
    if row.get("tools"):
        given.append("tools " + ", ".join(code(tool) for tool in row["tools"]))
    bad = row.get("bad")
    said = [f"{code(d.code)}: {d.message}" for d in read.diagnostics]
    return paragraphs(
        f"### {code(row['code'])} ({', '.join([row['severity'], *_rule_of(row)])})",
        row["text"],
        fence(bad, "harmony") if bad else fence(str(row["tokens"])),
        f"Read with {' and '.join(given)}:" if given else "",
        fence(shown(read.messages), "json"),
        "\n".join(f"- {sentence}" for sentence in said),
    )


def _rule_of(row: dict[str, Any]) -> list[str]:
    """The check rule that reports the leniency, where there is one."""
    return [str(row["check"])] if "check" in row else []
