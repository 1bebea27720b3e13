"""What requests of both APIs say beside their messages, from a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.contents import DeveloperContent, SystemContent
from harmony.convert.from_harmony import from_harmony
from harmony.convert.plain import Dropped
from harmony.convert.prompt import Prompt
from harmony.convert.requests import text_of_message
from harmony.convert.routing import Route, Routes
from harmony.errors import HarmonyError
from harmony.messages import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Conversation, Message

# Fields of a request that are made anew; the others are kept as they were.
MADE = {
    "messages", "input", "instructions", "tools", "functions", "builtin_tools", "tool_choice",
    "function_call", "parallel_tool_calls", "response_format", "text", "reasoning_effort",
    "reasoning", "model_identity", "knowledge_cutoff", "conversation_start_date",
    "add_generation_prompt", "chat_template_kwargs", "web_search_options",
    "previous_response_id", "conversation",
}  # fmt: skip


class RequestWriter:
    """A prompt, message by message, for a request of one API."""

    def __init__(
        self,
        source: Prompt | Conversation | Sequence[Message] | Iterable[int],
        encoding: HarmonyEncoding | None,
        api: str,
    ) -> None:
        self.prompt = (
            source if isinstance(source, Prompt) else from_harmony(source, encoding=encoding)
        )
        self.facts = self.prompt.facts
        self.routes = Routes(self.facts, self.prompt.recipients())
        kept = self.prompt.request if self.prompt.api == api else {}
        self.data: dict[str, Any] = {
            key: value for key, value in kept.items() if key not in MADE and value is not None
        }
        model = self.prompt.request.get("model")
        self.data.setdefault("model", model if isinstance(model, str) else self._encoding.name)
        # Calls that wait for their results: the tool, and the id.
        self._waiting: list[tuple[str, str]] = []
        self._ids = {id for _, id in self.prompt.call_ids}

    @property
    def _encoding(self) -> HarmonyEncoding:
        return self.prompt.encoding

    def messages(self) -> Iterator[tuple[Message, Route]]:
        """The messages that a request holds: all but the system message."""
        for message in self.prompt.conversation:
            author = message.author
            if any(isinstance(content, SystemContent) for content in message.content):
                continue
            yield (
                message,
                self.routes.of(author.role, author.name, message.recipient, message.channel),
            )

    def call_id(self, message: Message) -> str:
        """The id of a call, for the result that answers it."""
        id = self.prompt.id_of(message) or self._new_id()
        self._waiting.append((self.routes.called(message.recipient or ""), id))
        return id

    def answered(self, name: str) -> tuple[str, bool]:
        """The id of the call that a result answers, and whether there is such a call."""
        for waiting in self._waiting:
            if waiting[0] == name:
                self._waiting.remove(waiting)
                return waiting[1], True
        return self._new_id(), False

    def _new_id(self) -> str:
        number = len(self._ids)
        while f"call_{number}" in self._ids:
            number += 1
        self._ids.add(f"call_{number}")
        return f"call_{number}"

    def settings(self) -> dict[str, Any]:
        """What the system message says, where it is not the default."""
        words = self.facts.spec.table("system_message")
        found: dict[str, Any] = {}
        for message in self.prompt.conversation:
            for content in message.content:
                if not isinstance(content, SystemContent):
                    continue
                for field in ("model_identity", "knowledge_cutoff"):
                    value = getattr(content, field)
                    if value not in (None, words[field]):
                        found[field] = value
                if content.conversation_start_date:
                    found["conversation_start_date"] = content.conversation_start_date
        if self.prompt.next_turn_role is None:
            found["add_generation_prompt"] = False
        return found

    def lost(self, read: Callable[[], Prompt]) -> list[Dropped]:
        """What the request does not hold: where it reads back as something else."""
        try:
            again = read().conversation.messages
        except HarmonyError as error:
            return [Dropped("", f"the request cannot be read back: {error}")]
        own = [_seen(message) for message in self.prompt.conversation]
        other = [_seen(message) for message in again]
        if len(own) != len(other):
            rest = list(other)
            found = []
            for index, message in enumerate(own):
                if message in rest:
                    rest.remove(message)
                else:
                    found.append(Dropped(f"messages[{index}]", "it reads back otherwise"))
            return found or [Dropped("messages", "they read back in another number")]
        return [
            Dropped(f"messages[{index}].{field}", f"it reads back as {theirs[field]!r}")
            for index, (mine, theirs) in enumerate(zip(own, other, strict=True))
            for field in mine
            if mine[field] != theirs[field]
        ]


def instructions_of(message: Message) -> str | None:
    """The instructions of a system or developer message, whose tools stand elsewhere."""
    for content in message.content:
        if isinstance(content, DeveloperContent):
            return content.instructions
    return text_of_message(message)


def is_instruction(message: Message) -> bool:
    """Whether a message instructs the model."""
    return message.author.role in (Role.SYSTEM, Role.DEVELOPER)


def _seen(message: Message) -> dict[str, object]:
    """A message as it is compared: several texts are one."""
    fields = message.to_dict()
    fields["content"] = [c for c in fields["content"] if c["type"] != "text"] or None
    return {
        "channel": None,
        "recipient": None,
        "content_type": None,
        **fields,
        "text": text_of_message(message),
    }
