"""Tokens of any kind, read to be checked: prompts, completions, whole conversations."""

from __future__ import annotations

import contextlib
import operator
from typing import TYPE_CHECKING

import attrs

from harmony.check.subject import Tokens
from harmony.errors import HarmonyError, InvalidToken
from harmony.messages import Role
from harmony.validation import shortened, type_name
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding
    from harmony.transcript import Transcript


@attrs.frozen(eq=False)
class Reading:
    """What tokens say."""

    transcript: Transcript
    """The messages, read leniently; of the tokens before an open header."""
    tokens: Tokens
    """All tokens."""
    role: Role | None
    """The role that the prompt of a completion ended with; None if the tokens are no completion."""
    rest: list[int]
    """The header inside which a prompt ends."""
    is_open: bool
    """Whether the last turn is open: there is such a header, or a prompt ends in a content."""


def read(
    encoding: HarmonyEncoding, tokens: Sequence[int], role: Role | None, tools: Tools
) -> Reading:
    """Read tokens to check them.

    Without ``role``, tokens that do not begin a message are a completion, whose role the
    spec says: [recovery]. Raises `InvalidToken` for what are no integers.
    """
    ids = [_id(token, index) for index, token in enumerate(ids_of(tokens))]
    if role is None and _is_completion(encoding, ids):
        role = Role(encoding.spec.table("recovery")["default_role"])
    stop = len(ids) if role is not None else _open_header(encoding, ids)
    transcript = encoding.parse(ids[:stop], role, strict=False, tools=tools)
    if transcript.diagnostics and tools is None:
        # How a damaged header reads depends on the tools; the prompt itself may declare them.
        declared = encoding.checker.recipients(transcript.messages)
        if declared:
            transcript = encoding.parse(ids[:stop], role, strict=False, tools=declared)
    found = Tokens(ids, transcript.spans, transcript.diagnostics)
    is_open = stop < len(ids) or (
        role is None and found.ends_in_content(encoding.spec.token("start").id)
    )
    return Reading(transcript, found, role, ids[stop:], is_open)


def _id(token: object, index: int) -> int:
    if type(token) is int:
        return token
    try:
        # An integer of numpy's, say; `True` is one to Python only.
        return operator.index("" if isinstance(token, bool) else token)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidToken(
            f"expected token ids; item {index} is {type_name(token)}: {shortened(token)}",
            position=index,
        ) from None


def _is_completion(encoding: HarmonyEncoding, ids: list[int]) -> bool:
    """Whether the first special token is another than the one that opens a message."""
    vocabulary = encoding.vocabulary
    known = (token for token in ids if vocabulary.has(token))
    special = next((token for token in known if token >= vocabulary.first_special), None)
    return bool(ids) and special != encoding.spec.token("start").id


def _open_header(encoding: HarmonyEncoding, ids: list[int]) -> int:
    """Where the header begins inside which a prompt ends; the number of ids if none does."""
    start, message = (encoding.spec.token(name).id for name in ("start", "message"))
    for index in range(len(ids) - 1, -1, -1):
        if ids[index] == message:
            break
        if ids[index] == start:
            # A header may end within a word: `<|start|>assistant<|channel|>`, `… to=`.
            for rest in ([message], [*encoding.encode("x"), message]):
                with contextlib.suppress(HarmonyError):
                    encoding.parse([*ids[index:], *rest])
                    return index
            break
    return len(ids)
