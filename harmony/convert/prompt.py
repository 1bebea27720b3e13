"""A request as Harmony has it: the conversation, the tools, the format of the answer."""

from __future__ import annotations

import hashlib
import importlib
from array import array
from typing import TYPE_CHECKING, Any

import attrs

from harmony.contents import SystemContent
from harmony.convert.facts import Facts
from harmony.errors import MissingExtra
from harmony.messages import Role
from harmony.transcript import message_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.contents import ResponseFormat
    from harmony.convert.history import Call
    from harmony.convert.plain import Dropped
    from harmony.convert.request_settings import AnswerFormat
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Conversation, Message
    from harmony.options import RenderConversationConfig
    from harmony.tools import ToolDescription


@attrs.frozen(eq=False)
class Sampled:
    """A message that a model wrote, with the very ids that it sampled."""

    message: Message
    key: tuple[object, ...]
    """What it said; where that was changed since, the ids no longer hold."""
    tokens: list[int]
    """Its ids, from `<|start|>` to the terminator."""


@attrs.frozen
class Before:
    """A prompt as it was before a completion."""

    seed: bytes
    """What the ids of its calls are derived from."""
    tokens: int
    """How many tokens it had."""


@attrs.define(eq=False)
class Prompt:
    """What `from_chat_request` and `from_responses_request` make of a request.

    `append_completion`, `append_tool_result` and `append_message` change it and return it.
    """

    conversation: Conversation
    """The messages: system, developer, and the history."""
    encoding: HarmonyEncoding
    """What renders them."""
    tools: list[ToolDescription] = attrs.field(factory=list)
    """The declared functions."""
    builtin_tools: list[str] = attrs.field(factory=list)
    """The declared built-in namespaces: ``"browser"``, ``"python"``."""
    answer_format: AnswerFormat | None = None
    """The format of the answer; None for free text."""
    tool_choice: str = "auto"
    """``"auto"``, ``"none"``, ``"required"``, or the name of the tool to call."""
    allowed_tools: list[str] | None = None
    """The names of the tools that may be called; None for all that are declared."""
    parallel_tool_calls: bool = True
    """Whether the model may call several tools in one completion."""
    next_turn_role: Role | None = Role.ASSISTANT
    """Whose turn the ids open at their end; None for nobody's."""
    config: RenderConversationConfig | None = None
    """Which messages are rendered; None for the format's default."""
    dropped: list[Dropped] = attrs.field(factory=list)
    """What the request says and Harmony cannot hold, by path."""
    api: str = "chat"
    """Which API the request was of: ``"chat"`` or ``"responses"``."""
    request: dict[str, Any] = attrs.field(factory=dict, repr=False)
    """The request as plain data: sampling parameters and all."""
    calls: list[Call] = attrs.field(factory=list, repr=False)
    """The calls of the history, for the results that answer them."""
    call_ids: list[tuple[Message, str]] = attrs.field(factory=list, repr=False)
    """The messages that are calls, and their ids."""
    _sampled: list[Sampled] = attrs.field(factory=list, repr=False)
    _appended: tuple[tuple[object, ...], Before, int] | None = attrs.field(default=None, repr=False)

    @property
    def facts(self) -> Facts:
        """What the encoding's spec says of conversion."""
        return Facts.of(self.encoding.spec)

    @property
    def response_format(self) -> ResponseFormat | None:
        """The schema that the answer keeps to, with its name and description."""
        return None if self.answer_format is None else self.answer_format.format

    @property
    def reasoning_effort(self) -> str | None:
        """The effort that the system message asks for: ``"low"``, ``"medium"``, ``"high"``."""
        for message in self.conversation:
            for content in message.content:
                if isinstance(content, SystemContent) and content.reasoning_effort is not None:
                    rows = self.encoding.spec.rows("reasoning_efforts")
                    effort = content.reasoning_effort.value
                    return next((row["text"] for row in rows if row["value"] == effort), None)
        return None

    @property
    def callable_tools(self) -> list[ToolDescription]:
        """The functions that the model may call."""
        if self.allowed_tools is None:
            return list(self.tools)
        return [tool for tool in self.tools if tool.name in self.allowed_tools]

    def render(self) -> list[int]:
        """The token ids of the prompt; what the model sampled itself keeps its ids.

        Raises:
            RenderError: the format cannot express a message.
            InvalidSchema: a tool's parameters cannot be written.
        """
        rendering = self.encoding.render_tokens(self.conversation, self.next_turn_role, self.config)
        if not self._sampled:
            return rendering.tokens
        exact = {id(sampled.message): sampled for sampled in self._sampled}
        tokens: list[int] = []
        end = 0
        for index, span in zip(rendering.messages, rendering.spans, strict=True):
            message = self.conversation.messages[index]
            start, end = span.header.start, span.terminator.stop
            sampled = exact.get(id(message))
            if sampled is not None and sampled.key == message_key(message):
                tokens += sampled.tokens
            else:
                tokens += rendering.tokens[start:end]
        return tokens + rendering.tokens[end:]

    def text(self) -> str:
        """The prompt as text, special tokens spelled out. Raises as `render` does."""
        return self.encoding.decode(self.render())

    def grammar(self, **options: object) -> Any:
        """The grammar of the completions that this request allows.

        It is a `harmony.constrain.CompletionGrammar`; ``options`` are those of
        `harmony.constrain.completion_grammar`, and come before what the request says.

        Raises:
            MissingExtra: the room of constrained decoding is not installed.
            HarmonyError: the tools or the format cannot be turned into a grammar.
        """
        try:
            constrain = importlib.import_module("harmony.constrain")
        except ImportError as error:
            raise MissingExtra(
                "constrained decoding is not installed: pip install 'harmony-format[constrain]'"
            ) from error
        start = "none" if self.next_turn_role is None else self.next_turn_role.value
        allowed = self.allowed_tools
        asked: dict[str, object] = {
            "tools": self.callable_tools,
            "response_format": self.response_format,
            "tool_choice": self.tool_choice,
            "builtin_tools": [n for n in self.builtin_tools if allowed is None or n in allowed],
            "start": start,
            "parallel_tool_calls": self.parallel_tool_calls,
        }
        return constrain.completion_grammar(self.encoding, **(asked | options))

    # ---- for the room ----------------------------------------------------------------------

    def recipients(self) -> list[str]:
        """The declared tools as recipients, which a lenient reading may need."""
        facts = self.facts
        names = [facts.called(tool.name) for tool in self.tools]
        for namespace in self.builtin_tools:
            inner = facts.built_in(namespace).tools
            names += [f"{namespace}.{tool.name}" for tool in inner] or [namespace]
        return names

    def keep(self, message: Message, tokens: Sequence[int]) -> None:
        """Render ``message`` as these ids from now on."""
        self._sampled.append(Sampled(message, message_key(message), list(tokens)))

    def before(self, completion: Sequence[object] | None = None) -> Before:
        """What stands before a completion: this prompt.

        Of the completion that was appended last it is the prompt before that, so that its
        calls have the same ids whether a program converts first or appends first. Once
        something else is appended, the same completion is another turn's.

        Args:
            completion: its token ids, or the `message_key`s of its messages.
        """
        if completion is not None and self._appended is not None:
            appended, before, length = self._appended
            if appended == tuple(completion) and length == len(self.conversation.messages):
                return before
        tokens = self.render()
        seed = hashlib.blake2b(array("I", tokens).tobytes(), digest_size=16).digest()
        return Before(seed, len(tokens))

    def remember(self, completion: Sequence[object], before: Before) -> None:
        """Note what stood before a completion that was appended."""
        self._appended = (tuple(completion), before, len(self.conversation.messages))

    def id_of(self, message: Message) -> str | None:
        """The id of a call, if the history gave it one."""
        return next((id for other, id in self.call_ids if other is message), None)
