"""Conversations and the tokens of prompts, as prompts: what they declare is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from harmony.contents import DeveloperContent, SystemContent
from harmony.convert.answers import checked_ids
from harmony.convert.history import Call
from harmony.convert.prompt import Prompt
from harmony.convert.request_settings import AnswerFormat
from harmony.convert.requests import own_encoding
from harmony.convert.routing import Kind, Routes
from harmony.messages import Conversation, Role
from harmony.transcript import Transcript
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.convert.facts import Facts
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Message


def from_harmony(
    source: Conversation | Sequence[Message] | Iterable[int],
    *,
    encoding: HarmonyEncoding | None = None,
) -> Prompt:
    """The prompt that a conversation is, or that token ids spell. Spec: [conversion].

    Args:
        source: a conversation, messages, or the token ids of a prompt, of which whatever
            they are is read.
        encoding: the default one if None.

    Raises:
        InvalidMessage: it is none of these.
    """
    encoding = own_encoding(encoding)
    turn: Role | None = Role.ASSISTANT
    if isinstance(source, Conversation):
        conversation = Conversation(list(source.messages))
        if isinstance(source, Transcript):
            turn = source.next_turn_role
    else:
        items: Sequence[Any] = ids_of(cast("Iterable[int]", source))
        if items and not hasattr(items[0], "__index__"):
            conversation = Conversation([*items])
        else:
            transcript = encoding.parse_conversation(checked_ids(items), strict=False)
            conversation, turn = transcript.conversation, transcript.next_turn_role
    prompt = Prompt(conversation, encoding, next_turn_role=turn)
    facts = prompt.facts
    for message in conversation:
        for content in message.content:
            if isinstance(content, SystemContent):
                prompt.builtin_tools += [n for n in content.tools or {} if n in facts.channels]
            elif isinstance(content, DeveloperContent):
                functions = (content.tools or {}).get(facts.functions)
                prompt.tools += [] if functions is None else functions.tools
                for format in (content.response_formats or [])[:1]:
                    prompt.answer_format = AnswerFormat("json_schema", format)
    _number(prompt, facts)
    return prompt


def _number(prompt: Prompt, facts: Facts) -> None:
    """Give the calls ids, and note which are answered."""
    routes = Routes(facts, prompt.recipients())
    for message in prompt.conversation:
        author, recipient = message.author, message.recipient
        route = routes.of(author.role, author.name, recipient, message.channel)
        if route.kind in (Kind.FUNCTION, Kind.SEARCH, Kind.CODE) and recipient is not None:
            channel = routes.channel_of(recipient)
            call = Call(f"call_{len(prompt.calls)}", recipient, channel)
            prompt.calls.append(call)
            prompt.call_ids.append((message, f"call_{len(prompt.calls) - 1}"))
        elif route.kind is Kind.RESULT:
            for call in prompt.calls:
                if call.recipient == author.name and not call.answered:
                    call.answered = True
                    break
