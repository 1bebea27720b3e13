"""A completion, in whatever form it comes, read for conversion."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from harmony.convert.facts import Facts
from harmony.convert.identifiers import Identifiers
from harmony.convert.prompt import Before, Prompt
from harmony.convert.requests import own_encoding
from harmony.convert.routing import Kind, Route, Routes
from harmony.encoding import HarmonyEncoding
from harmony.errors import InvalidMessage, InvalidToken
from harmony.messages import Conversation, Message, Role
from harmony.transcript import Transcript, message_key
from harmony.validation import shortened, type_name
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.declared_tools import Tools
    from harmony.transcript import Diagnostic

# What a completion can be handed in as.
Completion: TypeAlias = "Conversation | Message | Sequence[Message] | Iterable[int] | str"
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter")
# Those that say that the model stopped by itself.
ENDED = {"stop", "tool_calls"}
# Diagnostics about text that no message holds.
LOST_TEXT = {"stray-text"}
# What a completion answers with: text, if there is any, or calls.
ANSWERS = {Kind.TEXT, Kind.FUNCTION, Kind.SEARCH, Kind.CODE}


@attrs.frozen
class Part:
    """A message of a completion, as the APIs see it."""

    message: Message
    route: Route
    text: str
    ids: Identifiers
    """Makes its ids."""


@attrs.frozen
class Context:
    """What a conversion goes by, beside the completion."""

    encoding: HarmonyEncoding
    facts: Facts
    routes: Routes
    tools: Tools
    prompt: Prompt | None

    @classmethod
    def of(
        cls, prompt: Prompt | HarmonyEncoding | None, encoding: HarmonyEncoding | None, tools: Tools
    ) -> Context:
        """From what a caller passes: a prompt, an encoding, declared tools, or none of them."""
        if isinstance(prompt, HarmonyEncoding):
            prompt, encoding = None, prompt
        if prompt is not None:
            if not isinstance(prompt, Prompt):
                raise InvalidMessage(
                    f"expected a Prompt or a HarmonyEncoding, got {type_name(prompt)}"
                )
            encoding = encoding or prompt.encoding
            tools = prompt.recipients() if tools is None else tools
        encoding = own_encoding(encoding)
        facts = Facts.of(encoding.spec)
        return cls(encoding, facts, Routes(facts, tools), tools, prompt)

    def before(self, completion: Sequence[object] | None = None) -> Before | None:
        """What stands before this completion, if the prompt is known."""
        return None if self.prompt is None else self.prompt.before(completion)


def identifiers(before: Before | None) -> Identifiers:
    """The ids of a completion."""
    return Identifiers(b"" if before is None else before.seed)


@attrs.frozen
class Answer:
    """A completion that was read."""

    parts: list[Part]
    complete: bool
    """Whether it ended by itself; False where it was cut short."""
    cut: bool
    """Whether its last message was cut short."""
    last: int
    """The index of that message; text from outside all messages stands behind it."""
    transcript: Transcript | None
    """Where it stood in the tokens, if there are any."""
    before: Before | None
    """The prompt, if it is known."""

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong with it."""
        return [] if self.transcript is None else self.transcript.diagnostics


@attrs.frozen
class Usage:
    """Numbers of tokens."""

    prompt: int
    """Of the prompt; 0 where it is not known."""
    completion: int
    """Of the completion."""
    reasoning: int
    """Of the contents of its reasoning."""


def read_answer(
    completion: Completion,
    context: Context,
    finish_reason: str | None = None,
    before: Before | None = None,
) -> Answer:
    """The messages of a completion, and what they are to the APIs.

    Args:
        completion: messages, a transcript, token ids, or text.
        context: the tools and the encoding.
        finish_reason: what the server says of its end; None to go by the tokens.
        before: the prompt as it was, if that was asked already.

    Raises:
        InvalidMessage: it is none of these.
        InvalidToken: it is no sequence of ids. What the ids say is read in any case.
    """
    check_finish_reason(finish_reason)
    transcript: Transcript | None = None
    if isinstance(completion, Conversation):
        messages = completion.messages
        transcript = completion if isinstance(completion, Transcript) else None
    elif isinstance(completion, Message):
        messages = [completion]
    elif isinstance(completion, str):
        from harmony.text_recovery import recover_text

        transcript = recover_text(completion, tools=context.tools, encoding=context.encoding)
        messages = transcript.messages
    else:
        items: Sequence[Any] = ids_of(cast("Iterable[int]", completion))
        if items and not hasattr(items[0], "__index__"):
            messages = Conversation([*items]).messages
        else:
            transcript = context.encoding.parse(
                checked_ids(items), Role.ASSISTANT, strict=False, tools=context.tools
            )
            messages = transcript.messages
    ended = None if finish_reason is None else finish_reason in ENDED
    if transcript is None:
        complete = ended is not False
        cut = not complete
    else:
        complete = is_complete(transcript, context.encoding) if ended is None else ended
        cut = not ended and is_cut(transcript)
    before = before or context.before(completion_key(messages, transcript))
    ids = identifiers(before)
    parts = [_part(message, context, ids) for message in messages]
    last = len(parts) - 1
    return Answer(_with_answer(parts, transcript), complete, cut, last, transcript, before)


