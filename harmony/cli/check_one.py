"""One conversation or run of tokens, as ``harmony check`` checks and fixes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.check.excerpts import excerpt
from harmony.check.fixes import fixed
from harmony.check.tokens import read
from harmony.cli.check_reports import Found
from harmony.messages import Conversation, Role
from harmony.options import RenderConversationConfig

if TYPE_CHECKING:
    from harmony.cli.check_inputs import Input
    from harmony.cli.check_settings import Settings
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Message
    from harmony.transcript import Diagnostic

# A fix can bring another finding into sight; so many rounds, and what is left stays.
ROUNDS = 8


class CheckedInput:
    """An input, what is found in it, and what becomes of it.

    Raises `HarmonyError` where it holds no conversation and no tokens.
    """

    def __init__(
        self, encoding: HarmonyEncoding, source: Input, settings: Settings, role: str | None
    ) -> None:
        self._encoding = encoding
        self._source = source
        self._settings = settings
        self._role = None if role is None else Role(role)
        self._tools = settings.tools if settings.tools is not None else source.declared("tools")
        self.document = source.document
        """The document, fixed if it was."""
        self._tokens: list[int] | None = None
        self._conversation: Conversation | None = None
        if source.is_conversation:
            self._conversation = source.conversation()
        else:
            self._tokens = source.tokens(encoding)
        self._diagnostics = self._check()

    def _check(self) -> list[Diagnostic]:
        settings = self._settings
        checked = self._conversation if self._conversation is not None else self._tokens
        assert checked is not None
        response_format = settings.response_format
        if response_format is None:
            response_format = self._source.declared("response_format")
        return self._encoding.check(
            checked,
            select=settings.select,
            ignore=settings.ignored(self._source.file),
            tools=self._tools,
            response_format=response_format,
            context=settings.context,
            role=self._role,
        )

    # ---- findings ------------------------------------------------------------------------

    def found(self) -> list[Found]:
        """What is wrong, with the place in the file."""
        if not self._diagnostics:
            return []
        messages, lines = self._messages_and_lines()
        out = []
        for diagnostic in self._diagnostics:
            index = diagnostic.message_index
            line = self._source.line if index is None or index >= len(lines) else lines[index]
            shown = excerpt(
                self._encoding,
                diagnostic,
                tokens=self._tokens,
                message=None if index is None else messages[index],
            )
            out.append(Found(self._source.file, line, diagnostic, shown))
        return out

    def _messages_and_lines(self) -> tuple[list[Message], list[int]]:
        source = self._source
        if self._conversation is not None:
            return self._conversation.messages, source.lines
        assert self._tokens is not None
        reading = read(self._encoding, self._tokens, self._role, self._tools)
        messages = reading.transcript.messages
        if not source.is_text:
            return messages, []
        starts = [span.header.start for span in reading.tokens.spans]
        return messages, source.text_lines(starts, self._encoding, self._tokens)

    # ---- fixes ---------------------------------------------------------------------------

    def fixed(self) -> int:
        """Do what the findings propose, in `document`; how many findings that were."""
        done = 0
        for _ in range(ROUNDS):
            count = sum(diagnostic.fix is not None for diagnostic in self._diagnostics)
            if not count:
                break
            if self._conversation is not None:
                self._fix_conversation()
            else:
                self._fix_tokens()
            self._diagnostics = self._check()
            done += count
        return done

    def _fix_conversation(self) -> None:
        assert self._conversation is not None
        raw = self._raw_messages()
        changed = fixed(self._conversation.messages, self._diagnostics)
        before = self._conversation.messages
        written = [
            raw[index] if message is before[index] else _updated(raw[index], message)
            for index, message in changed
        ]
        self._conversation = Conversation.from_messages([message for _, message in changed])
        if isinstance(self.document, dict) and "messages" in self.document:
            self.document = {**self.document, "messages": written}
        elif isinstance(self.document, dict):
            self.document = written[0]
        else:
            self.document = written

    def _raw_messages(self) -> list[Any]:
        if isinstance(self.document, dict):
            messages: list[Any] = self.document.get("messages", [self.document])
            return messages
        return list(self.document)

    def _fix_tokens(self) -> None:
        """Render what was read anew: headers as the dialect has them, contents with their ids."""
        assert self._tokens is not None
        encoding = self._encoding
        reading = read(encoding, self._tokens, self._role, self._tools)
        changed = fixed(reading.transcript.messages, self._diagnostics)
        conversation = Conversation.from_messages([message for _, message in changed])
        ids = encoding.render_tokens(
            conversation,
            config=RenderConversationConfig(auto_drop_analysis=False),
            reuse=reading.transcript.normalized(),
        ).tokens
        if reading.role is not None:
            # The prompt held it.
            turn = encoding.renderer.turn(reading.role)
            ids = ids[len(turn) :] if ids[: len(turn)] == turn else ids
        stop = encoding.renderer.training_terminator
        if not reading.rest and reading.tokens.is_unended:
            ids.pop()
        elif self._tokens[-1:] == [stop] and self._ends_with_answer(conversation):
            ids[-1] = stop
        self._tokens = ids + reading.rest
        self._write_tokens()

    def _ends_with_answer(self, conversation: Conversation) -> bool:
        messages = conversation.messages
        return bool(messages) and self._encoding.renderer.ends_training(messages[-1])

    def _write_tokens(self) -> None:
        assert self._tokens is not None
        document = self.document
        if isinstance(document, str):
            self.document = self._encoding.decode(self._tokens)
        elif isinstance(document, dict) and "text" in document and "tokens" not in document:
            self.document = {**document, "text": self._encoding.decode(self._tokens)}
        elif isinstance(document, dict):
            self.document = {**document, "tokens": self._tokens}
        else:
            self.document = self._tokens


def _updated(raw: dict[str, Any], message: Message) -> dict[str, Any]:
    """The message as it stood in the document, with the fields that a fix may set."""
    out = dict(raw)
    fields = {
        "name": message.author.name,
        "channel": message.channel,
        "recipient": message.recipient,
        "content_type": message.content_type,
    }
    for key, value in fields.items():
        if value is not None:
            out[key] = value
        elif key in out:
            del out[key]
    return out
