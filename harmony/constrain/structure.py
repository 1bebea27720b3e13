"""The language of a completion: which messages, in which order, how each of them ends.

Everything comes from the spec and the grammar: a channel that an overlay adds is one that
the model may write on. Hidden channels hold reasoning, visible ones hold preambles, the one
that training ends on holds the answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from harmony.constrain.headers import forms_of, headers_of
from harmony.constrain.nodes import (
    FreeText,
    Json,
    Node,
    Ref,
    Sequence,
    Special,
    Star,
    choice,
    sequence,
)
from harmony.constrain.requests import RESPONSE_FORMAT
from harmony.errors import GrammarError, InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.constrain.choices import Choices
    from harmony.constrain.requests import Call
    from harmony.encoding import HarmonyEncoding

ROOT = "start"


@attrs.frozen
class Structure:
    """The rules of an exported grammar; each uses only those that come after it."""

    rules: dict[str, Node]
    """The right side of each rule, by name; the first is the start."""

    @property
    def several_calls(self) -> bool:
        """Whether the completion may go on behind a call."""
        return MORE_CALLS in self.rules


MORE_CALLS = "more_calls"


class Builder:
    """Puts the messages of a completion together. Spec: [[channels]], [terminators], [stop]."""

    def __init__(self, encoding: HarmonyEncoding, choices: Choices) -> None:
        spec = encoding.spec
        self._dialect = encoding.dialect
        self._choices = choices
        self._headers = headers_of(encoding.grammar)
        facts = spec.table("terminators")
        self._role: str = facts["call_role"]
        self._final: str = facts["training_channel"]
        self._channels = spec.rows("channels")
        self._reasoning: str = spec.table("analysis_dropping")["channel"]
        stops = {token.name for token in spec.stop_set("assistant_actions")}

        def terminator(name: str) -> Special:
            token = spec.token(name)
            returns = name == facts["training"]
            return Special(token.id, token.text, stops=name in stops, returns=returns)

        self._end, self._call, self._return = (
            terminator(facts[key]) for key in ("default", "call", "training")
        )
        self._prefix: Node | None = None

    def build(self, calls: list[Call], *, final: bool) -> Structure:
        """The structure in which the model may do one of ``calls``, or answer if ``final``.

        Raises:
            GrammarError: the grammar has no header for a message that is needed.
            InvalidMessage: there is nothing that the model may do.
        """
        rules: dict[str, Node] = {}
        reasoning, preambles = self._intermediate(rules)
        actions: list[Node] = []
        if calls:
            actions.append(self._calls(rules, calls))
        if final:
            content: Node = FreeText() if self._choices.schema is None else Json(RESPONSE_FORMAT)
            rules["answer"] = sequence(self._header(self._final), content, self._return)
            actions.append(Ref("answer"))
        if not actions:
            raise InvalidMessage("the completion can neither call a tool nor answer")
        before: list[Node] = [Ref(name) for name in (*reasoning, *preambles)]
        parts: list[Node] = []
        between: list[Node] = [self._end, Ref("prefix")]
        if self._choices.reasoning == "required":
            if not reasoning:
                raise InvalidMessage(
                    "reasoning is 'required', but the spec has no hidden channel to reason on"
                )
            # The chain of thought comes first: what follows depends on it.
            parts += [choice(*map(Ref, reasoning)), *between]
        if before:
            parts.append(Star(sequence(choice(*before), *between)))
        body = sequence(*parts, choice(*actions))
        assert self._prefix is not None
        prefix = self._prefix
        opened = {"assistant": None, "start": _behind_start(prefix), "none": Ref("prefix")}
        first = opened[self._choices.start]
        start = body if first is None else sequence(first, body)
        return Structure({ROOT: start, **rules, "prefix": prefix})

    def _intermediate(self, rules: dict[str, Node]) -> tuple[list[str], list[str]]:
        """The names of the rules for messages that something follows: hidden, visible."""
        hidden: list[str] = []
        visible: list[str] = []
        for row in self._channels:
            channel = row["name"]
            if channel == self._final or self._role not in row.get("roles", [self._role]):
                continue
            shown = row.get("visible", True)
            if not (self._choices.preambles if shown else self._choices.reasoning != "off"):
                continue
            name = _rule_name(channel, rules)
            rules[name] = sequence(self._header(channel), FreeText())
            (visible if shown else hidden).append(name)
        # The chain of thought's own channel before others that are hidden.
        hidden.sort(key=lambda name: name != _rule_name(self._reasoning, {}))
        return hidden, visible

    def _calls(self, rules: dict[str, Node], calls: list[Call]) -> Node:
        names = []
        for index, call in enumerate(calls):
            header = self._header(call.channel, call.recipient, call.content_types)
            content: Node = FreeText() if call.schema is None else Json(call.recipient)
            rules[f"call_{index}"] = sequence(header, content)
            names.append(Ref(f"call_{index}"))
        rules["call"] = sequence(choice(*names), self._call)
        if not self._choices.parallel_tool_calls:
            return Ref("call")
        rules[MORE_CALLS] = Star(sequence(Ref("prefix"), Ref("call")))
        return sequence(Ref("call"), Ref(MORE_CALLS))

    def _header(
        self, channel: str, recipient: str | None = None, content_types: tuple[str, ...] = ()
    ) -> Node:
        """A header from behind the role to `<|message|>`."""
        routing = {"channel": channel}
        if recipient is not None:
            routing["recipient"] = recipient
        # Without a recipient there is no content type: openai-harmony 0.0.8 reads the one in
        # `final <|constrain|>json` as a recipient.
        chosen = self._choices
        forms = forms_of(chosen.recipient_in, chosen.content_type, self._dialect, channel)
        prefix, header = self._headers.behind_role(routing, self._role, content_types, forms)
        if self._prefix not in (None, prefix):
            raise GrammarError("the headers of the grammar do not open alike")
        self._prefix = prefix
        return header


def _behind_start(prefix: Node) -> Node:
    assert isinstance(prefix, Sequence)
    assert isinstance(prefix.parts[0], Special), "a header opens with a special token"
    return sequence(*prefix.parts[1:])


def _rule_name(channel: str, taken: Mapping[str, object]) -> str:
    """A rule's name for a channel: lower case, and no other rule's."""
    name = "on_" + re.sub(r"[^a-z0-9]+", "_", channel.lower()).strip("_")
    while name in taken:
        name += "_"
    return name
