"""The book: all pages and diagrams of the reference, built from one encoding.

A page is a function that takes the `Book` and returns Markdown; it hands its diagrams to
the book as it goes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.docs.examples import Example, examples
from harmony.docs.header_forms import HeaderForm, header_forms
from harmony.docs.markdown import NOTICE, fence, paragraphs
from harmony.docs.spelling import Spelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Role
    from harmony.spec import Spec

DIAGRAMS = "diagrams"
"""The folder of the diagrams, beside the pages."""


@attrs.define
class Book:
    """What pages are written from, and the diagrams that they have brought so far."""

    enc: HarmonyEncoding
    diagrams: dict[str, str] = attrs.field(factory=dict)
    """SVG files by path, from the pages' folder."""

    spelling: Spelling = attrs.field(init=False)
    """How its special tokens are spelled."""

    def __attrs_post_init__(self) -> None:
        self.spelling = Spelling.of(self.enc.spec)

    @property
    def spec(self) -> Spec:
        """The facts."""
        return self.enc.spec

    told: set[str] = attrs.field(factory=set)
    """The tables of the spec whose prose stands on a page."""

    def prose(self, table: str) -> str:
        """The prose of a table of the spec; ``""`` where it has none."""
        self.told.add(table)
        facts: Any = self.spec.data.get(table, {})
        return str(facts.get("prose", "")).strip() if isinstance(facts, dict) else ""

    def diagram(self, name: str, svg: str, text: str) -> str:
        """Keep a diagram; returns what shows it. ``text`` is for who cannot see it."""
        path = f"{DIAGRAMS}/{name}.svg"
        self.diagrams[path] = svg
        return f"![{text}]({path})"

    def examples(self, page: str) -> list[Example]:
        """The examples of the page. Raises `GrammarError`."""
        return examples(self.enc, page, self.spelling)

    def header_forms(self, role: Role | None) -> list[HeaderForm]:
        """The forms of a header; see `harmony.docs.header_forms`."""
        return header_forms(self.enc, role)

    @functools.cached_property
    def default_role(self) -> Role:
        """Who speaks in completions."""
        from harmony.messages import Role

        return Role(self.spec.table("recovery")["default_role"])


Writer: TypeAlias = "Callable[[Book], str]"


@attrs.frozen
class Page:
    """A page of the reference."""

    name: str
    """Its file is ``{name}.md``."""
    title: str
    group: str
    """The part of the contents list that it stands in."""
    summary: str
    """One line, for the contents list."""
    write: Writer = attrs.field(repr=False)
    """What writes all that stands below the title."""

    def text(self, book: Book) -> str:
        """The page."""
        text = book.spelling.page(self.write(book))
        return paragraphs(f"# {self.title}", NOTICE, text) + "\n"


def show(example: Example, book: Book, level: int = 3) -> str:
    """An example with its heading: prose, the messages as JSON, and what they render to."""
    return paragraphs(
        f"{'#' * level} {example.title}",
        example.prose,
        rendered(example, book),
    )


def rendered(example: Example, book: Book) -> str:
    """The messages of an example as JSON, and what they are rendered to."""
    from harmony.docs.examples import shown

    return paragraphs(
        fence(shown(example.conversation.messages), "json"),
        "is rendered as",
        fence(example.text(book.enc), "harmony"),
    )
