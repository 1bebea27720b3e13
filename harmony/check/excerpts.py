"""The place of a finding, shown in one line with a caret under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.errors import HarmonyError
from harmony.faults import on_one_line

if TYPE_CHECKING:
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Message
    from harmony.transcript import Diagnostic

# Characters that are shown before the place, of the place itself, and after it.
BEFORE, PLACE, AFTER = 56, 48, 24


def excerpt(
    encoding: HarmonyEncoding,
    diagnostic: Diagnostic,
    *,
    tokens: list[int] | None = None,
    message: Message | None = None,
) -> str:
    """Two lines: what stands around the place, and a caret under it; ``""`` if there is none.

    Args:
        encoding: what decodes tokens and renders messages.
        diagnostic: the finding.
        tokens: what was checked, if that were tokens.
        message: the message that the finding is about; it is shown rendered.
    """
    if tokens is not None and diagnostic.tokens is not None:
        start, stop = diagnostic.tokens
        stop = max(start, stop)
        return _shown(
            encoding.decode(_known(encoding, tokens[max(0, start - BEFORE) : start])),
            encoding.decode(_known(encoding, tokens[start:stop][:BEFORE])),
            encoding.decode(_known(encoding, tokens[stop : stop + AFTER])),
        )
    if message is None:
        return ""
    try:
        text = encoding.decode(encoding.render(message))
    except HarmonyError:
        return ""  # A message that cannot be rendered: a tool without a name.
    mark = encoding.spec.token("message").text
    header = text[: text.find(mark) + len(mark)]
    # What is found in structured content may stand there otherwise, in an escape say; and
    # what is about no text in particular is about the message, which its header stands for.
    place = diagnostic.text if diagnostic.text and diagnostic.text in text else header
    at = text.find(place)
    return _shown(text[:at], place, text[at + len(place) :])


def _known(encoding: HarmonyEncoding, tokens: list[int]) -> list[int]:
    return [token for token in tokens if encoding.vocabulary.has(token)]


def _shown(before: str, place: str, after: str) -> str:
    before, place, after = map(on_one_line, (before, place, after))
    lead = "…" if len(before) > BEFORE else ""
    before = lead + before[-BEFORE:]
    if len(place) > PLACE:
        place, after = place[:PLACE], "…"
    tail = "…" if len(after) > AFTER else ""
    return f"{before}{place}{after[:AFTER]}{tail}\n{' ' * len(before)}{'^' * (len(place) or 1)}"
