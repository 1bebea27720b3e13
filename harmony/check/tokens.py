"""Tokens of any kind, read to be checked: prompts, completions, whole conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.check.subject import Tokens
from harmony.errors import HarmonyError
from harmony.messages import Role
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Message


def read(
    encoding: HarmonyEncoding, tokens: Sequence[int], role: Role | None, tools: Tools
) -> tuple[list[Message], Tokens, bool]:
    """The messages, the tokens, and whether these leave the last turn open, as a prompt does.

    Without ``role``, tokens that do not begin a message are a completion, whose role the
    spec says: [recovery]. Raises `InvalidMessage` for what are no tokens.
    """
    ids = list(ids_of(tokens))
    if role is None and _is_completion(encoding, ids):
        role = Role(encoding.spec.table("recovery")["default_role"])
    stop = len(ids) if role is not None else _open_header(encoding, ids)
    is_open = stop < len(ids)
    transcript = encoding.parse(ids[:stop], role, strict=False, tools=tools)
    if transcript.diagnostics and tools is None:
        # How a damaged header reads depends on the tools; the prompt itself may declare them.
        declared = encoding.checker.recipients(transcript.messages)
        if declared:
            transcript = encoding.parse(ids[:stop], role, strict=False, tools=declared)
    spans = transcript.spans
    if role is None and spans:
        last = spans[-1].terminator
        # A prompt may end inside a content, which the model is to go on with.
        is_open = is_open or last.start == last.stop
    return transcript.messages, Tokens(ids, spans, transcript.diagnostics), is_open


def _is_completion(encoding: HarmonyEncoding, ids: list[int]) -> bool:
    """Whether the first special token is another than the one that opens a message."""
    first_special = encoding.vocabulary.first_special
    special = next((token for token in ids if token >= first_special), None)
    return bool(ids) and special != encoding.spec.token("start").id


def _open_header(encoding: HarmonyEncoding, ids: list[int]) -> int:
    """Where the header begins inside which a prompt ends; the number of ids if none does."""
    start, message = (encoding.spec.token(name).id for name in ("start", "message"))
    for index in range(len(ids) - 1, -1, -1):
        if ids[index] == message:
            break
        if ids[index] == start:
            try:
                encoding.parse([*ids[index:], message])
            except HarmonyError:
                break
            return index
    return len(ids)
