"""What the checker says of an example."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from harmony.docs.markdown import code
from harmony.encoding import HarmonyEncoding
from harmony.errors import HarmonyError, MissingExtra
from harmony.messages import Conversation, Role
from harmony.text_recovery import recover_text

if TYPE_CHECKING:
    from harmony.docs.book import Book


def findings(given: Any, book: Book) -> list[str]:
    """The findings of a rule's example, a sentence each. Spec: [[rules]].

    Args:
        given: tokens as text, or a table of what is checked and what it is checked with.
        book: what the page is written from.

    Empty if an overlay has made the example impossible.

    Raises:
        MissingExtra: what it needs to validate with is not installed.
    """
    example = given if isinstance(given, dict) else {"text": given or ""}
    enc = book.enc
    if "limits" in example:
        spec = enc.spec.overlaid({"limits": example["limits"]})
        grammar = attrs.evolve(enc.grammar, spec=spec)
        enc = HarmonyEncoding(enc.name, grammar, enc.vocabulary, enc.dialect)
    role = Role(example["role"]) if "role" in example else None
    with_what = {key: _value(example.get(key)) for key in ("tools", "response_format", "context")}
    try:
        found = enc.check(_subject(example, enc, role, book), role=role, **with_what)
    except MissingExtra:
        raise
    except HarmonyError:
        return []
    return [f"{code(finding.code)}: {finding.message}" for finding in found]


def _subject(example: dict[str, Any], enc: HarmonyEncoding, role: Role | None, book: Book) -> Any:
    """What is checked."""
    if "messages" in example:
        messages = _value(book.spelling.text(example["messages"]))
        return Conversation.from_dict({"messages": messages})
    if example.get("stripped"):
        return recover_text(book.spelling.text(example["text"]), role=role, encoding=enc)
    return book.spelling.tokens(example, enc, "text") or []


def _value(given: Any) -> Any:
    """A value, which may be written as JSON."""
    return json.loads(given) if isinstance(given, str) else given
