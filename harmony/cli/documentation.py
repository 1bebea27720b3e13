"""What is derived from the spec and the grammar: ``grammar``, ``docs build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from harmony.cli.options import encoding, example
from harmony.cli.terminal import complain, write_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from harmony.encoding import HarmonyEncoding

    F = TypeVar("F", bound=Callable[..., None])

OWN_FILE = click.Path(exists=True, dir_okay=False)


def _overlay(function: F) -> F:
    for option in (
        click.option(
            "--grammar",
            "lark",
            type=OWN_FILE,
            metavar="FILE",
            help="A grammar (.lark) that extends the library's.",
        ),
        click.option(
            "--spec",
            type=OWN_FILE,
            metavar="FILE",
            help="Facts (TOML) to lay over the library's own.",
        ),
    ):
        function = option(function)
    return function


def _encoding(spec: str | None, lark: str | None) -> HarmonyEncoding:
    """The encoding with these files laid over it, or with those given to ``harmony`` itself."""
    if spec is None and lark is None:
        return encoding()
    from harmony.loading import HarmonyEncodingName, load_harmony_encoding

    return load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS, spec=spec, grammar=lark)


@click.command(
    "grammar",
    epilog=example(
        "harmony grammar --format ebnf", "harmony grammar --format railroad --rule header"
    ),
)
@click.argument("name", default="message")
@click.option(
    "--format",
    "form",
    type=click.Choice(["lark", "ebnf", "regex", "railroad"]),
    default="ebnf",
    show_default=True,
    help="lark: as Lark reads it, with what the spec binds. ebnf: the rules, in the W3C's "
    "notation. regex: what a message is compiled to, over lexed bytes. railroad: diagrams, as one "
    "HTML page, or with --rule as SVG.",
)
@click.option("--rule", metavar="RULE", help="Only this rule.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write to this file, in place of standard output.",
)
@_overlay
def grammar(
    *, name: str, form: str, rule: str | None, out: str | None, spec: str | None, lark: str | None
) -> None:
    """Print a grammar that the library is derived from.

    NAME is message (the default), sections, typescript or typescript_complete: the grammars
    of messages, of the texts of system and developer messages, and of tools' types.
    """
    from harmony.docs import listings
    from harmony.docs.grammars import grammar_named

    if form == "lark" and rule is not None:
        raise click.UsageError("--rule goes with the formats ebnf, regex and railroad")
    enc = _encoding(spec, lark)
    text = listings.listing(grammar_named(enc.grammar, name), enc, form, rule)
    if out is None:
        write_line(text.removesuffix("\n"))
    else:
        Path(out).write_text(text, encoding="utf-8", newline="\n")


@click.group("docs", epilog=example("harmony docs build --format markdown --out reference"))
def docs() -> None:
    """Documentation, built from the spec and the grammar."""


@docs.command(
    "build",
    epilog=example(
        "harmony docs build --out site", "harmony docs build --spec mine.toml --out site"
    ),
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="harmony-docs",
    show_default=True,
    metavar="DIR",
    help="The folder to write.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["all", "markdown", "html"]),
    default="all",
    show_default=True,
    help="markdown: the reference as pages with diagrams. html: a site of the reference, the "
    "guides and the API. all: the pages in DIR, and the site in DIR/html.",
)
@_overlay
def build(*, out: str, form: str, spec: str | None, lark: str | None) -> None:
    """Write the documentation of the format.

    All examples are rendered and parsed while it is written. What an overlay adds (--spec,
    --grammar) shows. Needs the extra docs: pip install 'harmony-format[docs]'.
    """
    from harmony.docs import build_reference, build_site, write_files

    enc = _encoding(spec, lark)
    if form != "html":
        files = build_reference(enc)
        write_files(files, out)
        write_line(f"{Path(out) / 'index.md'}: {len(files)} files")
    if form != "markdown":
        folder = Path(out) / "html" if form == "all" else Path(out)
        for warning in build_site(enc, folder):
            complain(warning, "warning")
        write_line(str(folder / "index.html"))
