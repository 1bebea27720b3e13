"""A user's own grammar file: what it adds to ours, and on which line a fault in it stands.

A file that defines the rule `completion` stands alone. Any other is laid over
grammar/message.lark with Lark's own statements: `%extend` adds alternatives to a rule of ours,
`%override` puts another in its place, and what it defines itself is added.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from harmony.errors import GrammarError
from harmony.validation import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

INLINE = "<grammar>"
_STANDS_ALONE = re.compile(r"^[ \t]*[?!]*completion(\.\d+)?[ \t]*:", re.MULTILINE)
_LINE = re.compile(r"\bline (\d+)")
# How Lark and we name a rule or terminal: 'x', `x`, "rule x", and <x : A B> for an expansion.
_NAMED = re.compile(
    r"['`](\w+)['`]|(?:rule|token|terminal|write) (\w+)|<(\w+) :|no (header) with|\((\w+): "
)


@attrs.frozen
class GrammarSource:
    """Where a grammar that a user gave came from."""

    path: str
    """The file; ``"<grammar>"`` for a text."""
    text: str = attrs.field(repr=False)
    """What is in it."""
    before: int = 0
    """How many lines of ours Lark reads before it."""

    def located(self, reason: str) -> str:
        """``reason``, with the file and, if it can be told, the line in it."""
        line = self._line(reason)
        place = self.path if line is None else f"{self.path}:{line}"
        return f"{place}: {_LINE.sub(self._own_line, reason)}"

    def _own_line(self, match: re.Match[str]) -> str:
        return f"line {max(int(match[1]) - self.before, 1)}"

    def _line(self, reason: str) -> int | None:
        number = _LINE.search(reason)
        if number:
            return max(int(number[1]) - self.before, 1)
        lines = [line.split("//")[0] for line in self.text.splitlines()]
        for match in _NAMED.finditer(reason):
            word = re.compile(rf"\b{match[match.lastindex or 0]}\b")
            for index, line in enumerate(lines, 1):
                if word.search(line):
                    return index
        return None

    def imported_from_spec(self) -> Iterator[tuple[int, str]]:
        """Each terminal that is imported from `.spec`, and its line."""
        for index, line in enumerate(self.text.splitlines(), 1):
            statement = re.match(r"\s*%import\s+\.spec\s*(?:\(([^)]*)\)|\.(\w+))", line)
            if statement:
                for name in re.findall(r"\w+", statement[1] or statement[2]):
                    yield index, name


def read_grammar(grammar: str | os.PathLike[str], own: str) -> tuple[str, GrammarSource]:
    """The text that Lark reads, and where the user's part of it came from.

    ``grammar`` is a path, or the text itself if it has more than one line; ``own`` is the text
    of grammar/message.lark.

    Raises:
        GrammarError: the file cannot be read.
    """
    path = INLINE
    if isinstance(grammar, str) and "\n" in grammar:
        text = grammar
    else:
        if not isinstance(grammar, (str, os.PathLike)):
            raise GrammarError(
                f"expected the text of a grammar or the path of one, got {type_name(grammar)}"
            )
        path = os.fspath(grammar)
        try:
            # An editor of Windows may have put a byte order mark in front.
            text = Path(grammar).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:  # No UTF-8; a path that holds a NUL.
            raise GrammarError(f"cannot read the grammar {path!r}: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("%ignore"):
            # Lark would pass over what the renderer and the matcher take for a part.
            raise GrammarError(
                f"{path}:{number}: nothing of a message can be passed over: write what `%ignore` "
                "names into the rules"
            )
    if _STANDS_ALONE.search(text):
        return text, GrammarSource(path, text)
    before = own if own.endswith("\n") else own + "\n"
    return before + text, GrammarSource(path, text, before.count("\n"))
