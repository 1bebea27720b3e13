"""JSON documents: one in the whole input, or one a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from harmony.cli.terminal import complain, read, read_lines, write_line
from harmony.errors import HarmonyError, InvalidMessage, InvalidToken, InvalidUtf8
from harmony.validation import shortened, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harmony.messages import Conversation

TOO_DEEP = "the JSON is nested too deeply"


def each_document(
    file: str,
    handle: Callable[[Any, int | None], str],
    *,
    jsonl: bool = False,
    plain_text: bool | None = None,
) -> None:
    """Write what ``handle`` makes of the document in ``file``, or of that in each line.

    Args:
        file: a path, or ``"-"``.
        handle: gets a document and, with ``jsonl``, the number of its line.
        jsonl: a document a line. A faulty one is complained about, and the rest goes on.
        plain_text: the whole input is text, which is the document; with ``jsonl`` each line
            is a JSON string, since text has lines of its own. None if the command reads no
            plain text.

    Raises:
        click.exceptions.Exit: some line was faulty.
        HarmonyError: the one document is faulty.
    """
    if not jsonl:
        data = read(file)
        if plain_text:
            document = without_line_break(text_of(data))
        else:
            document = json_of(data, "" if plain_text is None else "; --from-text reads plain text")
        try:
            write_line(handle(document, None))
        except RecursionError:
            raise InvalidMessage(TOO_DEEP) from None
        return
    faulty = False
    for number, line in enumerate(read_lines(file), 1):
        if not line.strip():
            continue
        try:
            result = handle(json_of(line), number)
        except RecursionError:
            faulty = True
            complain(TOO_DEEP, line=number)
        except HarmonyError as error:
            faulty = True
            complain(str(error), line=number)
        else:
            write_line(result)
    if faulty:
        raise click.exceptions.Exit(1)


def text_of(data: bytes) -> str:
    """Bytes as UTF-8 text; a byte order mark is passed over. Raises `InvalidUtf8`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidUtf8(f"Invalid utf-8: the input is not UTF-8: {error}") from None


def without_line_break(text: str) -> str:
    """``text`` without the line break at its end, which editors and ``echo`` put there."""
    return text.removesuffix("\n").removesuffix("\r")


def json_of(data: bytes, remedy: str = "") -> Any:
    """The value of a JSON text. Raises `InvalidUtf8`, or `InvalidMessage` with the remedy."""
    text = text_of(data)
    if not text.strip():
        raise InvalidMessage("the input is empty; expected JSON")
    try:
        return json.loads(text)
    except RecursionError:
        raise InvalidMessage(TOO_DEEP) from None
    except ValueError as error:
        raise InvalidMessage(f"the input is not JSON: {error}{remedy}") from None


def as_json(value: Any, *, jsonl: bool = False) -> str:
    """``value`` as JSON: in one line with ``jsonl`` and for a list of ids, else indented."""
    flat = jsonl or (isinstance(value, list) and all(isinstance(item, int) for item in value))
    indent = None if flat else 2
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, as in "\ud800", has no UTF-8, but an escape in JSON.
        return json.dumps(value, indent=indent)
    return text


def as_text(text: str, *, jsonl: bool = False) -> str:
    """``text`` itself; with ``jsonl`` as a JSON string, since text has lines of its own."""
    return as_json(text, jsonl=True) if jsonl else text


def token_ids(document: Any) -> list[int]:
    """The ids of ``[…]`` or ``{"tokens": […]}``. Raises `InvalidToken`."""
    tokens = document.get("tokens") if isinstance(document, dict) else document
    if not isinstance(tokens, list):
        raise InvalidToken(
            'expected a list of token ids, or {"tokens": […]}; '
            f"got {type_name(document)}: {shortened(document)}"
        )
    _only_integers(tokens)
    return tokens


def _only_integers(tokens: Iterable[object]) -> None:
    for index, token in enumerate(tokens):
        # `true` is an int to Python, and no id to anybody.
        if not isinstance(token, int) or isinstance(token, bool):
            raise InvalidToken(
                f"expected a list of token ids; item {index} is "
                f"{type_name(token)}: {shortened(token)}"
            )


def text_in(document: Any) -> str:
    """The text of ``"…"`` or ``{"text": "…"}``. Raises `InvalidMessage`."""
    text = document.get("text") if isinstance(document, dict) else document
    if not isinstance(text, str):
        raise InvalidMessage(
            'expected a JSON string, or {"text": "…"} (--from-text reads plain text); '
            f"got {type_name(document)}: {shortened(document)}"
        )
    return text


def conversation_in(document: Any) -> Conversation:
    """The conversation of ``{"messages": […]}`` or ``[…]``. Raises `InvalidMessage`."""
    from harmony.messages import Conversation

    return Conversation.from_dict(
        {"messages": document} if isinstance(document, list) else document
    )