def completion_key(messages: Sequence[Message], transcript: Transcript | None) -> Sequence[object]:
    """What tells a completion from others: its ids, or what its messages say."""
    if transcript is not None:
        return transcript.tokens
    return [message_key(message) for message in messages]


def checked_ids(tokens: Iterable[object]) -> list[int]:
    """``tokens`` as integers; whether the vocabulary has them is another matter.

    Raises:
        InvalidToken: one of them is none.
    """
    ids = []
    for index, token in enumerate(tokens):
        if not hasattr(token, "__index__"):
            raise InvalidToken(
                f"expected a sequence of token ids; item {index} is {type_name(token)}: "
                f"{shortened(token)}"
            )
        ids.append(operator.index(token))
    return ids


def check_finish_reason(reason: str | None) -> None:
    """Raise `InvalidMessage` for what is no finish reason."""
    if reason is not None and reason not in FINISH_REASONS:
        known = ", ".join(map(repr, FINISH_REASONS))
        raise InvalidMessage(f"finish_reason: expected one of {known}, got {reason!r}")


def is_complete(transcript: Transcript, encoding: HarmonyEncoding) -> bool:
    """Whether the last message has its terminator, and no other message begins after it."""
    spans, tokens = transcript.spans, transcript.tokens
    if not spans:
        return bool(tokens) and encoding.structure.get(tokens[-1]) == "terminator"
    opening = {encoding.spec.token(name).id for name in ("start", "channel")}
    rest = tokens[spans[-1].terminator.stop :]
    return is_terminated(transcript) and opening.isdisjoint(rest)


def is_terminated(transcript: Transcript) -> bool:
    """Whether the last message has its terminator."""
    if not transcript.spans:
        return True
    start, stop = transcript.spans[-1].terminator
    return start < stop


def is_cut(transcript: Transcript) -> bool:
    """Whether the tokens end within the last message.

    One that lacks its terminator is whole where another begins: `hi` in ``hi<|start|>``.
    """
    if is_terminated(transcript):
        return False
    return transcript.spans[-1].terminator.stop == len(transcript.tokens)


def _part(message: Message, context: Context, ids: Identifiers) -> Part:
    own = ids.copy()
    author, text = message.author, message_text(message)
    routing = (author.name, message.recipient, message.channel, message.content_type)
    route = context.routes.of(author.role, author.name, message.recipient, message.channel)
    ids.pass_over(author.role, routing, text)
    return Part(message, route, text, own)


def message_text(message: Message) -> str:
    """The text of a message; structured content as JSON."""
    texts = (getattr(part, "text", None) for part in message.content)
    return "".join(
        part.to_json() if text is None else text
        for part, text in zip(message.content, texts, strict=True)
    )


def _with_answer(parts: list[Part], transcript: Transcript | None) -> list[Part]:
    """``parts``; where none of them is an answer, though text was produced, that text is."""
    if transcript is None:
        return parts
    text = stray_text([(p.route.kind, p.text) for p in parts], transcript.diagnostics)
    if not text:
        return parts
    message = Message.from_role_and_content(Role.ASSISTANT, text)
    return [*parts, Part(message, Route(Kind.TEXT), text, Identifiers.of(text))]


def stray_text(found: Sequence[tuple[Kind, str]], diagnostics: Sequence[Diagnostic]) -> str:
    """The text of a completion that holds no answer; empty if it holds one.

    That is what stands outside all messages: ``4`` in ``<|end|>4``, behind the reasoning.
    Where not even reasoning was produced, it is the text of others too, whoever seems to
    have said it.
    """
    if any(kind in ANSWERS and (text or kind is not Kind.TEXT) for kind, text in found):
        return ""
    texts: list[str] = []
    if not any(kind is Kind.REASONING and text for kind, text in found):
        texts += [text for kind, text in found if kind in (Kind.OTHER, Kind.RESULT)]
    texts += [note.text for note in diagnostics if note.code in LOST_TEXT]
    return "\n".join(text for text in texts if text.strip())


def usage_numbers(answer: Answer) -> Usage | None:
    """How many tokens there are; None where the completion is not known as tokens."""
    transcript = answer.transcript
    if transcript is None:
        return None
    reasoning = sum(
        span.content.stop - span.content.start
        for part, span in zip(answer.parts, transcript.spans, strict=False)
        if part.route.kind is Kind.REASONING
    )
    prompt = 0 if answer.before is None else answer.before.tokens
    return Usage(prompt, len(transcript.tokens), reasoning)
