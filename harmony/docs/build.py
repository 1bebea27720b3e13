"""The reference as files: Markdown pages and SVG diagrams, ready to be written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony import resources
from harmony.docs.book import DIAGRAMS, Book
from harmony.docs.markdown import NOTICE, code, paragraphs, table
from harmony.docs.pages import PAGES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from harmony.encoding import HarmonyEncoding

INDEX = "index.md"
FIRST_GUIDES = (
    "rendering.md",
    "streaming.md",
    "recovering.md",
    "check.md",
    "constrain.md",
    "convert.md",
    "extending.md",
    "migrating.md",
)
"""The order of the guides; any others come behind them."""


def guides() -> dict[str, str]:
    """The pages written by hand that the library ships, by file name, in their order."""
    folder = resources.path("docs", INDEX).parent
    pages = sorted(folder.glob("*.md")) if folder.is_dir() else []
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages}
    found = {name: text for name, text in texts.items() if NOTICE not in text}
    order = [*(name for name in FIRST_GUIDES if name in found), *found]
    return {name: found[name] for name in dict.fromkeys(order)}


def build_reference(encoding: HarmonyEncoding) -> dict[str, str]:
    """The pages of the reference and their diagrams, by path.

    All examples are rendered and parsed as the pages are written.

    Args:
        encoding: what is described; an overlay of the spec or the grammar shows.

    Raises:
        MissingExtra: the extra ``docs`` is not installed.
        GrammarError: the spec or the grammar does not hold together, or an example of the
            spec is rendered to what reads as something else.
    """
    book = Book(encoding)
    pages = {f"{page.name}.md": page.text(book) for page in PAGES}
    pages[f"{PAGES[0].name}.md"] += _untold(book)
    return {INDEX: _index(book), **pages, **book.diagrams}


def _untold(book: Book) -> str:
    """The tables of the spec that have prose and that no page is about, an overlay's say."""
    sections = []
    for name, facts in book.spec.data.items():
        if not isinstance(facts, dict) or "prose" not in facts or name in book.told:
            continue
        sections += [f"## {name.replace('_', ' ').capitalize()}", facts["prose"]]
        for key, value in facts.items():
            if isinstance(value, dict):
                sections.append(table([key.replace("_", " "), ""], _code_rows(value)))
        plain = {k.replace("_", " "): v for k, v in facts.items() if not isinstance(v, dict)}
        rows = [[key, code(value)] for key, value in plain.items() if key != "prose"]
        sections.append(table(["fact", "value"], rows) if rows else "")
    text = paragraphs(*sections)
    return f"\n{book.spelling.page(text)}\n" if text else ""


def _code_rows(facts: dict[str, Any]) -> Iterable[list[object]]:
    return ([code(key), code(value)] for key, value in facts.items())


def _index(book: Book) -> str:
    """The first page: what there is."""
    facts = book.spec.table("format")
    written = [
        f"- [{text.partition(chr(10))[0].removeprefix('# ')}]({name})"
        for name, text in guides().items()
    ]
    parts = [f"# {facts['name']}", NOTICE, facts["summary"], "## Guides", "\n".join(written)]
    for group in dict.fromkeys(page.group for page in PAGES):
        parts.append(f"## {group}")
        parts.append(
            "\n".join(
                f"- [{page.title}]({page.name}.md): {page.summary}"
                for page in PAGES
                if page.group == group
            )
        )
    return paragraphs(*parts) + "\n"


def write_files(files: dict[str, str], folder: str | os.PathLike[str]) -> Path:
    """Write files below ``folder``; returns it.

    Pages and diagrams that an earlier build wrote there and this one did not are removed;
    pages written by hand stay.
    """
    root = Path(folder)
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    written = {root / path for path in files}
    for page in root.glob("*.md"):
        if page not in written and NOTICE in page.read_text(encoding="utf-8"):
            page.unlink()
    for diagram in (root / DIAGRAMS).glob("*.svg"):
        if diagram not in written:
            diagram.unlink()
    return root
