"""The header productions of the grammar, specialised to what a message may say.

The rules `message` and `first_message` of grammar/message.lark are walked as the renderer
walks them, with the role, channel and recipient given; every canonical way to write them is
an alternative. Tolerated forms, which carry an alias in the grammar, are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from harmony.constrain import nodes
from harmony.constrain.nodes import Node, Special, Text, sequence, shared
from harmony.errors import GrammarError, InvalidMessage
from harmony.syntax import Choice, Repeat, Rule, Sequence, Terminal
from harmony.syntax import Node as Production
from harmony.writer import WRITTEN_BY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harmony.grammar import Grammar
    from harmony.spec import Dialect

ORDERS = {"channel": "channel_first", "role": "recipient_first"}
"""Behind which part the recipient stands, and the alias that the grammar gives that order."""

ANYBODY = "\ue000"
"""Stands for a recipient that is not known yet: a character for private use."""

Pieces = tuple[Node, ...]


@attrs.frozen
class Forms:
    """Which of the ways to write a header are allowed."""

    recipient_in: tuple[str, ...]
    """Behind which part the recipient may stand: keys of `ORDERS`."""
    plain: bool
    """Whether a content type may stand as it is: ` json`."""
    constrained: bool
    """Whether a content type may be marked: ` <|constrain|>json`."""
    missing: bool
    """Whether a call may lack its content type."""
    first_only: bool = False
    """Only the form that the renderer writes."""


class Headers:
    """Writes headers, from `<|start|>` or from behind the role. Spec: [header], [written]."""

    def __init__(self, grammar: Grammar) -> None:
        self._syntax = grammar.syntax
        self._written = grammar.spec.table("written")
        self._fields = grammar.spec.field_of_rule
        self._known: dict[tuple[object, ...], tuple[Node, Node]] = {}
        self._special = {
            token.terminal: Special(token.id, token.text)
            for token in grammar.spec.special_tokens.values()
            if token.terminal
        }

    def behind_role(
        self, routing: Mapping[str, str], role: str, content_types: tuple[str, ...], forms: Forms
    ) -> tuple[Node, Node]:
        """What opens a header up to the role, and its ways to go on, to `<|message|>`.

        Args:
            routing: the channel, and the recipient if there is one.
            role: who speaks.
            content_types: as in `alternatives`.
            forms: which ways are allowed.

        Raises:
            GrammarError: the grammar has no such header, or one that goes on otherwise where
                the prompt held the role.
            InvalidMessage: a field cannot stand in a header.
        """
        recipient = routing.get("recipient")
        key = (routing["channel"], recipient is None, role, content_types, forms)
        if key not in self._known:
            # Derived once for all recipients: a request may declare a hundred tools.
            general = dict(routing) if recipient is None else {**routing, "recipient": ANYBODY}
            first = self.alternatives("first_message", general, content_types, forms)
            fields = {"role": role, **general}
            later = self.alternatives("message", fields, content_types, forms)
            opening = later[0][: len(later[0]) - len(first[0])]
            if later != [opening + pieces for pieces in first]:
                raise GrammarError(
                    "the rules `message` and `first_message` of the grammar differ behind the role"
                )
            self._known[key] = sequence(*opening), shared(first)
        prefix, header = self._known[key]
        if recipient is None:
            return prefix, header
        for rule in WRITTEN_BY["recipient"]:
            for node in self._syntax.walk(self._syntax.rule(rule)):
                if isinstance(node, Terminal):
                    self._in_field(node, "recipient", recipient)
        return prefix, _addressed(header, recipient)

    def alternatives(
        self, rule: str, fields: Mapping[str, str], content_types: tuple[str, ...], forms: Forms
    ) -> list[Pieces]:
        """Every way that ``forms`` allows to write a header, in the grammar's order.

        Args:
            rule: ``"message"``, or ``"first_message"`` where the prompt held the role.
            fields: the texts of the fields, by the keys of `WRITTEN_BY`, but for the content
                type.
            content_types: the content types that the message may name; with none it has none.
            forms: which ways are allowed.

        Raises:
            GrammarError: the grammar has no such header.
            InvalidMessage: a field cannot stand in a header, such as a tool's name with a
                space in it.
        """
        described: list[dict[str, str]] = []
        for word in content_types:
            if forms.constrained:
                described.append({"constrained_content_type": word})
            if forms.plain:
                described.append({"content_type": word})
        if forms.missing or not content_types:
            described.append({})
        header = self._header(rule)
        found: list[Pieces] = []
        for more in described:
            present = {**fields, **more}
            derived = [
                pieces
                for pieces, used in self._derivations(header, present, self._orders(fields, forms))
                if len(used) == len(present)
            ]
            found += derived[:1] if forms.first_only else derived
        if not found:
            raise GrammarError(
                f"the grammar has no header with {', '.join(sorted(fields))} in the rule {rule!r}"
            )
        return list(dict.fromkeys(found))

    @staticmethod
    def _orders(fields: Mapping[str, str], forms: Forms) -> frozenset[str]:
        orders = {ORDERS[place] for place in forms.recipient_in}
        return frozenset(orders if "recipient" in fields else ORDERS.values())

    def _header(self, rule: str) -> Sequence:
        node = self._syntax.rule(rule)
        parts = node.parts if isinstance(node, Sequence) else (node,)
        return Sequence(parts[: parts.index(Rule("content"))])

    def _derivations(
        self, node: Production, present: Mapping[str, str], orders: frozenset[str]
    ) -> Iterator[tuple[Pieces, frozenset[str]]]:
        match node:
            case Terminal(name):
                yield (self._fixed(name),), frozenset()
            case Rule(name):
                yield from self._rule(name, present, orders)
            case Sequence(()):
                yield (), frozenset()
            case Sequence((first, *rest)):
                for pieces, used in self._derivations(first, present, orders):
                    left = {field: text for field, text in present.items() if field not in used}
                    rests = self._derivations(Sequence(tuple(rest)), left, orders)
                    for more, used_more in rests:
                        yield pieces + more, used | used_more
            case Choice(alternatives, aliases):
                for alternative, alias in zip(alternatives, aliases, strict=True):
                    if not alias or alias in orders:
                        yield from self._derivations(alternative, present, orders)
            case Repeat(part, _, _):
                for pieces, used in self._derivations(part, present, orders):
                    # What may be missing is written only for a field that it holds.
                    if used:
                        yield pieces, used
                yield (), frozenset()

    def _rule(
        self, name: str, present: Mapping[str, str], orders: frozenset[str]
    ) -> Iterator[tuple[Pieces, frozenset[str]]]:
        fields = [field for field, rules in WRITTEN_BY.items() if name in rules]
        if not fields and name in self._fields:
            return  # A form that is read, but never written.
        body = self._syntax.rule(name)
        if not fields:
            yield from self._derivations(body, present, orders)
        elif fields[0] in present:
            text = present[fields[0]]
            parts = body.parts if isinstance(body, Sequence) else (body,)
            if all(isinstance(part, Terminal) for part in parts):
                pieces = [self._in_field(part, fields[0], text) for part in parts]
                if all(piece is not None for piece in pieces):
                    yield tuple(piece for piece in pieces if piece), frozenset(fields)

    def _in_field(self, node: Production, field: str, text: str) -> Node | None:
        """The text of a field in the place of ``node``; None where another rule takes it."""
        assert isinstance(node, Terminal)
        if node.name in self._special:
            return self._special[node.name]
        pattern = self._syntax.terminals[node.name].encode("latin-1")
        if re.fullmatch(pattern, text.encode(), re.DOTALL) is not None:
            return Text(text)
        if field in ("role", "tool_name", "content_type"):
            return None  # `known_content_type` takes what the spec knows, `content_type` all.
        raise InvalidMessage(
            f"the {field} {text!r} cannot stand in a header: it has to be one word"
        )

    def _fixed(self, terminal: str) -> Node:
        if terminal in self._special:
            return self._special[terminal]
        text = self._written.get(terminal, self._syntax.literals.get(terminal))
        if text is None:
            raise GrammarError(f"[written] of the spec does not say how to write {terminal}")
        return Text(text)


def _addressed(node: Node, recipient: str) -> Node:
    """``node`` with ``recipient`` in the place of anybody."""
    match node:
        case Text(text):
            return Text(text.replace(ANYBODY, recipient))
        case nodes.Sequence(parts):
            return nodes.Sequence(tuple(_addressed(part, recipient) for part in parts))
        case nodes.Choice(alternatives):
            return nodes.Choice(tuple(_addressed(part, recipient) for part in alternatives))
        case _:
            return node


_KNOWN: dict[int, tuple[Grammar, Headers]] = {}
_MOST_KNOWN = 16


def headers_of(grammar: Grammar) -> Headers:
    """The headers of a grammar; those derived before are remembered."""
    found = _KNOWN.get(id(grammar))
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        # The grammar is kept with them, so that no other one gets its id.
        found = _KNOWN[id(grammar)] = (grammar, Headers(grammar))
    return found[1]


def forms_of(
    recipient_in: tuple[str, ...] | None, content_type: str, dialect: Dialect, channel: str
) -> Forms:
    """The forms that the caller's choices allow on ``channel``; None is the dialect's order."""
    written = content_type == "dialect"
    marked = content_type in ("any", "constrain") or (written and dialect.constrain_content_type)
    plain = content_type in ("any", "json") or (written and not dialect.constrain_content_type)
    if recipient_in is None:
        after = channel in dialect.recipient_after_channel
        recipient_in = ("channel",) if after else ("role",)
    return Forms(
        recipient_in=recipient_in,
        plain=plain,
        constrained=marked,
        missing=content_type in ("any", "none"),
        first_only=written,
    )
