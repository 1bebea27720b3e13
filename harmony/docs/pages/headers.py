"""The page of the header forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harmony.docs.examples import fields
from harmony.docs.markdown import code, paragraphs, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harmony.docs.book import Book
    from harmony.docs.header_forms import HeaderForm


def page(book: Book) -> str:
    """Every form, those that are written first."""
    role = book.default_role
    whole, after = book.header_forms(None), book.header_forms(role)
    return paragraphs(
        book.prose("header"),
        "These forms are derived from [the grammar](grammar.md): each alternative of each rule "
        "is in one of them. The right columns say what the library reads, and which "
        "[dialects](dialects.md) write the message so.",
        "## Forms that are written",
        _table((form for form in whole if form.written_by), book),
        "## Forms that are only read",
        "A strict parser reads these too. The grammar has a name for what is unusual in some.",
        _table((form for form in whole if not form.written_by), book),
        "## Where the prompt held the role",
        f"A prompt ends with {code(book.spec.token('start').text + role.value)}, and the model "
        "goes on from there. A server may hand on the beginning once more.",
        _table(after, book),
    )


def _table(forms: Iterable[HeaderForm], book: Book) -> str:
    """The forms; a column in which nothing stands is left out."""
    everyone = tuple(book.spec.dialects)
    columns: dict[str, Callable[[HeaderForm], object]] = {
        "header": lambda form: code(form.text),
        "is read as": lambda form: code(_reading(form)),
        "named": lambda form: [alias.replace("_", " ") for alias in form.aliases],
        "written by": lambda form: (
            "every dialect" if form.written_by == everyone else list(form.written_by)
        ),
    }
    rows = list(forms)
    shown = {name: cell for name, cell in columns.items() if any(cell(form) for form in rows)}
    return table(list(shown), ([cell(form) for cell in shown.values()] for form in rows))


def _reading(form: HeaderForm) -> str:
    read = {key: value for key, value in fields(form.message).items() if key != "content"}
    return json.dumps(read, ensure_ascii=False)
