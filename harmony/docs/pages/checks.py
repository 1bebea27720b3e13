"""The page of the check rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.docs.findings import findings
from harmony.docs.markdown import code, fence, paragraphs, slug, table

if TYPE_CHECKING:
    from harmony.docs.book import Book

FIXES = {"always": "yes", "sometimes": "in some cases", "never": "no"}


def page(book: Book) -> str:
    """An overview, then each rule with a bad and a good example, by family."""
    spec = book.spec
    rows = spec.rows("rules")
    families = spec.rows("rule_families") or [{"prefix": "", "name": ""}]
    lenient = [r for r in [*spec.rows("leniencies"), *spec.rows("text_leniencies")] if "check" in r]
    parts = [
        "What a well-formed conversation can still get wrong.",
        book.prose("check"),
        table(
            ["rule", "severity", "what it says", "fix"],
            (
                [f"[{_title(row)}](#{slug(_title(row))})", row["severity"], row["text"], _fix(row)]
                for row in rows
            ),
        ),
    ]
    for family in families:
        held = [row for row in rows if row["code"].startswith(family["prefix"])]
        read = [row for row in lenient if row["check"].startswith(family["prefix"])]
        level = 3 if family["name"] else 2
        if family["name"] and (held or read):
            parts += [f"## {family['name'].capitalize()}", family.get("purpose", "")]
        parts += [_rule(row, level, book) for row in held]
        parts.append(_leniencies(read))
    return paragraphs(*parts)


def _leniencies(rows: list[dict[str, Any]]) -> str:
    """The rules that report what a lenient parser makes good."""
    if not rows:
        return ""
    return paragraphs(
        "What each is about, and how it is read: [recovery](recovery.md).",
        table(
            ["rule", "leniency", "severity", "what it says"],
            ([row["check"], code(row["code"]), row["severity"], row["text"]] for row in rows),
        ),
    )


def _title(row: dict[str, Any]) -> str:
    return f"{row['code']} {row['name']}" if "name" in row else str(row["code"])


def _fix(row: dict[str, Any]) -> str:
    return FIXES.get(row.get("fix", "never"), str(row.get("fix")))


def _rule(row: dict[str, Any], level: int, book: Book) -> str:
    return paragraphs(
        f"{'#' * level} {_title(row)}",
        f"{row['text']} ({row['severity']})",
        row.get("prose", ""),
        f"Needs the extra {code(row['extra'])}." if "extra" in row else "",
        "Wrong:",
        _example(row.get("bad")),
        "\n".join(f"- {found}" for found in findings(row.get("bad"), book)),
        "Right:",
        _example(row.get("good")),
    )


def _example(given: Any) -> str:
    """An example: tokens spelled out, or a table with what it is checked with."""
    if not isinstance(given, dict):
        return fence(str(given or ""), "harmony")
    blocks = []
    for key, value in given.items():
        if key == "text":
            blocks.append(fence(str(value), "harmony"))
            continue
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        known_as = key.replace("_", " ")
        if "\n" in shown or len(shown) > len("a short line of what is given"):
            blocks.append(paragraphs(f"{known_as}:", fence(shown, "json")))
        else:
            blocks.append(f"{known_as}: {code(shown)}")
    return paragraphs(*blocks)
