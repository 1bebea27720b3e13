"""What the caller of `completion_grammar` chooses, looked at before anything is built."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs

from harmony.constrain.headers import ORDERS
from harmony.errors import InvalidMessage, UnknownName
from harmony.validation import is_a, shortened, type_name

REASONING = ("auto", "required", "off")
CONTENT_TYPES = ("any", "constrain", "json", "none", "dialect")
STARTS = ("assistant", "start", "none")
MOST_WHITESPACE = 1000


def _one_of(*words: str) -> Any:
    def validate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in words:
            raise UnknownName(
                f"{attribute.name}: expected one of {', '.join(map(repr, words))}, "
                f"got {shortened(value)}"
            )

    return validate


def _places(value: Any) -> tuple[str, ...] | None:
    if value == "dialect":
        return None
    places = (value,) if isinstance(value, str) else value
    known = isinstance(places, Collection) and all(place in tuple(ORDERS) for place in places)
    if not known or not places:
        raise UnknownName(
            f"recipient_in: expected some of {', '.join(map(repr, ORDERS))}, or 'dialect', got "
            f"{shortened(value)}"
        )
    return tuple(place for place in ORDERS if place in places)


def _whitespace(_: object, __: object, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_WHITESPACE:
        raise InvalidMessage(
            f"whitespace: expected a number of characters from 0 to {MOST_WHITESPACE}, got "
            f"{type_name(value)}: {shortened(value)}"
        )


@attrs.frozen
class Choices:
    """The options of `completion_grammar`, with the response format's schema."""

    schema: dict[str, Any] | bool | None
    """What the answer keeps to; None for free text."""
    reasoning: str = attrs.field(validator=_one_of(*REASONING))
    """Whether hidden channels may be written on, must be, or must not be."""
    preambles: bool = attrs.field(validator=is_a(bool))
    """Whether visible channels other than the answer's may be written on."""
    recipient_in: tuple[str, ...] | None = attrs.field(converter=_places)
    """Where the recipient may stand; None for where the dialect has it."""
    content_type: str = attrs.field(validator=_one_of(*CONTENT_TYPES))
    """How a call's content type may be written."""
    start: str = attrs.field(validator=_one_of(*STARTS))
    """What the prompt ended with."""
    whitespace: int = attrs.field(validator=_whitespace)
    """The most white space between two tokens of JSON, in characters."""
    parallel_tool_calls: bool = attrs.field(validator=is_a(bool))
    """Whether another call may follow a call."""
