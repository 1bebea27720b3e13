"""The page of what a prompt leaves out, and how a conversation is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.docs.examples import shown
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.options import RenderConversationConfig

if TYPE_CHECKING:
    from harmony.docs.book import Book
    from harmony.docs.examples import Example
    from harmony.messages import Message


def page(book: Book) -> str:
    """Policies, on examples; normal form."""
    spec = book.spec
    return paragraphs(
        "## Dropping analysis",
        book.prose("analysis_dropping"),
        table(
            ["policy", "what it does", "example"],
            (
                [
                    code(row["name"]) + (" (the default)" if row.get("default") else ""),
                    row["purpose"],
                    row["example"],
                ]
                for row in spec.rows("analysis_policies")
            ),
        ),
        *(_policies(example, book) for example in book.examples("history")),
        "## Normal form",
        book.prose("normal_form"),
    )


def _policies(example: Example, book: Book) -> str:
    rows = []
    for row in book.spec.rows("analysis_policies"):
        config = RenderConversationConfig(analysis_policy=row["name"])
        kept = book.enc.parse_conversation(example.tokens(book.enc, config)).messages
        rows.append([code(row["name"]), len(kept), " → ".join(_name(m) for m in kept)])
    return paragraphs(
        f"### {example.title}",
        example.prose,
        fence(shown(example.conversation.messages), "json"),
        table(["policy", "messages", "what is rendered"], rows),
    )


def _name(message: Message) -> str:
    return message.channel or message.author.role.value
