"""What a user lays over the spec: read, merged, and where in it a fact stands.

An overlay is a mapping or a TOML file of the shape of spec/harmony.toml. Tables are merged; a
row of an array of tables is laid over the row of the same ``name`` (or ``code``), or is added
at the end. A fault in a file is told with its line: TOML keeps no positions once it is read, so
the line is looked for in the text.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from harmony.errors import GrammarError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = re.compile(r"\s*(\[\[?)\s*([\w.\"'-]+)\s*\]")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")
# What holds for one vocabulary file only: another file takes none of it over.
FILE_FACTS = ("sha256", "size", "base", "first_special", "last_special")


@attrs.frozen
class Source:
    """The file that an overlay was read from."""

    path: str
    text: str = attrs.field(repr=False)

    def where(self, table: str, rows: tuple[object, ...] = (), key: str | None = None) -> str:
        """``"mine.toml:12: "``, as near to the fact as it can be told.

        ``rows`` are names of rows in an array of tables; the last one in the file is meant.
        """
        line: int | None = None
        for start, lines in self._blocks(table):
            found = {match[1]: (n, text) for n, text in lines if (match := _KEY.match(text))}
            names = {_value(found[key][1]) for key in ("name", "code") if key in found}
            if not rows or names & set(map(str, rows)):
                line = found.get(key or "", (start, ""))[0]
            elif line is None:
                line = start
        return f"{self.path}: " if line is None else f"{self.path}:{line}: "

    def _blocks(self, table: str) -> Iterator[tuple[int, list[tuple[int, str]]]]:
        """Each place where ``table`` is written: its first line, and the lines below it."""
        block: tuple[int, list[tuple[int, str]]] | None = None
        for number, line in enumerate(self.text.splitlines(), 1):
            head = _HEAD.match(line)
            if head:
                if block:
                    yield block
                block = (number, []) if head[2] == table else None
            elif block:
                block[1].append((number, line))
            elif (match := _KEY.match(line)) and match[1] == table:
                yield number, [(number, line)]  # `channels = [{name = "x"}]`
        if block:
            yield block


def _value(line: str) -> str:
    try:
        (value,) = tomllib.loads(line.strip()).values()
    except (tomllib.TOMLDecodeError, ValueError):
        return ""
    return str(value)


def read_overlay(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Source]:
    """The overlay in a TOML file, and the file. A vocabulary file is named from its folder.

    Raises:
        GrammarError: the file is not to be found, or is not TOML.
    """
    name = os.fspath(path)
    try:
        # An editor of Windows may have put a byte order mark in front.
        text = Path(path).read_text(encoding="utf-8-sig")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        place = f"{name}:{line[1]}" if line else name
        raise GrammarError(f"{place}: cannot read the spec {name!r}: {error}") from error
    except (OSError, ValueError) as error:  # Bytes that are no UTF-8; a path that holds a NUL.
        raise GrammarError(f"cannot read the spec {name!r}: {error}") from error
    facts = data.get("vocabulary")
    if isinstance(facts, dict) and "file" in facts:
        facts.setdefault("folder", str(Path(path).resolve().parent))
    return data, Source(name, text)


def repeated(overlay: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each array of tables in which two rows have one name, and that name."""
    for table, rows in overlay.items():
        if _is_rows(rows):
            names = [row.get("code") or row.get("name") or row.get("prefix") for row in rows]
            for index, name in enumerate(names):
                if name is not None and name in names[:index]:
                    yield table, str(name)


def merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``overlay`` laid over it."""
    vocabulary = overlay.get("vocabulary")
    if isinstance(vocabulary, dict) and ("file" in vocabulary or "tokens" in vocabulary):
        kept = {k: v for k, v in base["vocabulary"].items() if k not in FILE_FACTS}
        base = {**base, "vocabulary": kept}
    result: dict[str, Any] = _laid(dict(base), dict(overlay))
    return result


def _laid(base: Any, overlay: Any) -> Any:
    if isinstance(base, dict) and isinstance(overlay, dict):
        result = dict(base)
        for key, value in overlay.items():
            result[key] = _laid(base[key], value) if key in base else value
        return result
    if _is_rows(base) and _is_rows(overlay):
        rows = {_row_key(row): row for row in base}
        for row in overlay:
            key = _row_key(row)
            rows[key] = _laid(rows[key], row) if key in rows else row
        return list(rows.values())
    return overlay


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(r, dict) for r in value)


def _row_key(row: dict[str, Any]) -> Any:
    return row.get("code") or row.get("name") or row.get("prefix") or id(row)
