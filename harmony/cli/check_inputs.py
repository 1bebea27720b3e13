"""What ``harmony check`` reads: files of any kind that hold conversations or tokens.

A file is JSON (a conversation, messages, token ids, or a list of such), JSON Lines, or text
with the special tokens spelled out. Which one is seen from its name and its beginning.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from harmony.cli.documents import json_of, text_of, token_ids, without_line_break
from harmony.cli.terminal import STANDARD_INPUT, read
from harmony.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Conversation

KINDS = ("auto", "json", "jsonl", "text")
LINES = (".jsonl", ".ndjson")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


@attrs.frozen(eq=False)
class Input:
    """One conversation of a file, or one run of tokens."""

    file: str
    """The path, or ``"-"``."""
    line: int
    """The line of the file on which it begins, from 1."""
    document: Any
    """The JSON value, or the text."""
    lines: list[int] = attrs.field(factory=list)
    """The line on which each message begins, where that is known."""
    number: int = 0
    """Which one of a JSON list of conversations it is, from 0."""
    is_text: bool = False
    """Whether the file itself is rendered text, with lines of its own."""

    @property
    def is_conversation(self) -> bool:
        """Whether it is messages; else it is tokens."""
        return self.raw_messages is not None

    @property
    def raw_messages(self) -> list[Any] | None:
        """The messages as they stand in the document; None of tokens."""
        document = self.document
        if isinstance(document, dict) and "messages" in document:
            messages = document["messages"]
            return messages if isinstance(messages, list) else [messages]
        if isinstance(document, dict) and "role" in document:
            return [document]
        if isinstance(document, list) and (not document or isinstance(document[0], dict)):
            return document
        return None

    def declared(self, name: str) -> Any:
        """What stands beside the messages: ``"tools"``, ``"response_format"``."""
        return self.document.get(name) if isinstance(self.document, dict) else None

    def conversation(self) -> Conversation:
        """The messages. Raises `InvalidMessage`."""
        from harmony.messages import Conversation

        return Conversation.from_dict({"messages": self.raw_messages})

    def tokens(self, encoding: HarmonyEncoding) -> list[int]:
        """The tokens. Raises `HarmonyError`."""
        document = self.document
        if isinstance(document, dict) and isinstance(document.get("text"), str):
            document = document["text"]
        if isinstance(document, str):
            return encoding.encode(document, allowed_special="all")
        if isinstance(document, dict) and "tokens" not in document:
            raise InvalidMessage(
                'expected a conversation ({"messages": […]}), messages, token ids, '
                '{"tokens": […]} or {"text": "…"}; '
                f"got an object with the keys {', '.join(document) or 'of none'}"
            )
        return token_ids(document)

    def text_lines(self, starts: list[int], encoding: HarmonyEncoding, ids: list[int]) -> list[int]:
        """The lines of rendered text on which messages begin that begin at these tokens."""
        out, line, at = [], self.line, 0
        for start in starts:
            line += encoding.decode(ids[at:start]).count("\n")
            at = start
            out.append(line)
        return out


@attrs.frozen(eq=False)
class Source:
    """A file, and how it is read."""

    file: str
    kind: str
    data: bytes

    @classmethod
    def of(cls, file: str, kind: str, specials: tuple[str, ...]) -> Source:
        """The file, with its kind if ``kind`` is ``"auto"``."""
        data = read(file)
        return cls(file, _kind(file, data, specials) if kind == KINDS[0] else kind, data)

    def inputs(self) -> Iterator[Input | tuple[int, InvalidMessage]]:
        """What the file holds, one after the other; for a faulty line its number and the fault.

        Raises:
            HarmonyError: the file as a whole is faulty.
        """
        if self.kind == "jsonl":
            for at, row in enumerate(self.data.splitlines(), 1):
                if row.strip():
                    try:
                        yield Input(self.file, at, json_of(row))
                    except InvalidMessage as error:
                        yield at, error
            return
        text = text_of(self.data)
        if self.kind == "text":
            yield Input(self.file, 1, without_line_break(text), is_text=True)
            return
        document = json_of(self.data)
        if _holds_several(document):
            places = _element_lines(text, 1)
            for number, (each, line) in enumerate(zip(document, places, strict=True)):
                yield Input(self.file, line, each, number=number)
            return
        depth = 1 if isinstance(document, list) else 2
        lines = _element_lines(text, depth) if isinstance(document, (list, dict)) else []
        yield Input(self.file, 1, document, lines)

    def written(self, changed: Sequence[tuple[Input, Any]]) -> str:
        """The file with these documents in the place of those that the inputs held."""
        if self.kind == "jsonl":
            lines = self.data.splitlines(keepends=True)
            for each, document in changed:
                lines[each.line - 1] = json.dumps(document, ensure_ascii=False).encode() + b"\n"
            return text_of(b"".join(lines))
        if self.kind == "text":
            ((_, text),) = changed
            return f"{text}\n" if self.data.endswith(b"\n") else str(text)
        value = json_of(self.data)
        if _holds_several(value):
            for each, document in changed:
                value[each.number] = document
        else:
            ((_, value),) = changed
        flat = b"\n" not in self.data.strip()
        return json.dumps(value, ensure_ascii=False, indent=None if flat else 2) + "\n"


def _kind(file: str, data: bytes, specials: tuple[str, ...]) -> str:
    if file != STANDARD_INPUT and Path(file).suffix in LINES:
        return "jsonl"
    text = text_of(data)
    if _is_json(text):
        return "json"
    if text.lstrip()[:1] in ("[", "{", '"'):
        lines = [line for line in text.splitlines() if line.strip()]
        return "jsonl" if len(lines) > 1 and any(map(_is_json, lines[:2])) else "json"
    if any(special in text for special in specials):
        return "text"
    raise InvalidMessage(
        "the input is neither JSON nor text that spells special tokens out; "
        "--input says how it is to be read"
    )


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _holds_several(document: Any) -> bool:
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(each, list) or _is_whole(each) for each in document)
    )


def _is_whole(each: object) -> bool:
    return isinstance(each, dict) and any(key in each for key in ("messages", "tokens"))


def _element_lines(text: str, depth: int) -> list[int]:
    """The lines on which the objects and lists of a list begin.

    A depth of 1 is that of a list that is the whole text, 2 that of the list ``"messages"``.
    """
    breaks = [match.start() for match in re.finditer("\n", text)]
    level, out, inside, key = 0, [], False, ""
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark in "]}":
            level -= 1
            if inside and level < depth:
                break
        elif mark in "[{":
            if inside and level == depth:
                out.append(bisect_right(breaks, match.start()) + 1)
            level += 1
            if level == depth and mark == "[" and (depth == 1 or key == '"messages"'):
                inside = True
        else:
            key = mark
    return out


def files_option(files: tuple[str, ...]) -> tuple[str, ...]:
    """The files that were named; standard input if none was."""
    if files.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input can be read once")
    return files or (STANDARD_INPUT,)
