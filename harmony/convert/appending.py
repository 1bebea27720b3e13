"""What an agent loop adds to a prompt: completions, results of tools, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.convert.answers import Context, completion_key, read_answer
from harmony.convert.from_chat import read_chat_message
from harmony.convert.from_responses import read_item
from harmony.convert.history import Call
from harmony.convert.items import TYPES
from harmony.convert.parts import result_text
from harmony.convert.plain import Node, plain
from harmony.convert.prompt import Prompt
from harmony.convert.requests import RequestReader
from harmony.convert.routing import Kind
from harmony.errors import InvalidRequest
from harmony.validation import instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.convert.answers import Answer, Completion, Part
    from harmony.messages import Message
    from harmony.transcript import Transcript

CALLS = {Kind.FUNCTION, Kind.SEARCH, Kind.CODE}
NOBODY = Node(None)


def append_completion(prompt: Prompt, completion: Completion) -> Prompt:
    """Add what the model wrote; changes the prompt and returns it. Spec: [normal_form].

    From now on the messages are rendered as the very ids that were sampled, so that the
    prefix cache of a server holds; only `<|return|>` becomes `<|end|>`. A completion that was
    malformed is stored as it was read, with the ids of its contents.

    Args:
        prompt: the prompt that the model completed.
        completion: token ids, as sampled; or a `Transcript`, messages or text.

    Raises:
        InvalidMessage: the completion is of another type.
    """
    prompt = instance(prompt, Prompt)
    before = prompt.before(None)
    context = Context.of(prompt, None, None)
    answer = read_answer(completion, context, before=before)
    transcript = answer.transcript
    known = answer.parts if transcript is None else answer.parts[: len(transcript.messages)]
    messages = [part.message for part in known]
    key = completion_key(messages, transcript)
    # The ids of a text are not those that were sampled.
    sampled = None if isinstance(completion, str) else transcript
    if sampled is not None and sampled.diagnostics:
        messages = sampled.normalized().messages
    prompt.conversation.messages += messages + _outside(answer, context)
    prompt.remember(key, before)
    for message, tokens in zip(messages, _exact(prompt, sampled), strict=False):
        prompt.keep(message, tokens)
    for part, message in zip(known, messages, strict=True):
        call = _call(context, part)
        if call is not None:
            prompt.calls.append(call)
            assert call.id is not None
            prompt.call_ids.append((message, call.id))
    return prompt


def _outside(answer: Answer, context: Context) -> list[Message]:
    """The answer that stood outside all messages, as a message of its own."""
    if any(part.route.kind in (Kind.OTHER, Kind.RESULT) for part in answer.parts):
        # What others seem to have said is in the history as it is.
        return []
    found = answer.parts[answer.last + 1 :]
    return [part.message.with_channel(context.facts.answer) for part in found]


def _exact(prompt: Prompt, transcript: Transcript | None) -> list[list[int]]:
    """The ids of each message, from `<|start|>` to its terminator."""
    if transcript is None:
        return []
    normal = transcript.normalized()
    if transcript.diagnostics:
        # A header that was malformed is not to be repeated.
        ranges = [(span.header.start, span.terminator.stop) for span in normal.spans]
        return [normal.tokens[start:stop] for start, stop in ranges]
    found = []
    start = prompt.encoding.vocabulary.start_id
    for message, raw, tidy in zip(transcript.messages, transcript.spans, normal.spans, strict=True):
        tokens = transcript.tokens[raw.header.start : raw.content.stop]
        if tokens[:1] != [start]:
            tokens = [*prompt.encoding.renderer.turn(message.author.role), *tokens]
        found.append(tokens + normal.tokens[tidy.terminator.start : tidy.terminator.stop])
    return found


def _call(context: Context, part: Part) -> Call | None:
    recipient = part.message.recipient
    if part.route.kind not in CALLS or recipient is None:
        return None
    channel = context.routes.channel_of(recipient)
    item_id = part.ids.make(TYPES[part.route.kind][0])
    author = context.routes.answerer(recipient)
    return Call(part.ids.make("call_"), author, channel, aliases=(item_id,))


def append_tool_result(prompt: Prompt, call: str | Mapping[str, object], output: object) -> Prompt:
    """Add what a tool answered; changes the prompt and returns it.

    Args:
        prompt: a prompt to which the call was added.
        call: the call's id, or the call itself: an item of ``tool_calls``, a
            ``function_call`` item.
        output: text, or a value that is written as JSON.

    Raises:
        InvalidRequest: no call has that id, or the output cannot be written.
    """
    prompt = instance(prompt, Prompt)
    wanted = plain(call, "call")
    if isinstance(wanted, dict):
        wanted = wanted.get("call_id") or wanted.get("id")
    if not isinstance(wanted, str):
        raise InvalidRequest("expected the id of a call, or a call with an id", path="call")
    history = RequestReader.onward(prompt).history
    found = history.call_of(Node(wanted, "call"), NOBODY)
    node = Node(plain(output, "output"), "output")
    history.result(found, result_text(node, history.dropped), node)
    prompt.conversation.messages += history.messages
    prompt.dropped += history.dropped
    return prompt


def append_message(prompt: Prompt, message: Mapping[str, object] | object) -> Prompt:
    """Add a message of a request; changes the prompt and returns it.

    Args:
        prompt: a prompt.
        message: a message of Chat Completions; for a prompt of the Responses API an item.

    Raises:
        InvalidRequest: it cannot be converted.
    """
    prompt = instance(prompt, Prompt)
    reader = RequestReader.onward(prompt)
    node = Node(plain(message, "message"), "message")
    if prompt.api == "responses":
        read_item(reader, node, [])
    else:
        read_chat_message(reader, node)
    history = reader.history
    start = len(prompt.conversation.messages)
    prompt.conversation.messages += history.messages
    prompt.call_ids += [
        (prompt.conversation.messages[start + index], id) for index, id in history.ids.items()
    ]
    prompt.dropped += history.dropped
    return prompt
