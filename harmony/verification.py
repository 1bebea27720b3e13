"""Whether a spec and a grammar that a user changed hold together, asked when they are loaded.

The library's own are held to more than this by its tests. What is found is told with the file
and the line, so that a mistake shows where it was made and not at the first token.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING

from harmony.errors import GrammarError, HarmonyError
from harmony.faults import Faults
from harmony.messages import Message
from harmony.overlay_shape import check_shape
from harmony.parser import message_of
from harmony.spec import load_spec
from harmony.syntax import Choice, Repeat, Rule, Sequence
from harmony.tree import parse_tree, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harmony.encoding import HarmonyEncoding
    from harmony.grammar import Grammar
    from harmony.spec import Spec
    from harmony.syntax import Node


def verified(spec: Spec, make: Callable[[], HarmonyEncoding]) -> HarmonyEncoding:
    """What ``make`` makes of ``spec``. Raises `GrammarError` if it does not hold together."""
    try:
        check_shape(spec, load_spec())
        _rows(spec)
        _special_tokens(spec)
        _references(spec)
        encoding = make()
        _verify(encoding)
        _checks(encoding)
    except HarmonyError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        path = "" if spec.source is None else f"{spec.source.path}: "
        raise GrammarError(
            f"{path}the spec does not hold together: {type(error).__name__}: {error}"
        ) from error
    return encoding


def _verify(encoding: HarmonyEncoding) -> None:
    spec, grammar = encoding.spec, encoding.grammar
    _fields(spec, grammar)
    try:
        matcher = encoding.matcher
        _ = (matcher.message, matcher.first_message, matcher.header, matcher.first_header)
        _ = grammar.lalr
        if "tokens" in spec.table("vocabulary") or "folder" in spec.table("vocabulary"):
            _ = encoding.vocabulary.tokens
        _held_once(encoding)
        _round_trips(encoding)
    except GrammarError as error:
        if grammar.source is None or error.message.startswith(grammar.source.path):
            raise
        raise grammar.fault(error.message) from error


def _checks(encoding: HarmonyEncoding) -> None:
    """The checker reads its rules and facts from the spec."""
    try:
        _ = encoding.checker
    except GrammarError as error:
        named = re.search(r"the (rule|leniency) '([^']+)'", error.message)
        if named is None:
            raise
        table = "rules" if named[1] == "rule" else "leniencies"
        raise encoding.spec.fault(error.message, table, named[2]) from error


# ---- the spec ------------------------------------------------------------------------------


def _rows(spec: Spec) -> None:
    """Each row has a name, and names that stand in headers are words."""
    space = spec.table("header")["white_space"]
    for table in ("special_tokens", "roles", "channels", "content_types", "fields", "dialects"):
        for row in spec.rows(table):
            name = row.get("name")
            if not isinstance(name, str) or not name:
                raise spec.fault(f"a row of [[{table}]] has no name", table)
            if table in ("roles", "channels", "content_types") and set(name) & set(space):
                raise spec.fault(f"{name!r} in [[{table}]] is not one word", table, name)


def _special_tokens(spec: Spec) -> None:
    """Each has a text of its own, and none begins another: they are told apart by their texts."""
    texts = sorted(spec.special_texts.items(), key=lambda pair: pair[1])
    names = {token.id: token.name for token in spec.special_tokens.values()}
    for (first, text), (second, longer) in itertools.pairwise(texts):
        if longer.startswith(text):
            pair = sorted(names.get(id, str(id)) for id in (first, second))
            which = f"the special tokens {pair[0]!r} and {pair[1]!r}"
            reason = f"{which} have one text: {text!r}"
            if text != longer:
                reason = f"{which} cannot be told apart: {longer!r} begins with {text!r}"
            raise spec.fault(reason, "special_tokens", *pair, key="text")
    terminals = [t for t in spec.special_tokens.values() if t.terminal is not None]
    for first_token, other in itertools.combinations(terminals, 2):
        if first_token.terminal == other.terminal:
            reason = (
                f"the special tokens {first_token.name!r} and {other.name!r} have one terminal: "
                f"{other.terminal}"
            )
            both = (first_token.name, other.name)
            raise spec.fault(reason, "special_tokens", *both, key="terminal")


def _references(spec: Spec) -> None:
    """What is named exists."""
    for name in ("any", "assistant_actions"):
        spec.stop_set(name)
    for key in ("default", "call", "training"):
        token = spec.table("terminators")[key]
        _known(spec, token, spec.special_tokens, "terminators", None, key)
    roles = spec.role_names
    _known(spec, spec.table("terminators")["call_role"], roles, "terminators", None, "call_role")
    _known(spec, spec.table("recovery")["default_role"], roles, "recovery", None, "default_role")
    defaults = [dialect.name for dialect in spec.dialects.values() if dialect.default]
    if len(defaults) != 1:
        names = ", ".join(map(repr, defaults)) or "none"
        reason = f"one row of [[dialects]] has default = true, not {names}"
        raise spec.fault(reason, "dialects", *defaults, key="default")
    for row in spec.rows("channels"):
        for role in row.get("roles", ()):
            _known(spec, role, spec.role_names, "channels", row["name"], "roles")
    for dialect in spec.dialects.values():
        for channel in dialect.recipient_after_channel:
            place = ("dialects", dialect.name, "recipient_after_channel")
            _known(spec, channel, spec.channel_names, *place)


def _known(
    spec: Spec, name: str, known: object, table: str, row: str | None, key: str | None
) -> None:
    names = list(known)  # type: ignore[call-overload]
    if name not in names:
        where = f"[{table}]" if row is None else f"{row!r} of [[{table}]]"
        reason = f"{where} says {key} = {name!r}; there are: {', '.join(names)}"
        raise spec.fault(reason, table, *([row] if row else []), key=key)


def _fields(spec: Spec, grammar: Grammar) -> None:
    """Each field that the spec adds is held by a rule of the grammar, and each rule by one."""
    if grammar.source is not None:
        bound = {line.partition(":")[0] for line in grammar.bound.splitlines()}
        for line, terminal in grammar.source.imported_from_spec():
            if terminal not in bound:
                raise GrammarError(
                    f"{grammar.source.path}:{line}: the spec binds no terminal {terminal}; it "
                    f"binds: {', '.join(sorted(bound))}"
                )
    for terminal, pattern in grammar.syntax.terminals.items():
        try:
            re.compile(pattern.encode("latin-1"))
        except (re.error, OverflowError, UnicodeEncodeError) as error:
            raise grammar.fault(
                f"the grammar does not make an expression: the terminal {terminal}: {error}"
            ) from error
    reachable = {getattr(node, "name", "") for node in _nodes(grammar)}
    for name, rules in spec.extra_fields.items():
        if not rules:
            raise spec.fault(f"the field {name!r} is held by no rule", "fields", name, key="rules")
        for rule in rules:
            if rule not in reachable:
                reason = f"no message of the grammar holds the rule {rule!r} of the field {name!r}"
                raise spec.fault(reason, "fields", name, key="rules")


def _held_once(encoding: HarmonyEncoding) -> None:
    """No header holds a field twice, since a message has it once."""
    grammar = encoding.grammar
    fields = {
        rule: name
        for rule, name in grammar.spec.field_of_rule.items()
        if name not in ("content", "terminator")
    }

    def most(node: Node, inside: str) -> Counter[str]:
        """How often ``node`` holds each field at most."""
        match node:
            case Rule(name) if name in fields:
                return Counter([fields[name]])
            case Rule(name):
                return most(grammar.syntax.rule(name), f"rule `{name}`")
            case Choice(alternatives, aliases):
                found: Counter[str] = Counter()
                for each, alias in zip(alternatives, aliases, strict=True):
                    found |= most(each, f"alternative `{alias}`" if alias else inside)
                return found
            case Repeat(part, _, bound):
                times = 2 if bound is None else bound
                found = Counter({k: n * times for k, n in most(part, inside).items()})
            case Sequence(parts):
                found = sum((most(part, inside) for part in parts), Counter())
            case _:
                return Counter()
        for field, count in found.items():
            if count > 1:
                raise grammar.fault(
                    f"the {inside} of the grammar can hold the field {field!r} more than once"
                )
        return found

    for start in ("message", "first_message"):
        most(grammar.syntax.rule(start), f"rule `{start}`")


def _nodes(grammar: Grammar) -> Iterator[object]:
    syntax = grammar.syntax
    return syntax.walk(syntax.rule("message"))


# ---- both ----------------------------------------------------------------------------------


def _round_trips(encoding: HarmonyEncoding) -> None:
    """What is rendered parses back, by the matcher and by Lark: see `samples`."""
    spec, vocabulary = encoding.spec, encoding.vocabulary
    for message, must in samples(spec):
        try:
            tokens = encoding.render(message)
        except GrammarError:
            if must:
                raise
            continue  # The grammar has no header for this combination.
        try:
            read = encoding.parse(tokens).messages
            data = vocabulary.lex(tokens)
            faults = Faults(spec, vocabulary, data, tokens, [])
            tree = parse_tree(encoding.grammar, data, None, faults, 0)
            found = [
                message_of(header, text) for header, text, _ in read_tree(tree, None, faults, 0)
            ]
        except GrammarError:
            raise
        except HarmonyError as error:
            raise GrammarError(f"{_said(message)} cannot be rendered and read: {error}") from error
        if [message] != read or [message] != found:
            text = encoding.decode(tokens)
            raise GrammarError(f"{_said(message)} is rendered as {text!r}, which reads otherwise")


def samples(spec: Spec) -> Iterator[tuple[Message, bool]]:
    """Messages of each role, on each channel, with each field, and whether each must be written.

    What need not be is a combination with a field that a user added: its rules say beside
    which others it may stand.
    """
    from harmony.messages import Role

    def message(role: str, text: str = "x") -> Message:
        return Message.from_role_and_content(Role(role), text)

    roles = [row["name"] for row in spec.rows("roles") if not row.get("spelled_by_name")]
    speaker = spec.table("terminators")["call_role"]
    for role in roles:
        yield message(role), True
    yield message(speaker, 'A word,\n1 {"é": "<b>"}'), True
    for channel in spec.channel_names:
        yield message(speaker).with_channel(channel), True
    constrained = spec.token("constrain").text + "x"
    for name in spec.extra_fields:
        yield message(speaker).with_extra(name, "x"), True
        for on in (None, *spec.channel_names):
            for recipient, content_type in ((None, None), ("x", None), ("x", constrained)):
                said = message(speaker).with_extra(name, "x")
                said.channel, said.recipient, said.content_type = on, recipient, content_type
                yield said, False


def _said(message: Message) -> str:
    said = f"a message by {message.author.role.value}"
    if message.channel is not None:
        said += f" on the channel {message.channel!r}"
    if message.recipient is not None:
        said += f" to {message.recipient!r}"
    for name in message.extra:
        said += f" with the field {name!r}"
    return said
