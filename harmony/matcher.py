"""The grammar compiled: one bytes expression for a message, and the one of its header.

The message header is a regular language and so is the content, so the rule `message` of the
grammar *is* a regular expression: this module writes it down, from the productions as they
stand in the grammar file. Terminals become atomic groups and unbounded repeats possessive,
as a lexer never gives a character back; each rule that holds a field becomes a group.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from harmony.errors import GrammarError
from harmony.messages import Role
from harmony.syntax import Choice, Node, Repeat, Rule, Sequence, Syntax, Terminal
from harmony.vocabulary import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harmony.grammar import Grammar

# Openings (`<|start|>` to `<|message|>`) that are remembered, and how long one may be, in
# bytes or ids: a conversation has a handful of different ones, hostile input has any number.
MOST_OPENINGS = 4096
LONGEST_OPENING = 512


Key = TypeVar("Key", bytes, tuple[int, ...])


Value = TypeVar("Value")
# The fields of a `Header`.
HeaderFields: TypeAlias = """tuple[
    Role, str | None, str | None, str | None, str | None, tuple[tuple[str, str], ...] | None
]"""


class Header(NamedTuple):
    """What a header says. Spec: [header], [[fields]]."""

    role: Role
    name: str | None = None
    recipient: str | None = None
    channel: str | None = None
    content_type: str | None = None
    extra: tuple[tuple[str, str], ...] | None = None
    """The fields that a user's own grammar adds, if the header has any."""


class Expression:
    """A part of the grammar as one bytes expression whose groups are named by rules."""

    def __init__(self, syntax: Syntax, node: Node, fields: Iterable[str]) -> None:
        self._syntax = syntax
        self._fields = frozenset(fields)
        self._entered: list[str] = []
        self.groups: list[tuple[str, str]] = []
        """For each group its name and the rule that it holds."""
        self.source = self._written(node)
        """The expression, in Latin-1."""
        self.header_groups = [
            (group, rule) for group, rule in self.groups if rule not in ("content", "terminator")
        ]
        """The groups that a header is made of."""
        try:
            self.pattern = re.compile(self.source.encode("latin-1"), re.DOTALL)
        except (re.error, OverflowError, UnicodeEncodeError) as error:
            raise GrammarError(f"the grammar does not make an expression: {error}") from error
        contents = [group for group, rule in self.groups if rule == "content"]
        self.content_group = self.pattern.groupindex[contents[0]] if contents else 0
        """The index of the group that holds the content."""

    def _written(self, node: Node) -> str:
        match node:
            case Terminal(name):
                try:
                    return f"(?>{self._syntax.terminals[name]})"
                except KeyError:
                    raise GrammarError(f"the grammar has no terminal {name!r}") from None
            case Rule(name):
                return self._rule(name)
            case Sequence(parts):
                return "".join(self._written(part) for part in parts)
            case Choice(alternatives, _):
                return f"(?:{'|'.join(self._written(a) for a in alternatives)})"
            case Repeat(part, 0, 1):
                return f"(?:{self._written(part)})?"
            case Repeat(part, least, most):
                # Possessive: what could follow a repeat never begins as the repeat goes on.
                return f"(?:{self._written(part)}){{{least},{'' if most is None else most}}}+"

    def _rule(self, name: str) -> str:
        if name in self._entered:
            raise GrammarError(f"the rule {name!r} holds itself; a header is a regular language")
        self._entered.append(name)
        try:
            if name not in self._fields:
                return self._written(self._syntax.rule(name))
            group = f"{name}_{sum(rule == name for _, rule in self.groups) + 1}"
            self.groups.append((group, name))
            return f"(?P<{group}>{self._written(self._syntax.rule(name))})"
        finally:
            self._entered.pop()


