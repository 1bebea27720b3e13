"""The page of the special tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.docs.markdown import code, fence, paragraphs, table

if TYPE_CHECKING:
    from harmony.docs.book import Book


def page(book: Book) -> str:
    """Special tokens, stop sets, the vocabulary."""
    spec = book.spec
    vocabulary = spec.table("vocabulary")
    reserved = str(vocabulary.get("reserved_text", "")).format(id="…")
    pattern = vocabulary.get("pattern", [])
    return paragraphs(
        table(
            ["token", "id", "purpose"],
            ([code(t.text), t.id, t.purpose] for t in spec.special_tokens.values()),
        ),
        f"The ids from {vocabulary['first_special']} to {vocabulary['last_special']} that the "
        f"table does not name are reserved{reserved and f': {code(reserved)}'}.",
        "## Stop sets",
        book.prose("stop"),
        table(
            ["stop set", "tokens", "ids"],
            (
                [
                    code(name),
                    [code(token.text) for token in spec.stop_set(name)],
                    [token.id for token in spec.stop_set(name)],
                ]
                for name, value in spec.table("stop").items()
                if isinstance(value, list)
            ),
        ),
        "## Vocabulary",
        book.prose("vocabulary"),
        table(
            ["fact", "value"],
            [
                [name.replace("_", " "), code(value) if isinstance(value, str) else f"{value:,}"]
                for name, value in vocabulary.items()
                if isinstance(value, (str, int)) and name != "prose"
            ],
        ),
        "Text is split by these alternatives, tried from the left, before it is encoded.",
        fence("\n".join([pattern] if isinstance(pattern, str) else pattern)),
    )
