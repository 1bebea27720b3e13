"""The pages of the grammars: each rule as EBNF and as a railroad diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.docs.ebnf import Printer, readable
from harmony.docs.grammars import grammars
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.docs.railroad_diagrams import Railroad
from harmony.syntax import Rule

if TYPE_CHECKING:
    from harmony.docs.book import Book
    from harmony.docs.grammars import NamedGrammar

LEGEND = (
    "A rule stands in a box with corners, a special token or a fixed text in a round one; a "
    "terminal in capitals is an expression, given at the end. A name behind an alternative is "
    "the one that the parse tree gives it."
)


def messages(book: Book) -> str:
    """The grammar of messages."""
    grammar = grammars(book.enc.grammar)["message"]
    return paragraphs(
        "These are the rules of `grammar/message.lark`, bound to the spec: what the parser, the "
        "fast matcher, the stream parser, the renderer and this page are derived from.",
        LEGEND,
        "The library reads bytes. A special token is the byte FF and its text, and no UTF-8 text "
        "holds FF; so the text `<|end|>` that a user types is never the token.",
        _rules(book, grammar, 2),
        "## Terminals",
        _terminals(book, grammar),
        "## As text",
        "`harmony grammar --format ebnf` prints this, `--format lark` the grammar as Lark reads "
        "it, and `--format regex` what it is compiled to.",
        fence(Printer.of(grammar.syntax, book.spec).rules(), "ebnf"),
        "## In Lark's language",
        fence(grammar.text, "lark"),
    )


def contents(book: Book) -> str:
    """The grammars of system and developer messages and of types."""
    parts = []
    for name, grammar in grammars(book.enc.grammar).items():
        if grammar.source is None:
            parts += [
                f"## {grammar.title}",
                f"The rules of `grammar/{name}.lark`.",
                _rules(book, grammar, 3),
                f"### Terminals of {grammar.title[0].lower()}{grammar.title[1:]}",
                _terminals(book, grammar),
            ]
    return paragraphs(
        "What a renderer writes into [system](system-messages.md) and "
        "[developer messages](developer-messages.md) is read back by these grammars. Their "
        "terminals are made of the templates of the spec.",
        LEGEND,
        *parts,
    )


def _rules(book: Book, grammar: NamedGrammar, level: int) -> str:
    printer = Printer.of(grammar.syntax, book.spec)
    railroad = Railroad(printer)
    # A field of a message is known by its rule.
    fields = book.spec.field_of_rule if grammar.source is not None else {}
    parts = []
    for rule in grammar.syntax.rules:
        users = [
            other
            for other, node in grammar.syntax.rules.items()
            if other != rule and Rule(rule) in _direct(grammar, other)
        ]
        notes = [f"Holds the field {code(fields[rule])}."] if rule in fields else []
        if users:
            notes.append(f"Used in {', '.join(code(user) for user in users)}.")
        parts += [
            f'<a id="rule-{rule}"></a>',
            f"{'#' * level} {code(rule)}",
            " ".join(notes),
            book.diagram(f"{grammar.name}-{rule}", railroad.rule(rule), f"The rule {rule}"),
            fence(printer.rule(rule), "ebnf"),
        ]
    return paragraphs(*parts)


def _direct(grammar: NamedGrammar, rule: str) -> set[Rule]:
    """The rules that stand in ``rule`` itself."""
    from harmony.docs.walking import direct

    return {node for node in direct(grammar.syntax.rule(rule)) if isinstance(node, Rule)}


def _terminals(book: Book, grammar: NamedGrammar) -> str:
    printer = Printer.of(grammar.syntax, book.spec)
    named = book.spec.data.get("terminals", {}) if grammar.source is not None else {}
    rows = [
        [code(name), named.get(name, ""), code(readable(grammar.syntax.terminals[name]))]
        for name in printer.named_terminals()
    ]
    if not named:
        return table(["terminal", "expression"], ([name, pattern] for name, _, pattern in rows))
    return table(["terminal", "what errors call it", "expression"], list(map(list, rows)))
