"""A grammar in one of its forms, as text: what ``harmony grammar`` prints."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from harmony.docs.ebnf import Printer, readable
from harmony.errors import UnknownName
from harmony.matcher import Expression
from harmony.syntax import Rule

if TYPE_CHECKING:
    from harmony.docs.grammars import NamedGrammar
    from harmony.encoding import HarmonyEncoding
    from harmony.spec import Spec

FORMS = ("lark", "ebnf", "regex", "railroad")


def listing(
    grammar: NamedGrammar, enc: HarmonyEncoding, form: str = "ebnf", rule: str | None = None
) -> str:
    """The grammar, or one rule of it.

    Args:
        grammar: one of `harmony.docs.grammars`.
        enc: the encoding that it belongs to.
        form: ``"lark"``, ``"ebnf"``, ``"regex"`` or ``"railroad"``.
        rule: a rule; all for None. The form ``"lark"`` is always of all.

    Raises:
        UnknownName: there is no such form.
        GrammarError: there is no such rule, or it is no regular language.
        MissingExtra: diagrams need the extra ``docs``.
    """
    if rule is not None:
        grammar.syntax.rule(rule)
    if form == "lark":
        return grammar.whole()
    if form == "ebnf":
        printer = Printer.of(grammar.syntax, enc.spec)
        return printer.text() if rule is None else printer.rule(rule) + "\n"
    if form == "regex":
        return _expressions(grammar, enc, rule)
    if form == "railroad":
        return _diagrams(grammar, enc.spec, rule)
    raise UnknownName(f"there is no form {form!r}; there are: {', '.join(FORMS)}")


def _expressions(grammar: NamedGrammar, enc: HarmonyEncoding, rule: str | None) -> str:
    """What a rule is compiled to; for None a whole message, or the terminals of a text."""
    if rule is not None:
        fields = enc.spec.field_of_rule if grammar.source is not None else {}
        return readable(Expression(grammar.syntax, Rule(rule), fields).source) + "\n"
    if grammar.source is not None:
        return readable(enc.matcher.message.source) + "\n"
    # Types hold types: no expression has all of that language.
    terminals = grammar.syntax.terminals.items()
    return "".join(f"{name}: /{readable(pattern)}/\n" for name, pattern in terminals)


def _diagrams(grammar: NamedGrammar, spec: Spec, rule: str | None) -> str:
    """One diagram as SVG, or all in an HTML page."""
    from harmony.docs.railroad_diagrams import Railroad
    from harmony.docs.svg import FONT, page_style, without_style

    railroad = Railroad.of(grammar.syntax, spec)
    if rule is not None:
        return railroad.rule(rule)
    sections = "\n".join(
        f'<h2 id="rule-{name}">{escape(name)}</h2>\n{without_style(railroad.rule(name))}'
        for name in grammar.syntax.rules
    )
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(grammar.title)}</title>\n<style>\n{page_style()}"
        f"body {{ margin: 2rem auto; max-width: 50rem; padding: 0 1rem; color: var(--hd-text); }}\n"
        f"h1 {{ font-family: system-ui, sans-serif; }} h2 {{ font: 600 1.05rem {FONT}; }}\n"
        "svg { max-width: 100%; height: auto; }\n</style>\n"
        f"<h1>{escape(grammar.title)}</h1>\n{sections}\n</html>\n"
    )
