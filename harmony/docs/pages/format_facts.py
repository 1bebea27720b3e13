"""The page of the format: what a message is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.docs import anatomy
from harmony.docs.book import Book, show
from harmony.docs.markdown import code, fence, paragraphs, table

if TYPE_CHECKING:
    from harmony.messages import Message


def page(book: Book) -> str:
    """Anatomy, roles, channels, fields, content, examples."""
    spec = book.spec
    facts = spec.table("format")
    return paragraphs(
        facts["summary"],
        fence(facts["message"], "harmony"),
        book.prose("format"),
        _anatomy(book),
        "The syntax of all this is in [the grammar](grammar.md), the special tokens in "
        "[their table](tokens.md), and every form of a header in [headers](headers.md).",
        "## Roles",
        table(
            ["authority", "role", "purpose"],
            (
                [row["authority"], code(row["name"]), row["purpose"]]
                for row in sorted(spec.rows("roles"), key=lambda row: row["authority"])
            ),
        ),
        book.prose("authority"),
        "## Channels",
        table(
            ["channel", "shown to users", "who speaks on it", "purpose"],
            (
                [
                    code(row["name"]),
                    "yes" if row.get("visible") else "no",
                    [code(role) for role in row.get("roles", ())] or "anyone",
                    row.get("purpose", ""),
                ]
                for row in spec.rows("channels")
            ),
        ),
        "## Fields of a message",
        book.prose("header"),
        table(
            ["field", "purpose"],
            ([code(row["name"]), row.get("purpose", "")] for row in spec.rows("fields")),
        ),
        "## Contents",
        book.prose("content"),
        "## Content types",
        "These are known without a recipient before them.",
        table(
            ["content type", "purpose"],
            ([code(row["name"]), row.get("purpose", "")] for row in spec.rows("content_types")),
        ),
        "## Examples",
        *(show(example, book) for example in book.examples("format")),
        "## Encodings",
        table(
            ["name", "purpose"],
            ([code(row["name"]), row["purpose"]] for row in spec.rows("encodings")),
        ),
        "## Limits",
        book.prose("limits"),
        table(
            ["limit", "tokens"],
            (
                [name.replace("_", " "), f"{value:,}"]
                for name, value in spec.table("limits").items()
                if isinstance(value, int)
            ),
        ),
    )


def _anatomy(book: Book) -> str:
    """The example with the most fields, as a drawing."""
    found = [
        message
        for example in book.examples("format")
        for message in example.conversation.messages
        if message.recipient is not None or message.channel is not None
    ]
    if not found:
        return ""
    message = max(found, key=_fields)
    tokens = book.enc.render(message)
    drawn = anatomy.draw(book.enc, tokens)
    return paragraphs(
        "## Anatomy of a message",
        "Special tokens stand between the fields; what follows a mark such as ` to=` is one.",
        book.diagram("message", drawn, "The parts of a message"),
        table(
            ["part", "field"],
            (
                [code(part.text), part.field.replace("_", " ")]
                for part in anatomy.parts(book.enc, tokens)
            ),
        ),
        f"It is {len(tokens)} tokens:",
        fence(", ".join(map(str, tokens))),
    )


def _fields(message: Message) -> int:
    return sum(value is not None for value in message.to_dict().values())
