"""Which messages of a conversation the model is shown.

Spec: [analysis_dropping], [[analysis_policies]].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.messages import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.messages import Message
    from harmony.spec import Spec


def kept_messages(messages: Sequence[Message], policy: str, spec: Spec) -> list[int]:
    """The indices of the messages that ``policy`` keeps, in their order.

    Raises:
        UnknownName: there is no such policy.
    """
    spec.row("analysis_policies", policy)
    facts = spec.table("analysis_dropping")
    finals = [i for i, m in enumerate(messages) if m.channel == facts["until_channel"]]
    role = Role(facts["role"])
    spoken = [i for i, m in enumerate(messages) if m.author.role is role]
    answered = bool(spoken) and messages[spoken[-1]].channel == facts["until_channel"]

    def is_reasoning(message: Message) -> bool:
        return bool(message.channel == facts["channel"])

    def is_plain_reasoning(message: Message) -> bool:
        # A call to a built-in tool, and its answer, stand on the analysis channel too.
        spoken_plainly = message.recipient is None and message.author.role is role
        return is_reasoning(message) and spoken_plainly

    match policy:
        case "keep_all":
            return list(range(len(messages)))
        case "drop_all":
            return [i for i, m in enumerate(messages) if not is_plain_reasoning(m)]
        case "before_last_final":
            before = finals[-1] if finals else 0
        case "keep_open_call":
            last = finals[-1] if finals else -1
            called = any(m.recipient is not None for m in _by(role, messages[last + 1 :]))
            before = last + 1 if called else len(messages)
            return [i for i, m in enumerate(messages) if i >= before or not is_plain_reasoning(m)]
        case _:
            before = finals[0] if answered and finals else 0
    return [i for i, m in enumerate(messages) if i >= before or not is_reasoning(m)]


def _by(role: Role, messages: Sequence[Message]) -> list[Message]:
    return [message for message in messages if message.author.role is role]
