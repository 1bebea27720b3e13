"""What the rules need to know of the spec, looked up once."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from harmony.messages import Role

if TYPE_CHECKING:
    from harmony.messages import Message
    from harmony.spec import Spec


class Facts:
    """The names and numbers of a spec."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.channels: list[str] = spec.channel_names
        self.speakers: dict[str, list[str]] = {
            row["name"]: row["roles"] for row in spec.rows("channels") if "roles" in row
        }
        """Who may speak on a channel, where the spec says so."""
        dropping = spec.table("analysis_dropping")
        self.reasoning: str = dropping["channel"]
        self.answer: str = dropping["until_channel"]
        terminators = spec.table("terminators")
        self.speaker = Role(terminators["call_role"])
        self.call = spec.token(terminators["call"])
        self.end = spec.token(terminators["default"])
        self.stop = spec.token(terminators["training"])
        recipients = spec.table("recipients")
        self.everyone: str = recipients["everyone"]
        self.result_recipient: str = recipients["tool_results"]
        self.namespaces: dict[str, str] = {
            row["name"]: row["channel"] for row in spec.rows("namespaces")
        }
        self.functions: str = spec.table("system_message")["function_namespace"]
        self.constrain: str = spec.token("constrain").text
        check = spec.table("check")
        self.json_type: str = check["json_content_type"]
        self.leak: int = check["leak_characters"]
        limits = spec.table("limits")
        self.action_tokens: int = limits["action_tokens"]
        self.context_tokens: int = limits["context_tokens"]
        self.specials = special_pattern(spec)
        texts = list(spec.special_texts.values())
        self.special_prefix = os.path.commonprefix(texts)  # noqa: RUF071 (texts, no paths)
        glued = "|".join(re.escape(name) for name in self.channels)
        role = re.escape(self.speaker.value)
        # `We need to add.assistantfinal4`: what is left of a header between two messages.
        self.stripped_header = re.compile(
            rf"(?:^|[^A-Za-z]){role}(?:{glued})|^{re.escape(self.reasoning)}(?=[A-Z])"
        )

    def is_call(self, message: Message) -> bool:
        """Whether the message calls a tool. Spec: [terminators]."""
        return (
            message.author.role is self.speaker
            and message.recipient is not None
            and message.recipient != self.everyone
        )

    def is_answer(self, message: Message) -> bool:
        """Whether the message is an answer to the user."""
        return (
            message.author.role is self.speaker
            and message.channel == self.answer
            and not self.is_call(message)
        )

    def is_json(self, content_type: str | None) -> bool:
        """Whether the content type is that of JSON, marked or not."""
        if content_type is None:
            return False
        return content_type.removeprefix(self.constrain).strip() == self.json_type

    def call_channel(self, recipient: str) -> str | None:
        """The channel on which the recipient is called; None where the spec does not say."""
        return self.namespaces.get(recipient.partition(".")[0])

    def is_function(self, recipient: str) -> bool:
        """Whether the recipient is a function tool."""
        namespace, dot, name = recipient.partition(".")
        return namespace == self.functions and bool(dot and name)

    def is_built_in(self, namespace: str) -> bool:
        """Whether the namespace is one that the model was trained on, functions aside."""
        return namespace in self.namespaces and namespace != self.functions

    def answers(self, name: str, recipient: str) -> bool:
        """Whether a result by the built-in tool ``name`` is one of a call to ``recipient``.

        It may answer as its namespace: ``browser`` a call of ``browser.search``.
        """
        namespace = recipient.partition(".")[0]
        return (
            self.is_built_in(namespace)
            and name.partition(".")[0] == namespace
            and namespace in (name, recipient)
        )


def special_pattern(spec: Spec) -> re.Pattern[str]:
    """What finds the text of a special token, of the reserved ones too."""
    named = [re.escape(token.text) for token in spec.special_tokens.values()]
    reserved = re.escape(spec.table("vocabulary")["reserved_text"])
    named.append(reserved.replace(re.escape("{id}"), r"\d+"))
    return re.compile("|".join(named))
