"""Runs the rules over conversations, tokens and transcripts. Spec: [check]."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

# Importing a module of rules registers them.
from harmony.check import (  # noqa: F401
    calls,
    channels,
    content,
    finals,
    results,
    sizes,
    structure,
    tool_rules,
)
from harmony.check.deviations import deviations
from harmony.check.facts import Facts
from harmony.check.findings import CHECKS
from harmony.check.formats import format_schemas
from harmony.check.rules import load_rules, selected_rules
from harmony.check.schemas import Schemas
from harmony.check.subject import Given, Subject, Tokens
from harmony.check.tokens import read
from harmony.declared_tools import declared_tools
from harmony.errors import CheckFailed, GrammarError, InvalidMessage
from harmony.messages import Author, Conversation, Message, Role
from harmony.transcript import Diagnostic, Fix, Transcript
from harmony.validation import type_name

if TYPE_CHECKING:
    from harmony.check.findings import Finding
    from harmony.check.formats import Formats
    from harmony.check.rules import Selectors
    from harmony.contents import DeveloperContent, SystemContent
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding

Checked: TypeAlias = "Conversation | Sequence[Message] | Sequence[int]"
# What can be checked; a transcript is a conversation that knows its tokens.

# Texts of system and developer messages whose reading is remembered.
MOST_TEMPLATES = 256


class Checker:
    """Checks for one encoding. Spec: [check], [[rules]]."""

    def __init__(self, encoding: HarmonyEncoding) -> None:
        self._encoding = encoding
        self.rules = load_rules(encoding.spec)
        """The rules by code."""
        self._facts = Facts(encoding.spec)
        needy = [rule for rule in self.rules.values() if rule.extra is not None]
        self._schemas = Schemas(needy[0].extra or "", ",".join(rule.code for rule in needy))
        self._by_leniency = {rule.name: rule for rule in self.rules.values() if rule.leniency}
        self.template = functools.lru_cache(MOST_TEMPLATES)(self._template)
        """The content that the text of a system or developer message stands for, or None."""

    def check(
        self,
        checked: Checked,
        *,
        select: Selectors = None,
        ignore: Selectors = None,
        tools: Tools = None,
        response_format: Formats = None,
        context: int | None = None,
        role: Role | None = None,
    ) -> list[Diagnostic]:
        """What is wrong, in the order of the messages. See `HarmonyEncoding.check`."""
        selected = selected_rules(self._encoding.spec, self.rules, select, ignore)
        _check_context(context)
        declared = None if tools is None else declared_tools(tools, self._encoding.spec)
        recipients = None if declared is None else [tool.recipient for tool in declared]
        messages, tokens, is_open = self._read(checked, role, recipients)
        subject = Subject(
            self._encoding,
            self._facts,
            messages,
            schemas=self._schemas,
            given=Given(selected, declared, format_schemas(response_format), context),
            tokens=tokens,
            is_open=is_open,
        )
        found = [] if tokens is None else list(deviations(tokens, self._by_leniency))
        for codes, check in CHECKS:
            if not selected.isdisjoint(codes):
                found += [self._diagnostic(finding) for finding in check(subject)]
        found = [diagnostic for diagnostic in found if diagnostic.code in selected]
        return sorted(self._without_echoes(found), key=_order)

    def _without_echoes(self, found: list[Diagnostic]) -> list[Diagnostic]:
        """The findings without those that another one implies, whose fix that one takes over."""
        places = {(each.message_index, each.code): each for each in found}
        echoes = set()
        out = []
        for diagnostic in found:
            kept = diagnostic
            for code in self.rules[diagnostic.code].implies:
                echo = places.get((diagnostic.message_index, code))
                if echo is not None:
                    echoes.add((echo.message_index, echo.code))
                    kept = attrs.evolve(kept, fix=_both(kept.fix, echo.fix))
            out.append(kept)
        return [each for each in out if (each.message_index, each.code) not in echoes]

    def validate(self, transcript: Transcript, tools: Tools = None) -> None:
        """Raise `CheckFailed` if rules of severity ``"error"`` are broken."""
        errors = [code for code, rule in self.rules.items() if rule.severity == "error"]
        found = self.check(transcript, select=errors, tools=tools)
        if found:
            what = "a rule is broken" if len(found) == 1 else f"{len(found)} rules are broken"
            lines = [f"  {each.place}: {each.code} {each.name}: {each.message}" for each in found]
            raise CheckFailed(
                "\n".join([f"{what}:", *lines]), diagnostics=found, transcript=transcript
            )

    def _read(
        self, checked: Checked, role: Role | None, tools: list[str] | None
    ) -> tuple[list[Message], Tokens | None, bool]:
        """The messages, the tokens that they were read from, and whether a turn is open."""
        if isinstance(checked, Transcript):
            # Messages that were added or taken away since have no place in the tokens.
            messages = list(checked.messages)
            for message in messages:
                _check_message(message)
            tokens = Tokens(checked.tokens, checked.spans, checked.diagnostics)
            fits = len(tokens.spans) == len(messages)
            is_open = checked.next_turn_role is not None or tokens.ends_in_content(
                self._encoding.spec.token("start").id
            )
            return messages, tokens if fits else None, is_open
        if isinstance(checked, Conversation):
            messages = checked.messages
        elif isinstance(checked, Message):
            messages = [checked]
        elif isinstance(checked, Sequence) and checked and isinstance(checked[0], Message):
            messages = checked  # type: ignore[assignment]
        elif isinstance(checked, (str, bytes, Mapping)) or not hasattr(checked, "__iter__"):
            raise InvalidMessage(
                "expected a Conversation, messages, token ids or a Transcript, "
                f"got {type_name(checked)}; text is encoded first: "
                'encode(text, allowed_special="all")'
            )
        else:
            reading = read(self._encoding, checked, role, tools)  # type: ignore[arg-type]
            return reading.transcript.messages, reading.tokens, reading.is_open
        if not isinstance(messages, (list, tuple)):
            raise InvalidMessage(
                f"Conversation.messages: expected a list, got {type_name(messages)}"
            )
        for message in messages:
            _check_message(message)
        return list(messages), None, False

    def recipients(self, messages: list[Message]) -> list[str]:
        """The recipients that a conversation declares."""
        subject = Subject(
            self._encoding, self._facts, messages, schemas=self._schemas, given=Given(frozenset())
        )
        return list(subject.recipients)

    def _diagnostic(self, finding: Finding) -> Diagnostic:
        try:
            rule = self.rules[finding.code]
            message = rule.sentence.format(**finding.values)
        except (KeyError, IndexError, ValueError) as error:
            raise GrammarError(
                f"the rule {finding.code!r} of the spec is missing, or its sentence has a place "
                f"that is not filled in: {error}"
            ) from None
        return Diagnostic(
            rule.code,
            message,
            finding.tokens,
            rule.severity,
            finding.text,
            name=rule.name,
            message_index=finding.index,
            json_path=finding.json_path,
            fix=finding.fix if rule.can_fix else None,
        )

    def _template(self, role: Role, text: str) -> SystemContent | DeveloperContent | None:
        from harmony.section_reader import read_developer, read_system

        encoding = self._encoding
        if role is Role.SYSTEM:
            return read_system(text, encoding.spec).content
        reading = read_developer(text, encoding.spec, schema_style=encoding.schema_style)
        # What looks like another section within the instructions may declare anything.
        return None if reading.departure is not None else reading.content


def _check_message(message: object) -> None:
    """Raise `InvalidMessage` if a builder or an assignment has left something else."""
    if not isinstance(message, Message):
        raise InvalidMessage(f"expected a Message, got {type_name(message)}")
    attrs.validate(message)
    attrs.validate(message.author)
    assert isinstance(message.author, Author)
    for each in message.content:
        attrs.validate(each)  # type: ignore[arg-type]


def _check_context(context: object) -> None:
    if context is not None and (not isinstance(context, int) or isinstance(context, bool)):
        raise InvalidMessage(f"context: expected a number of tokens, got {type_name(context)}")
    if isinstance(context, int) and context < 0:
        raise InvalidMessage(f"context: expected a number of tokens, got {context}")


def _both(one: Fix | None, other: Fix | None) -> Fix | None:
    if one is None or other is None:
        return None
    return Fix(f"{one.description}, and {other.description}", one.edits + other.edits)


def _order(diagnostic: Diagnostic) -> tuple[bool, int, int, str]:
    index, tokens = diagnostic.message_index, diagnostic.tokens
    return (
        index is None,
        index or 0,
        tokens.start if tokens is not None else 0,
        diagnostic.code,
    )
