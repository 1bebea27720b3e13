"""Reading ``to=`` and the name behind it, in one piece or not. Rule 8 of the recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.header_choice import Found
from harmony.header_words import NO_NAME, Word

if TYPE_CHECKING:
    from harmony.header_choice import Speaker
    from harmony.header_words import Lexicon

# A recipient with spaces in its name is looked for over so many words.
MOST_NAME_WORDS = 4


class RecipientWalk(Found):
    """The part of the walk over a header's words that reads recipients."""

    def __init__(self, lexicon: Lexicon, speaker: Speaker) -> None:
        super().__init__(lexicon, speaker)
        self.last = False
        """Whether the region is the last of a cut header, so that it may hold content."""
        self.content: int | None = None
        """Where the content begins, in a cut header."""
        self.end = 0
        """Where the words end that were recognised."""

    def read_recipient(self, words: list[Word], index: int) -> int:
        """Read ``to=`` and what it names; returns the index of the word after it."""
        lexicon = self.lexicon
        mark, word = words[index].cut(len(lexicon.to))
        self.end = word.stop
        following = words[index + 1 : index + MOST_NAME_WORDS]
        if word.data and (count := self._words_named(word, following)):
            parts = [word, *following[:count]]
            name = lexicon.declared(" ".join(p.text for p in parts))
            name = name or lexicon.declared("".join(p.text for p in parts)) or ""
            self.note("split-recipient", *parts)
            whole = Word(word.start, parts[-1].stop, name.encode("utf-8", "replace"))
            self.recipients.append(whole)
            self.end = whole.stop
            return index + 1 + count
        if not word.data:
            self.note("empty-recipient", mark)
            if not following or not self._is_tool_for_certain(following[0].text):
                return index + 1
            self.recipients.append(following[0])
            self.end = following[0].stop
            return index + 2
        if lexicon.declared(word.text) is None:
            word = self._unglued_name(word)
        self.recipients.append(word)
        self.end = word.stop
        return index + 1

    def _is_tool_for_certain(self, text: str) -> bool:
        dotted = "." in text and self.lexicon.is_namespaced(text)
        return dotted or self.lexicon.declared(text) is not None

    def _words_named(self, word: Word, following: list[Word]) -> int:
        """How many of the words after ``word`` belong to a declared name with spaces."""
        declared = self.lexicon.declared
        for between in (" ", ""):
            for count in range(len(following), 0, -1):
                if declared(between.join([word.text, *(w.text for w in following[:count])])):
                    return count
            if declared(word.text):
                return 0
        return 0

    def _unglued_name(self, word: Word) -> Word:
        """The name in ``functions.shelljson``, if ``functions.shell`` is declared."""
        lexicon = self.lexicon
        for written, _ in lexicon.declared_by_length:
            if not word.data.startswith(written):
                continue
            name, rest = word.cut(len(written))
            known = lexicon.type_prefix(rest.data) if self.last else b""
            if rest.data in lexicon.types or known:
                size = len(known) or len(rest.data)
                of_type, after = rest.cut(size)
                self.types.append((of_type.text, of_type))
                self.content = after.start if known else None
            elif rest.data in lexicon.channels:
                self.bare_channels.append(rest)
            else:
                continue
            self.note("glued-recipient", word)
            return name
        if self.last and (at := NO_NAME.search(word.data, 1)):
            name, rest = word.cut(at.start())
            self.content = rest.start
            return name
        return word
