"""What a conversion gives: plain data in the shape of the API, and what is known beside it."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from harmony.errors import InvalidMessage, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.convert.plain import Dropped
    from harmony.transcript import Diagnostic, Transcript

# The official types: where each is to be found in `openai.types`.
TYPES = {
    "chat_message": "chat.ChatCompletionMessage",
    "chat_completion": "chat.ChatCompletion",
    "chat_chunk": "chat.ChatCompletionChunk",
    "response": "responses.Response",
    "response_item": "responses.ResponseOutputItem",
    "response_event": "responses.ResponseStreamEvent",
}


class Known:
    """What a conversion knows beside its result."""

    kind: str = ""
    """Of what type the result, or each item of it, is."""
    transcript: Transcript | None = None
    """The messages and tokens that it was made from, where tokens or a transcript were given."""
    dropped: Sequence[Dropped] = ()
    """What the API cannot hold, by path: ``"messages[1]"`` of the completion."""

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was wrong with the completion, and read all the same."""
        return [] if self.transcript is None else list(self.transcript.diagnostics)

    def _know(self, kind: str, transcript: Transcript | None, dropped: Iterable[Dropped]) -> None:
        self.kind = kind
        self.transcript = transcript
        self.dropped = list(dropped)


class Converted(dict[str, Any], Known):
    """An object of an API, as a dict that can be sent as it is."""

    @classmethod
    def of(
        cls,
        kind: str,
        data: dict[str, Any],
        transcript: Transcript | None = None,
        dropped: Iterable[Dropped] = (),
    ) -> Converted:
        """``data``, with what is known beside it."""
        made = cls(data)
        made._know(kind, transcript, dropped)
        return made

    def typed(self) -> object:
        """The same as an object of the `openai` package, validated.

        Raises:
            MissingExtra: that package is not installed.
            InvalidMessage: it has other types than this library knows.
        """
        return typed(self.kind, self)


class ConvertedItems(list[dict[str, Any]], Known):
    """Items of the Responses API, as dicts."""

    @classmethod
    def of(
        cls,
        kind: str,
        data: list[dict[str, Any]],
        transcript: Transcript | None = None,
        dropped: Iterable[Dropped] = (),
    ) -> ConvertedItems:
        """``data``, with what is known beside it."""
        made = cls(data)
        made._know(kind, transcript, dropped)
        return made

    def typed(self) -> list[object]:
        """The same as objects of the `openai` package. Raises as `Converted.typed` does."""
        return [typed(self.kind, item) for item in self]


def typed(kind: str, data: object) -> object:
    """``data`` as an object of the `openai` package, validated.

    Args:
        kind: what it is, a key of `TYPES`: ``"chat_completion"``, ``"response_event"``.
            A request has no type to make: clients take it as plain data.
        data: plain data.

    Raises:
        MissingExtra: that package is not installed.
        InvalidMessage: the data is not of that type.
    """
    if kind not in TYPES:
        raise InvalidMessage(f"{kind!r} has no type; those that have one: {', '.join(TYPES)}")
    try:
        adapter = _adapter(kind)
    except ImportError as error:
        raise MissingExtra(
            "the types of OpenAI's APIs need the package openai: "
            "pip install 'harmony-format[convert]'"
        ) from error
    try:
        made: object = adapter.validate_python(data)
    except ValueError as error:
        raise InvalidMessage(
            f"not a {TYPES[kind].rpartition('.')[2]} of the installed openai package: {error}"
        ) from error
    return made


@functools.cache
def _adapter(kind: str) -> Any:
    """What validates data of that kind; it takes long to make."""
    from pydantic import TypeAdapter

    module, _, name = TYPES[kind].rpartition(".")
    return TypeAdapter(getattr(importlib.import_module(f"openai.types.{module}"), name))
