"""The parts of a rendered message, as the grammar sees them, and a drawing of them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import attrs

from harmony.docs.svg import CHARACTER, document
from harmony.errors import GrammarError
from harmony.vocabulary import MARK, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.encoding import HarmonyEncoding

WIDTH = 660
ROW = 74
LEFT = 8.0
BOX = 26


@attrs.frozen
class Part:
    """A piece of a message."""

    text: str
    """As it is spelled."""
    field: str
    """The field of the message that it holds ([[fields]]); ``""`` for what is between them."""
    special: bool
    """Whether it is a special token."""


def parts(enc: HarmonyEncoding, tokens: list[int]) -> list[Part]:
    """The parts of one message, in order.

    Raises:
        GrammarError: the tokens are not one message.
    """
    data = enc.vocabulary.lex(tokens)
    expression = enc.matcher.message
    match = expression.pattern.fullmatch(data)
    if match is None:
        raise GrammarError(f"this is not one message: {enc.decode(tokens)}")
    rules = enc.spec.field_of_rule
    held = sorted(
        (*match.span(group), rules[rule])
        for group, rule in expression.groups
        if match.span(group) != (-1, -1)
    )
    found: list[Part] = []
    at = 0
    for start, stop, field in held:
        found += _pieces(enc, data[at:start], "")
        found += _pieces(enc, data[start:stop], field)
        at = stop
    return found + list(_pieces(enc, data[at:], ""))


def _pieces(enc: HarmonyEncoding, data: bytes, field: str) -> Iterator[Part]:
    """The data, cut at its special tokens."""
    texts = sorted(enc.spec.special_texts.values(), key=len, reverse=True)
    while data:
        special = next((t for t in texts if data.startswith(MARK + t.encode())), None)
        if special is not None:
            yield Part(special, field, special=True)
            data = data[len(MARK + special.encode()) :]
            continue
        stop = data.find(MARK, 1)
        piece, data = (data, b"") if stop < 0 else (data[:stop], data[stop:])
        yield Part(text_of(piece), field, special=False)


def draw(enc: HarmonyEncoding, tokens: list[int]) -> str:
    """The parts as boxes, their fields below them: an SVG file. Raises as `parts` does."""
    x, y = LEFT, 10.0
    drawn: list[str] = []
    widest = 0.0
    for part in parts(enc, tokens):
        label = part.field.replace("_", " ")
        width = max(len(part.text), len(label) if label else 0) * CHARACTER + 14
        if x + width > WIDTH and x > LEFT:
            x, y = LEFT, y + ROW
        kind = "special" if part.special else "literal" if part.field else "pattern"
        middle = x + width / 2
        drawn.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="4"/>'
            f'<text class="{kind}" x="{middle:g}" y="{y + 18:g}" xml:space="preserve">'
            f"{escape(part.text.replace(' ', '␣') if not part.field else part.text)}</text>"
        )
        if label:
            drawn.append(f'<text class="muted" x="{middle:g}" y="{y + BOX + 17:g}">{label}</text>')
        x += width + 3
        widest = max(widest, x)
    return document("\n".join(drawn), widest + 5, y + ROW - 20, enc.decode(tokens))
