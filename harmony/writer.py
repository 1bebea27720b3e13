"""The grammar walked backwards: the fields of a message to the tokens of its header.

The rule `message` of the grammar says what a header looks like; here it is derived from the
fields instead of being recognised. Of the ways to hold the fields at hand the first of the
grammar is taken; the dialect says whether the recipient stands before or after the channel.
What comes out is a template, made once for each set of fields that are present.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeAlias

import attrs

from harmony.errors import GrammarError
from harmony.syntax import Choice, Node, Repeat, Rule, Sequence, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.grammar import Grammar
    from harmony.spec import Dialect


@attrs.frozen
class Literal:
    """Fixed text of a header, such as ` to=`."""

    text: str


@attrs.frozen
class Special:
    """A special token."""

    id: int


@attrs.frozen
class Slot:
    """The place of a field's text."""

    field: str


Piece: TypeAlias = Literal | Special | Slot

# The rule of the grammar that a field is written by. (A bare recipient, say, is only read.)
WRITTEN_BY = {
    "role": ("role",),
    "tool_name": ("tool_name",),
    "name": ("name",),
    "recipient": ("recipient",),
    "channel": ("channel",),
    "constrained_content_type": ("constrained_content_type",),
    "content_type": ("known_content_type", "content_type"),
}


class Writer:
    """Derives header templates from a grammar. Spec: [header], [[dialects]], [written]."""

    def __init__(self, grammar: Grammar, dialect: Dialect) -> None:
        self._syntax = grammar.syntax
        self._written = grammar.spec.table("written")
        self._fields = grammar.spec.field_of_rule
        self._dialect = dialect
        self._written_by = {**WRITTEN_BY, **grammar.spec.extra_fields}
        self._special = {
            token.terminal: token.id
            for token in grammar.spec.special_tokens.values()
            if token.terminal
        }
        self._templates: dict[tuple[frozenset[str], str], tuple[Piece, ...]] = {}

    def template(self, present: frozenset[str], channel: str | None) -> tuple[Piece, ...]:
        """The header, `<|start|>` to `<|message|>`, that holds just the fields ``present``.

        ``present`` has keys of `WRITTEN_BY`, and names of fields that the spec adds;
        ``channel`` is the channel's name, on which the order may depend.

        Raises:
            GrammarError: the grammar has no such header.
        """
        after = channel is not None and channel in self._dialect.recipient_after_channel
        order = "channel_first" if after else "recipient_first"
        template = self._templates.get((present, order))
        if template is None:
            template = self._derived(present, order)
            self._templates[present, order] = template
        return template

    def introducers(self, field: str) -> list[bytes]:
        """What the grammar writes right before ``field``, of those that the spec adds.

        It is lexed and without white space: ``b"mime="``, or a special token's marker. Empty if
        nothing tells the field from others.
        """
        message = self._syntax.rule("message")
        found: set[bytes] = set()
        for node in self._syntax.walk(message):
            parts = node.parts if isinstance(node, Sequence) else ()
            for before, part in itertools.pairwise(parts):
                if isinstance(part, Rule) and part.name in self._written_by[field]:
                    found.add(self._introducing(before))
        return sorted(found - {b""})

    def _introducing(self, node: Node) -> bytes:
        if not isinstance(node, Terminal):
            return b""
        if node.name in self._special:
            return self._syntax.literals[node.name].encode("latin-1")
        piece = self._fixed(node.name)
        assert isinstance(piece, Literal)
        return piece.text.strip().encode()

    def _derived(self, present: frozenset[str], order: str) -> tuple[Piece, ...]:
        message = self._syntax.rule("message")
        parts = message.parts if isinstance(message, Sequence) else (message,)
        header = Sequence(parts[: parts.index(Rule("content"))])
        for pieces, used in self._derivations(header, present, order):
            if used == present:
                return pieces
        raise GrammarError(f"the grammar has no header with {', '.join(sorted(present))}")

    def _derivations(
        self, node: Node, present: frozenset[str], order: str
    ) -> Iterator[tuple[tuple[Piece, ...], frozenset[str]]]:
        """Each way to write ``node`` with fields of ``present``, and the fields that it took."""
        match node:
            case Terminal(name):
                yield (self._fixed(name),), frozenset()
            case Rule(name):
                yield from self._rule(name, present, order)
            case Sequence(()):
                yield (), frozenset()
            case Sequence((first, *rest)):
                for pieces, used in self._derivations(first, present, order):
                    left = present - used
                    for more, used_more in self._derivations(Sequence(tuple(rest)), left, order):
                        yield pieces + more, used | used_more
            case Choice(alternatives, aliases):
                # The dialect's order first; sorting is stable, so else the grammar's.
                for index in sorted(range(len(aliases)), key=lambda i: aliases[i] != order):
                    yield from self._derivations(alternatives[index], present, order)
            case Repeat(part, _, _):
                for pieces, used in self._derivations(part, present, order):
                    # What may be missing is written only for a field that it holds.
                    if used:
                        yield pieces, used
                yield (), frozenset()

    def _rule(
        self, name: str, present: frozenset[str], order: str
    ) -> Iterator[tuple[tuple[Piece, ...], frozenset[str]]]:
        fields = [field for field, rules in self._written_by.items() if name in rules]
        if not fields and name in self._fields:
            return  # A form that is read, but never written.
        if not fields:
            yield from self._derivations(self._syntax.rule(name), present, order)
        elif fields[0] in present:
            body = self._syntax.rule(name)
            parts = body.parts if isinstance(body, Sequence) else (body,)
            pieces = tuple(self._in_field(part, fields[0]) for part in parts)
            yield pieces, frozenset(fields)

    def _in_field(self, node: Node, field: str) -> Piece:
        if isinstance(node, Terminal) and node.name in self._special:
            return Special(self._special[node.name])
        return Slot(field)

    def _fixed(self, terminal: str) -> Piece:
        if terminal in self._special:
            return Special(self._special[terminal])
        text = self._written.get(terminal, self._syntax.literals.get(terminal))
        if text is None:
            raise GrammarError(f"[written] of the spec does not say how to write {terminal}")
        return Literal(text)