class Matcher:
    """Reads messages and headers from lexed bytes. Spec: [header], [content].

    Each expression is compiled when first used: a server that only streams never needs the
    one for whole messages.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._syntax = grammar.syntax
        self._fields = grammar.spec.field_of_rule
        self._extra = grammar.spec.extra_fields
        self.end = _marker(self._syntax, "MESSAGE")
        """The marker that ends a header."""
        self._openings: dict[Role | None, dict[bytes, Header]] = {None: {}}

    @functools.cached_property
    def message(self) -> Expression:
        """The rule `message`; its terminator may be missing, as in `unterminated`."""
        return self._whole("message")

    @functools.cached_property
    def first_message(self) -> Expression:
        """The rule `first_message`: the prompt held `<|start|>` and the role."""
        return self._whole("first_message")

    @functools.cached_property
    def header(self) -> Expression:
        """`message` up to its content: from `<|start|>` to `<|message|>`."""
        return self._expression(self._parts("message")[0])

    @functools.cached_property
    def first_header(self) -> Expression:
        """`first_message` up to its content."""
        return self._expression(self._parts("first_message")[0])

    @functools.cached_property
    def body(self) -> Expression:
        """`message` from its content on; the terminator may be missing."""
        return self._expression(_last_optional(self._parts("message")[1]))

    def _whole(self, rule: str) -> Expression:
        opening, body = self._parts(rule)
        return self._expression(Sequence((opening, _last_optional(body))))

    def _expression(self, node: Node) -> Expression:
        return Expression(self._syntax, node, self._fields)

    def _parts(self, rule: str) -> tuple[Sequence, Sequence]:
        node = self._syntax.rule(rule)
        parts = node.parts if isinstance(node, Sequence) else (node,)
        if Rule("content") not in parts or parts[-1] == Rule("content"):
            raise GrammarError(
                f"the rule {rule!r} of the grammar is not a header, `content` and a terminator"
            )
        at = parts.index(Rule("content"))
        return Sequence(parts[:at]), Sequence(parts[at:])

    def openings(self, role: Role | None) -> dict[bytes, Header]:
        """The headers read so far, by their bytes, `<|message|>` included.

        ``role`` is the role that the prompt ended with, for a first message; else None.
        """
        openings = self._openings.get(role)
        return self._openings.setdefault(role, {}) if openings is None else openings

    def read_header(self, opening: bytes, role: Role | None) -> Header | None:
        """The header in ``opening``, the bytes before `<|message|>`.

        None if the grammar does not take it, its words are not UTF-8, or it repeats another
        role than ``role``.
        """
        whole = opening + self.end
        header = self.openings(role).get(whole)
        if header is None:
            expression = self.header if role is None else self.first_header
            match = expression.pattern.fullmatch(whole)
            header = self.header_matched(expression, match, role, whole)
        return header

    def header_matched(
        self,
        expression: Expression,
        match: re.Match[bytes] | None,
        role: Role | None,
        whole: bytes,
    ) -> Header | None:
        """The header in a match of ``expression``, remembered for the bytes ``whole``."""
        if match is None:
            return None
        groups = expression.header_groups
        try:
            texts = {rule: text_in_header(match[g]) for g, rule in groups if match[g]}
        except UnicodeDecodeError:
            return None
        header = header_of(texts, role, self._extra)
        if header is not None:
            remember(self.openings(role), whole, header)
        return header


def remember(known: dict[Key, Value], key: Key, header: Value) -> None:
    """Keep a header for the next time, if its bytes or ids are not too many."""
    if len(key) <= LONGEST_OPENING:
        if len(known) >= MOST_OPENINGS:
            known.clear()
        known[key] = header


def _last_optional(body: Sequence) -> Sequence:
    return Sequence((*body.parts[:-1], Repeat(body.parts[-1], 0, 1)))


def _marker(syntax: Syntax, terminal: str) -> bytes:
    try:
        return syntax.literals[terminal].encode("latin-1")
    except KeyError:
        raise GrammarError(f"the grammar does not import {terminal} from the spec") from None


def text_in_header(data: bytes) -> str:
    """A field of a header as text. Raises UnicodeDecodeError."""
    return literal(data).decode()


def header_of(
    fields: dict[str, str], role: Role | None, extra: Mapping[str, tuple[str, ...]]
) -> Header | None:
    """The header whose rules hold these texts, or None if it repeats another role than given.

    ``role`` is the role that the prompt ended with, for a first message; else None. ``extra``
    are the rules of each field that only a user's own grammar has.
    """
    name = fields.get("name")
    if "role" in fields:
        role = Role(fields["role"])
    elif "tool_name" in fields:
        role, name = Role.TOOL, fields["tool_name"]
    elif role is None or fields.get("repeated_role", role.value) != role.value:
        return None
    recipient = (
        fields.get("recipient") or fields.get("bare_recipient") or fields.get("role_recipient")
    )
    content_type = (
        fields.get("constrained_content_type")
        or fields.get("known_content_type")
        or fields.get("content_type")
    )
    header = Header(role, name, recipient, fields.get("channel"), content_type)
    if extra:
        found = ((name, rule) for name, rules in extra.items() for rule in rules if rule in fields)
        header = header._replace(extra=tuple((name, fields[rule]) for name, rule in found) or None)
    return header
