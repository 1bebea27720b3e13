"""Which messages of a conversation the model is shown.

Spec: [analysis_dropping], [[analysis_policies]].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.errors import InvalidMessage
from harmony.messages import Author, Message, Role
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.spec import Spec


class History:
    """Applies the analysis policies of a spec."""

    def __init__(self, spec: Spec) -> None:
        facts = spec.table("analysis_dropping")
        self._spec = spec
        self._reasoning: str = facts["channel"]
        self._answer: str = facts["until_channel"]
        self._role = Role(facts["role"])

    def shown(self, messages: Sequence[Message], policy: str) -> Sequence[Message]:
        """The messages that ``policy`` keeps. Raises as `kept` does."""
        if policy == "keep_all" or (policy == "auto" and not self._answered(messages)):
            return messages
        return [messages[index] for index in self.kept(messages, policy)]

    def kept(self, messages: Sequence[Message], policy: str) -> list[int]:
        """The indices of the messages that ``policy`` keeps, in their order.

        Raises:
            UnknownName: there is no such policy.
            InvalidMessage: what stands among the messages is none.
        """
        self._spec.row("analysis_policies", policy)
        for message in messages:
            _check(message)
        finals = [i for i, m in enumerate(messages) if m.channel == self._answer]
        last_final = finals[-1] if finals else -1
        # Reasoning before the message `before` is dropped; with `plain`, no calls and answers.
        before, plain = 0, False
        if policy == "auto":
            before = finals[0] if finals and self._answered(messages) else 0
        elif policy == "before_last_final":
            before = max(last_final, 0)
        elif policy == "drop_all":
            before, plain = len(messages), True
        elif policy == "keep_open_call":
            rest = messages[last_final + 1 :]
            is_open = any(m.author.role is self._role and m.recipient is not None for m in rest)
            before, plain = last_final + 1 if is_open else len(messages), True
        return [
            index
            for index, message in enumerate(messages)
            if index >= before
            or message.channel != self._reasoning
            or (plain and not self._is_plain(message))
        ]

    def _is_plain(self, message: Message) -> bool:
        # A call to a built-in tool, and its answer, stand on the analysis channel too.
        return message.recipient is None and message.author.role is self._role

    def _answered(self, messages: Sequence[Message]) -> bool:
        """Whether the last message of the assistant is its answer."""
        role = self._role
        for message in reversed(messages):
            try:
                if message.author.role is role:
                    return message.channel == self._answer
            except AttributeError:
                _check(message)
        return False


def _check(message: object) -> None:
    if not isinstance(message, Message):
        raise InvalidMessage(f"expected a Message, got {type_name(message)}")
    if not isinstance(message.author, Author) or not isinstance(message.author.role, Role):
        raise InvalidMessage(f"Message.author: expected an Author, got {shortened(message.author)}")
