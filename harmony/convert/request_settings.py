"""What a request says of the model and its answer: date, identity, effort, format."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from harmony.contents import ChannelConfig, ReasoningEffort, ResponseFormat, SystemContent
from harmony.errors import InvalidRequest
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.convert.facts import Facts
    from harmony.convert.plain import Node

ANY_OBJECT = {"type": "object"}


@attrs.frozen
class AnswerFormat:
    """The format that the answer is to have."""

    kind: str
    """``"json_schema"``, or ``"json_object"``, of which the prompt does not speak."""
    format: ResponseFormat
    """Its name, schema and description."""
    strict: bool | None = None
    """What the request says of strictness; the grammar is strict in any case."""


def today() -> str:
    """The date where this runs, as ``"2025-06-28"``."""
    return dt.datetime.now().astimezone().date().isoformat()


def date_text(date: dt.date | str | None, request: Node) -> str:
    """The date to tell the model: ``date``, what the request says, or today.

    Raises:
        InvalidRequest: it is neither a date nor text.
    """
    if date is None:
        return request["conversation_start_date"].text_or_none() or today()
    if isinstance(date, dt.datetime):
        date = date.date()
    if isinstance(date, dt.date):
        return date.isoformat()
    if not isinstance(date, str):
        raise InvalidRequest(
            f"expected a date or a string such as '2025-06-28', got {type_name(date)}: "
            f"{shortened(date)}",
            path="date",
        )
    return date


def system_content(
    request: Node, effort: Node, date: str, built_in: Sequence[str], facts: Facts
) -> SystemContent:
    """The system message of a request. Raises `InvalidRequest`."""
    spec = facts.spec
    words = spec.table("system_message")
    identity = request["model_identity"].text_or_none()
    cutoff = request["knowledge_cutoff"].text_or_none()
    content = SystemContent(
        model_identity=words["model_identity"] if identity is None else identity,
        reasoning_effort=reasoning_effort(effort, facts),
        conversation_start_date=date,
        knowledge_cutoff=words["knowledge_cutoff"] if cutoff is None else cutoff,
        channel_config=ChannelConfig(spec.channel_names, words["channels_required"]),
    )
    for name in built_in:
        content.with_tools(facts.built_in(name))
    return content


def reasoning_effort(effort: Node, facts: Facts) -> ReasoningEffort:
    """The effort that a request asks for, or the format's default.

    Raises:
        InvalidRequest: the model knows no such effort.
    """
    spec = facts.spec
    if not effort:
        return ReasoningEffort(spec.table("system_message")["reasoning_effort"])
    asked = effort.text()
    text = facts.efforts.get(asked)
    for row in spec.rows("reasoning_efforts"):
        if row["text"] == text:
            return ReasoningEffort(row["value"])
    known = ", ".join(map(repr, facts.efforts))
    raise effort.error(f"the model knows no reasoning effort {asked!r}; it knows: {known}")


def answer_format(format: Node) -> AnswerFormat | None:
    """The format of ``response_format`` or ``text.format``; None for plain text.

    Raises:
        InvalidRequest: there is no such format, or its schema is none.
    """
    if not format:
        return None
    kind = format["type"].text()
    if kind == "text":
        return None
    if kind == "json_object":
        return AnswerFormat(kind, ResponseFormat(kind, dict(ANY_OBJECT)))
    if kind != "json_schema":
        raise format["type"].error(
            f"Harmony has no response format {kind!r}; it has: 'text', 'json_object', 'json_schema'"
        )
    # Chat Completions has the fields in an object of their own, Responses beside the type.
    inner = format["json_schema"] or format
    name, schema = inner["name"], inner["schema"]
    if not name.text().strip() or "\n" in name.text():
        raise name.expected("a name in one line")
    if not isinstance(schema.value, (dict, type(None))):
        raise schema.expected("a JSON Schema (an object)")
    strict = inner["strict"].flag(default=False) if inner["strict"] else None
    description = inner["description"].text_or_none()
    return AnswerFormat(kind, ResponseFormat(name.text(), schema.value or {}, description), strict)
