"""The forms that a header can take, derived from the grammar, each read by the library.

Every alternative of every rule is in at least one of them, under each rule that leads to it;
white space that may be missing is left out.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import attrs

from harmony.encoding import HarmonyEncoding
from harmony.errors import HarmonyError
from harmony.syntax import Choice, Node, Repeat, Rule, Sequence, Terminal
from harmony.vocabulary import MARK
from harmony.writer import WRITTEN_BY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.messages import Message, Role

MOST = 20000
"""Derivations that are looked at, at most, for a grammar that has very many."""
FALLBACKS = ("word", "text/plain", "1", "a=b")
"""Texts that are tried for a terminal of which the spec says nothing."""


@attrs.frozen
class Derivation:
    """A text that the grammar derives, and the decisions that led to it."""

    pieces: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    decisions: frozenset[tuple[str, ...]] = frozenset()
    rank: int = 0
    """How far from the first alternatives, which are the canonical ones."""

    def __add__(self, other: Derivation) -> Derivation:
        return Derivation(
            self.pieces + other.pieces,
            self.aliases + other.aliases,
            self.decisions | other.decisions,
            self.rank + other.rank,
        )

    @property
    def cost(self) -> tuple[int, int, int]:
        """Without repeated words first, then canonical ones, then short ones."""
        words = [piece for piece in self.pieces if piece.isalnum()]
        return len(words) - len(set(words)), self.rank, len("".join(self.pieces))


@attrs.frozen
class HeaderForm:
    """A header, and what it says."""

    text: str
    """The header, with the special tokens spelled out."""
    aliases: tuple[str, ...]
    """The names that the grammar gives to the alternatives taken."""
    message: Message = attrs.field(repr=False)
    """The message that it opens."""
    written_by: tuple[str, ...]
    """The dialects that write it so."""


def header_forms(enc: HarmonyEncoding, role: Role | None = None) -> list[HeaderForm]:
    """The forms of a header; with ``role``, of one that goes on after `<|start|>` and a role."""
    rule = "header" if role is None else "first_header"
    # A header after `<|start|>` and a role can be a whole header once more, which is shown
    # with few of its forms.
    deriver = _Deriver(enc, depth=2 if role is None else 1)
    best: dict[tuple[str, ...], Derivation] = {}
    derived = deriver.derivations(Rule(rule), ())
    for _, derivation in zip(range(MOST), derived, strict=False):
        for decision in derivation.decisions:
            if decision not in best or derivation.cost < best[decision].cost:
                best[decision] = derivation
    forms = {}
    for derivation in best.values():
        form = _form(enc, "".join(derivation.pieces), derivation.aliases, role)
        if form is not None:
            forms[form.text] = form
    return sorted(forms.values(), key=lambda form: (bool(form.aliases), len(form.text)))


def _form(
    enc: HarmonyEncoding, header: str, aliases: tuple[str, ...], role: Role | None
) -> HeaderForm | None:
    start = enc.spec.token("start").text if role is None else ""
    text = f"{start}{header}{enc.spec.token('message').text}"
    end = enc.spec.token("end").text
    try:
        tokens = enc.encode(f"{text}{end}", allowed_special="all")
        (message,) = enc.parse_messages_from_completion_tokens(tokens, role)
    except (HarmonyError, ValueError):
        return None  # What may follow a terminal is said by look-aheads, which are not derived.
    opening = enc.spec.token("start").text + (role.value if role is not None else "")
    whole = text if role is None else f"{opening}{text}"
    written = []
    for dialect in enc.spec.dialects.values():
        other = HarmonyEncoding(enc.name, enc.grammar, enc.vocabulary, dialect)
        if enc.decode(other.render(message)).startswith(whole):
            written.append(dialect.name)
    return HeaderForm(text, tuple(dict.fromkeys(aliases)), message, tuple(written))


class _Deriver:
    def __init__(self, enc: HarmonyEncoding, depth: int) -> None:
        self._depth = depth
        """By how many rules a decision is known."""
        self._spec = enc.spec
        self._syntax = enc.grammar.syntax
        self._fields = enc.spec.field_of_rule
        self._special = {
            token.terminal: token.text
            for token in enc.spec.special_tokens.values()
            if token.terminal
        }

    def derivations(self, node: Node, path: tuple[str, ...]) -> Iterator[Derivation]:
        """What ``node`` derives, under the rules ``path``."""
        match node:
            case Terminal(name):
                rule = path[-1].partition("/")[0] if path else ""
                yield Derivation((self._sample(name, rule),))
            case Rule(name):
                yield from self.derivations(self._syntax.rule(name), (*path, name))
            case Sequence(()):
                yield Derivation()
            case Sequence((first, *rest)):
                for one in self.derivations(first, path):
                    for more in self.derivations(Sequence(tuple(rest)), path):
                        yield one + more
            case Choice(alternatives, aliases):
                for index, alternative in enumerate(alternatives):
                    alias = (aliases[index],) if aliases[index] else ()
                    inner = (*path[:-1], f"{path[-1]}/{index}")
                    chosen = Derivation((), alias, frozenset({inner[-self._depth :]}), index)
                    for one in self.derivations(alternative, inner):
                        yield chosen + one
            case Repeat(part, least, _):
                if least == 0:
                    yield Derivation()
                if least > 0 or self._holds_field(part):
                    # Taken or not is a decision of its own, named by what is taken.
                    taken = Derivation((), (), frozenset({(*path[-self._depth :], repr(part))}))
                    for one in self.derivations(part, path):
                        yield taken + one

    def _holds_field(self, node: Node) -> bool:
        return any(
            isinstance(below, Rule) and below.name in self._fields
            for below in self._syntax.walk(node)
        )

    def _sample(self, terminal: str, rule: str) -> str:
        if terminal in self._special:
            return self._special[terminal]
        written = self._spec.table("written").get(terminal, self._syntax.literals.get(terminal))
        if written is not None:
            return str(written).removeprefix(MARK.decode("latin-1"))
        pattern = re.compile(self._syntax.terminals[terminal].encode("latin-1"), re.DOTALL)
        written_as = next((name for name, rules in WRITTEN_BY.items() if rule in rules), "")
        samples = self._samples.get(written_as) or self._samples.get(self._fields.get(rule, ""))
        candidates = [*(samples or ()), *FALLBACKS]
        fitting = (text for text in candidates if pattern.fullmatch(text.encode()))
        return next(fitting, "")

    @functools.cached_property
    def _samples(self) -> dict[str, list[str]]:
        """Texts for the fields, by the facts of the spec."""
        spec = self._spec
        functions = spec.table("system_message")["function_namespace"]
        tool = f"{functions}.get_weather"
        own = {
            row["name"]: [str(row["example"])] for row in spec.rows("fields") if "example" in row
        }
        speaker = spec.table("terminators")["call_role"]
        return {
            "role": [speaker],
            "tool_name": [tool],
            "name": ["alice"],
            "recipient": [tool, spec.table("recipients")["tool_results"]],
            "channel": [spec.row("namespaces", functions)["channel"]],
            "content_type": spec.content_types,
            **own,
        }
