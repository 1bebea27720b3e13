"""What a parse gives: the messages, where each stood in the tokens, and what was noticed."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import attrs

from harmony.contents import TextContent
from harmony.messages import Conversation, extra_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony.messages import Message, Role
    from harmony.vocabulary import Vocabulary


class TokenRange(NamedTuple):
    """Tokens from index ``start`` up to, not including, ``stop``."""

    start: int
    stop: int


@attrs.frozen
class Span:
    """Where a message stood: three ranges that follow one another. Spec: [format]."""

    header: TokenRange
    """From `<|start|>` (or the first token, where the prompt held it) to `<|message|>`."""
    content: TokenRange
    """The content."""
    terminator: TokenRange
    """The terminator; empty if there was none."""

    @classmethod
    def between(cls, start: int, content: int, terminator: int, stop: int) -> Span:
        """The span whose parts begin at these tokens, the last one ending before ``stop``."""
        return cls(
            TokenRange(start, content),
            TokenRange(content, terminator),
            TokenRange(terminator, stop),
        )


@attrs.frozen
class Edit:
    """One change of a message."""

    message_index: int
    """Which message, as they are numbered before any change."""
    field: str
    """The field that is set (``"channel"``), or ``"position"``."""
    value: str | int | None
    """What it is set to; the index to which the message moves, or None to take it out."""


@attrs.frozen
class Fix:
    """How a problem goes away; `apply_fixes` does it. Spec: [[rules]]."""

    description: str
    """What it does, in words."""
    edits: tuple[Edit, ...] = ()
    """The changes; none where it is enough to render the conversation anew."""


@attrs.frozen
class Diagnostic:
    """What a lenient parser bore, or a check found. Spec: [[leniencies]], [[rules]]."""

    code: str
    """The rule: ``"HAR305"``; of a parser, the leniency: ``"repeated-recipient"``."""
    message: str
    """What is wrong, in words, with the text it is about."""
    tokens: TokenRange | None = None
    """Where, in the tokens that were parsed or checked; None where there are none."""
    severity: str = "warning"
    """``"info"``, ``"warning"`` or ``"error"``."""
    text: str = ""
    """The text that it is about, word for word."""
    name: str = attrs.field(default="", kw_only=True)
    """The rule's name: ``"arguments-json"``, ``"repeated-recipient"``; empty of a parser."""
    message_index: int | None = attrs.field(default=None, kw_only=True)
    """The message that it is about, counted from 0; None where it is about none, or all."""
    json_path: str | None = attrs.field(default=None, kw_only=True)
    """The place in the JSON that it is about, as in ``"$.days[0]"``: in the arguments of a call,
    in an answer, in the declaration of a tool."""
    fix: Fix | None = attrs.field(default=None, kw_only=True)
    """How the problem goes away, where that is certain."""

    @property
    def place(self) -> str:
        """Where, in words: ``"message 0, tokens 9-19"``; empty where it is about the whole."""
        places = []
        if self.message_index is not None:
            places.append(f"message {self.message_index}")
        if self.tokens is not None:
            start, stop = self.tokens
            several = stop - start > 1
            places.append(f"tokens {start}-{stop - 1}" if several else f"token {start}")
        return ", ".join(places)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data; ``tokens`` is a list of two integers."""
        out = attrs.asdict(self)
        out["tokens"] = None if self.tokens is None else list(self.tokens)
        if self.fix is not None:
            out["fix"]["edits"] = [attrs.asdict(edit) for edit in self.fix.edits]
        return out


Bounds: TypeAlias = tuple[int, int, int, int]
"""Where a message stood in the lexed bytes: where it starts, where its content starts, where
that ends, and where the terminator ends."""


@attrs.frozen
class ExactMessage:
    """The very ids that a message was parsed from."""

    header: list[int]
    content: list[int]
    terminator: list[int]
    in_prompt: bool
    """Whether `<|start|>` and the role are missing, since the prompt held them."""


def message_key(message: Message) -> tuple[object, ...]:
    """What tells two messages apart: equal messages have equal keys."""
    author = message.author
    contents = tuple(
        content.text if isinstance(content, TextContent) else (content.kind, content.to_json())
        for content in message.content
    )
    routing = (message.channel, message.recipient, message.content_type, extra_key(message))
    return (author.role, author.name, *routing, contents)


class Transcript(Conversation):
    """The result of `HarmonyEncoding.parse`: a conversation that knows its tokens.

    Attributes:
        messages: the messages, in their order.
        tokens: the ids that were parsed.
        diagnostics: what was noticed; empty after a strict parse.
        next_turn_role: whose turn the tokens open at their end, as a prompt does; only
            `HarmonyEncoding.parse_conversation` reads that.
    """

    def __init__(
        self,
        messages: list[Message],
        tokens: Sequence[int],
        bounds: list[Bounds],
        vocabulary: Vocabulary,
        diagnostics: Sequence[Diagnostic] = (),
        spans: list[Span] | None = None,
    ) -> None:
        super().__init__(messages)
        self.tokens = list(tokens)
        self.next_turn_role: Role | None = None
        self.diagnostics = list(diagnostics)
        self._bounds = bounds
        self._vocabulary = vocabulary
        self._spans = spans
        self._normalize: Callable[[Transcript], Transcript] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        state = (self.messages, self.tokens, self.diagnostics, self.spans, self.next_turn_role)
        return _restored, (state, self._normalize)

    @property
    def spans(self) -> list[Span]:
        """Where each message stood in `tokens`; as many as there are `messages`."""
        if self._spans is None:
            self._spans = token_spans(self.tokens, self._bounds, self._vocabulary)
        return list(self._spans)

    @property
    def conversation(self) -> Conversation:
        """The messages as a conversation."""
        return Conversation.from_messages(self.messages)

    def normalized(self) -> Transcript:
        """The conversation as it is stored for the next turn. Spec: [normal_form].

        Headers are the dialect's, every message has its terminator (`<|end|>`, or `<|call|>`
        for a call; never `<|return|>`), and what stands between messages is gone. Contents
        keep the very ids that they were parsed from, unless those hold special tokens or ids
        that the vocabulary lacks.
        """
        assert self._normalize is not None, "made by an encoding"
        return self._normalize(self)

    def exact_messages(self) -> dict[tuple[object, ...], list[ExactMessage]]:
        """For each message (its `message_key`) the ids that it was parsed from.

        Equal messages share a key; their ids stand in the order of the messages.
        """
        found: dict[tuple[object, ...], list[ExactMessage]] = {}
        tokens = self.tokens
        start = self._vocabulary.start_id
        for message, span in zip(self.messages, self.spans, strict=True):
            header, content, terminator = (
                tokens[part.start : part.stop]
                for part in (span.header, span.content, span.terminator)
            )
            in_prompt = start not in header
            exact = ExactMessage(header, content, terminator, in_prompt)
            found.setdefault(message_key(message), []).append(exact)
        return found

    def __repr__(self) -> str:
        return (
            f"Transcript({len(self.messages)} messages, {len(self.tokens)} tokens, "
            f"{len(self.diagnostics)} diagnostics)"
        )


def _restored(state: Any, normalize: Any) -> Transcript:
    """The transcript that was pickled or copied; ``normalize`` is a method of its encoding."""
    messages, tokens, diagnostics, spans, next_turn_role = state
    vocabulary = normalize.__self__.vocabulary
    transcript = Transcript(messages, tokens, [], vocabulary, diagnostics, spans)
    transcript.next_turn_role = next_turn_role
    transcript._normalize = normalize  # noqa: SLF001 (one of its own)
    return transcript


def token_spans(
    tokens: Sequence[int], bounds: Sequence[Bounds], vocabulary: Vocabulary
) -> list[Span]:
    """The spans in ``tokens`` of the messages that stood at ``bounds`` in their bytes."""
    table = vocabulary.table
    ends = list(accumulate((len(table[token]) for token in tokens), initial=0))
    return [Span.between(*(bisect_left(ends, offset) for offset in bound)) for bound in bounds]
