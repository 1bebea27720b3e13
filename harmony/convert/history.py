"""The messages that a request's history becomes, and the calls that its results answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from harmony.contents import TextContent
from harmony.errors import HarmonyError
from harmony.messages import Author, Message, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.convert.facts import Facts
    from harmony.convert.plain import Dropped, Node
    from harmony.encoding import HarmonyEncoding

# Names that are words of a header whatever stands beside them.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@attrs.define(eq=False)
class Call:
    """A call that the assistant made."""

    id: str | None
    """The id by which its result names it."""
    recipient: str
    """The tool, as in ``"functions.get_weather"``."""
    channel: str
    """The channel on which it was called, and is answered."""
    answered: bool = False
    """Whether a result followed."""
    aliases: tuple[str, ...] = ()
    """Other ids by which a result may name it: that of its item, say."""

    def has_id(self, id: str) -> bool:
        """Whether a result with this id answers it."""
        return id == self.id or id in self.aliases


@attrs.define(eq=False)
class History:
    """Gathers messages; each error names the field of the request that is at fault."""

    facts: Facts
    encoding: HarmonyEncoding
    built_in: Sequence[str] = ()
    """The built-in namespaces that the request declares."""
    declared: frozenset[str] = frozenset()
    """The names of the functions that it declares."""
    messages: list[Message] = attrs.field(factory=list)
    calls: list[Call] = attrs.field(factory=list)
    ids: dict[int, str] = attrs.field(factory=dict)
    """The id of each message that is a call, by its index."""
    dropped: list[Dropped] = attrs.field(factory=list)

    def say(self, role: Role, text: str, name: Node, channel: str | None = None) -> None:
        """A message to everyone."""
        message = Message(Author(role, _name(name)), [TextContent(text)], channel=channel)
        self._add(message, name)

    def reason(self, text: str, name: Node) -> None:
        """Reasoning, if there is any."""
        if text:
            self.say(Role.ASSISTANT, text, name, self.facts.reasoning)

    def call(self, id: str | None, tool: Node, arguments: str, name: Node) -> None:
        """A call of the function or built-in tool that ``tool`` names."""
        recipient, channel, content_type = self._route(tool)
        message = Message(
            Author(Role.ASSISTANT, _name(name)),
            [TextContent(arguments)],
            channel=channel,
            recipient=recipient,
            content_type=content_type,
        )
        self._add(message, tool)
        if id is not None:
            self.ids[len(self.messages) - 1] = id
        self.calls.append(Call(id, recipient, channel))

    def result(self, call: Call, text: str, node: Node) -> None:
        """What the tool answered."""
        call.answered = True
        message = Message(
            Author(Role.TOOL, call.recipient),
            [TextContent(text)],
            channel=call.channel,
            recipient=self.facts.results_to,
        )
        self._add(message, node)

    def call_of(self, id: Node, tool: Node) -> Call:
        """The call that a result answers: by its id, else by the tool's name.

        Where calls share an id, as those of different turns may, it is the first that waits
        for its answer, else the last.

        Raises:
            InvalidRequest: no call has that id, or it cannot be told which one is meant.
        """
        wanted, name = id.text_or_none(), tool.text_or_none()
        if wanted is not None:
            found = [call for call in self.calls if call.has_id(wanted)]
            if found:
                return next((call for call in found if not call.answered), found[-1])
        if name:
            recipient, channel, _ = self._route(tool)
            waiting = (c for c in self.calls if c.recipient == recipient and not c.answered)
            return next(waiting, None) or Call(wanted, recipient, channel)
        waits = [call for call in self.calls if not call.answered]
        if wanted is None and len(waits) == 1:
            return waits[0]
        known = ", ".join(repr(call.id) for call in self.calls if call.id is not None) or "none"
        if wanted is None:
            raise id.expected("the id of the call that this answers")
        raise id.error(
            f"no call before this message has the id {wanted!r} (there are: {known}). "
            "Send the assistant's message with that call too, or name the tool in `name`"
        )

    def _route(self, tool: Node) -> tuple[str, str, str]:
        """The recipient, channel and content type of a call to what ``tool`` names."""
        facts, name = self.facts, tool.text()
        if not name:
            raise tool.error("expected the name of a tool, got an empty string")
        namespace = facts.namespace_of(name)
        if namespace in self.built_in and name not in self.declared:
            assert namespace is not None
            return name, facts.channels[namespace], facts.code_type
        return facts.called(name), facts.calls, facts.arguments_type

    def _add(self, message: Message, node: Node) -> None:
        for name in (message.author.name, message.recipient):
            if name is not None and not PLAIN_NAME.fullmatch(name):
                self._check_name(message, name, node)
        self.messages.append(message)

    def _check_name(self, message: Message, name: str, node: Node) -> None:
        """Refuse a name that is not read back from a header, as one with a space is not."""
        try:
            tokens = self.encoding.render(message)
            author = self.encoding.parse(tokens).messages[0]
            if (author.author.name, author.recipient) == (message.author.name, message.recipient):
                return
        except HarmonyError:
            pass
        raise node.error(
            f"the name {name!r} cannot stand in a header; use letters, digits, `_`, `-` and `.`"
        )


def _name(node: Node) -> str | None:
    """The name beside a role; an empty one is none."""
    return node.text_or_none() or None
