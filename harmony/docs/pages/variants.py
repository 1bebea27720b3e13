"""The pages of the dialects, side by side, and of the differences from the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.docs.examples import shown
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.encoding import HarmonyEncoding
from harmony.errors import HarmonyError
from harmony.messages import Role

if TYPE_CHECKING:
    from harmony.docs.book import Book
    from harmony.docs.examples import Example


def dialects(book: Book) -> str:
    """The dialects: what each is, then examples as each writes them."""
    known = book.spec.dialects
    return paragraphs(
        "A dialect says how headers are written; every dialect is read by the same parser. "
        "`load_harmony_encoding(name, dialect=…)` chooses one.",
        table(
            [
                "dialect",
                "compared with",
                "recipient after the channel on",
                "content type",
                "purpose",
            ],
            (
                [
                    code(d.name) + (" (the default)" if d.default else ""),
                    d.peer,
                    [code(c) for c in d.recipient_after_channel] or "no channel",
                    "always marked" if d.constrain_content_type else "as given",
                    d.purpose,
                ]
                for d in known.values()
            ),
        ),
        "## Side by side",
        *(_example(example, book) for example in book.examples("dialects")),
    )


def _example(example: Example, book: Book) -> str:
    written: dict[str, list[str]] = {}
    for dialect in book.spec.dialects.values():
        enc = HarmonyEncoding(book.enc.name, book.enc.grammar, book.enc.vocabulary, dialect)
        written.setdefault(example.text(enc), []).append(dialect.name)
    parts = [
        paragraphs(f"{', '.join(code(name) for name in names)}:", fence(text, "harmony"))
        for text, names in written.items()
    ]
    return paragraphs(
        f"### {example.title}",
        example.prose,
        fence(shown(example.conversation.messages), "json"),
        *parts,
    )


def differences(book: Book) -> str:
    """The deliberate differences, with our reading as it is now."""
    return paragraphs(
        "Where the reference is plainly wrong, this library differs on purpose. Each row is run "
        "against both implementations by the tests.",
        *(_difference(row, book) for row in book.spec.rows("differences")),
    )


def _difference(row: dict[str, Any], book: Book) -> str:
    given = row.get("input")
    return paragraphs(
        f"## {row['name'].replace('-', ' ').capitalize()}",
        fence(given, "harmony") if given else fence(str(row["tokens"])),
        f"Read with role {code(row['role'])}:" if row.get("role") else "",
        f"- openai-harmony 0.0.8: {row['theirs']}\n- here: {code(_ours(row, book))}",
        row["reason"],
    )


def _ours(row: dict[str, Any], book: Book) -> str:
    tokens = book.spelling.tokens(row, book.enc, "input")
    if tokens is None:
        return str(row["ours"])
    role = Role(row["role"]) if row.get("role") else None
    try:
        return shown(book.enc.parse(tokens, role).messages)
    except HarmonyError as error:
        return error.message
