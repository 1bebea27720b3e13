"""What a message is to the two APIs: reasoning, text, a call, a result."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import attrs

from harmony.declared_tools import tool_names
from harmony.messages import Role

if TYPE_CHECKING:
    from harmony.convert.facts import Facts
    from harmony.declared_tools import Tools


class Kind(Enum):
    """What a message is."""

    REASONING = "reasoning"
    TEXT = "text"
    """What users see: an answer or a preamble."""
    FUNCTION = "function"
    """A call of a function."""
    SEARCH = "search"
    """A call of the browser."""
    CODE = "code"
    """A call of the code interpreter."""
    RESULT = "result"
    """What a tool answered."""
    OTHER = "other"
    """Nothing of the assistant's: a user's message, say."""


@attrs.frozen
class Route:
    """What a message is, and whom it concerns."""

    kind: Kind
    name: str = ""
    """Of a call and of a result: the function, or the built-in tool as it is addressed."""
    phase: str | None = None
    """Of text: its phase, where its channel has one."""


class Routes:
    """Tells what messages are, from their headers."""

    def __init__(self, facts: Facts, tools: Tools = None) -> None:
        self.facts = facts
        prefix = f"{facts.functions}."
        declared = tool_names(tools, facts.spec)
        inner = (name for name in declared if name.startswith(prefix))
        self._functions = {name.removeprefix(prefix) for name in inner}
        self._built_in = {name for name in declared if not name.startswith(prefix)}
        self._prefix = prefix
        self._people = {*facts.spec.role_names, facts.everyone}

    def of(self, role: Role, name: str | None, recipient: str | None, channel: str | None) -> Route:
        """What a message with this header is."""
        facts = self.facts
        if role is Role.TOOL:
            return Route(Kind.RESULT, self.called(name or ""))
        if role is not Role.ASSISTANT:
            return Route(Kind.OTHER)
        if recipient is None or recipient in self._people:
            if channel in facts.hidden:
                return Route(Kind.REASONING)
            return Route(Kind.TEXT, phase=facts.phases.get(channel or ""))
        called = self.called(recipient)
        kinds = {facts.search: Kind.SEARCH, facts.code: Kind.CODE}
        # The APIs have no item for the tools of other namespaces; those are functions there.
        return Route(kinds.get(self.namespace_of(recipient) or "", Kind.FUNCTION), called)

    def namespace_of(self, recipient: str) -> str | None:
        """The built-in namespace that is called; None for functions."""
        return None if self._is_function(recipient) else self.facts.namespace_of(recipient)

    def channel_of(self, recipient: str) -> str:
        """The channel on which ``recipient`` is called and answers."""
        namespace = self.namespace_of(recipient)
        return self.facts.calls if namespace is None else self.facts.channels[namespace]

    def _is_function(self, recipient: str) -> bool:
        """Whether a function has the name of a built-in tool that is not declared."""
        return recipient in self._functions and recipient not in self._built_in

    def called(self, recipient: str) -> str:
        """What ``recipient`` is called: a function by its name alone."""
        return recipient.removeprefix(self._prefix)
