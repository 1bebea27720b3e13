"""A header's words, read whatever they are: rules 2 and 6 to 10 of the recovery.

The words come in *regions*: the author's (from `<|start|>`, or from where the prompt left
off), and one from each `<|channel|>` or `<|constrain|>` on. Each word is taken for what it
can be; what cannot be anything is junk, or, in a header that never reaches `<|message|>`,
the beginning of the content. Which of several channels, recipients or content types holds,
and whether an unknown author is a tool, is settled when all are read: header_choice.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harmony.header_choice import Note, Speaker, settle
from harmony.header_recipient import RecipientWalk
from harmony.header_words import NAME_LIKE, Word
from harmony.messages import Role
from harmony.vocabulary import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harmony.header_words import Lexicon
    from harmony.matcher import Header


class Piece(NamedTuple):
    """Text of a header with the special token before it, in the lexed bytes."""

    kind: str | None
    """``"start"``, ``"channel"``, ``"constrain"``, ``"other"``; None where no token opens it."""
    start: int
    """Where the special token stood; where the text stands if there was none."""
    marker: bytes
    """The special token's bytes."""
    data: bytes
    """The text."""

    @property
    def at(self) -> int:
        """Where the text stands."""
        return self.start + len(self.marker)


class Reading(NamedTuple):
    """What a header says, and what was wrong with it."""

    header: Header
    content: int | None
    """Where the content begins, in a header without `<|message|>`."""
    says: bool
    """Whether it says more than who speaks."""
    notes: tuple[Note, ...]


class Region(NamedTuple):
    """The words after one structural token."""

    kind: str | None
    start: int
    """Where the token stands."""
    at: int
    """Where it ends."""
    words: list[Word]


def read_header(
    lexicon: Lexicon,
    pieces: Sequence[Piece],
    speaker: Speaker,
    *,
    cut: bool,
    called: Callable[[str], bool],
) -> Reading:
    """What the header in ``pieces`` says. Spec: [header], [[leniencies]].

    Args:
        lexicon: what words mean.
        pieces: the header; the first is of the kind ``"start"``, or None where the header
            goes on for ``speaker``.
        speaker: who speaks if the header does not say.
        cut: whether the header never reaches `<|message|>`, so that its end is content.
        called: whether a call to that tool waits for its answer.
    """
    walk = _Walk(lexicon, pieces, speaker, cut=cut)
    walk.read()
    header, says, notes = settle(walk, called)
    return Reading(header, walk.content, says, notes)


class _Walk(RecipientWalk):
    """The walk over the words of one header."""

    def __init__(
        self, lexicon: Lexicon, pieces: Sequence[Piece], speaker: Speaker, *, cut: bool
    ) -> None:
        super().__init__(lexicon, speaker)
        self.pieces = pieces
        self.cut = cut
        self.start = pieces[0].start
        self.started = pieces[0].kind == "start"

    # ---- the walk ------------------------------------------------------------------------

    def read(self) -> None:
        regions = self._regions()
        for number, region in enumerate(regions):
            self.last = self.cut and number == len(regions) - 1
            self.end = region.at
            if region.kind == "channel":
                first = self._channel(region)
            elif region.kind == "constrain":
                first = self._constrained(region)
            else:
                first = self._author(region)
            while first < len(region.words) and self.content is None:
                first = self._word(region.words, first)
        if self.cut:
            self._content_begins()
        self._check_utf8()

    def _regions(self) -> list[Region]:
        """The words, as many as a header may have; the rest of a cut header is content."""
        lexicon = self.lexicon
        regions: list[Region] = []
        left = 0
        for piece in self.pieces:
            left = left - 1 if piece.kind == "other" else lexicon.most_words
            if left < 0 and self.cut:
                break
            words = lexicon.words(piece.data, piece.at)
            whole = len(words) <= left or not self.cut
            if not whole:
                words = words[:left]
            left -= len(words)
            words = [part for word in words for part in self._unglued(word)]
            if piece.kind == "other" and regions:
                # A special token that no header has is a word like any other.
                regions[-1].words.extend([Word(piece.start, piece.at, piece.marker), *words])
            else:
                regions.append(Region(piece.kind, piece.start, piece.at, words))
            if not whole:
                break
        return regions

    def _unglued(self, word: Word) -> tuple[Word, ...]:
        """``commentaryto=functions.f`` is two words."""
        at = word.data.find(self.lexicon.to)
        if at <= 0:
            return (word,)
        before = word.data[:at]
        known = before in self.lexicon.channels or before in self.lexicon.types
        if not known and not self.lexicon.is_glued(before):
            return (word,)
        self.note("glued-recipient", word)
        return word.cut(at)

    def _content_begins(self) -> None:
        """The content of a cut header: all after the recognised words but one space."""
        at = self.end if self.content is None else self.content
        data = b"".join(piece.marker + piece.data for piece in self.pieces)
        if data.startswith(self.lexicon.one_space, at - self.pieces[0].start):
            at += len(self.lexicon.one_space)
        self.content = at

    def _check_utf8(self) -> None:
        for piece in self.pieces:
            stop = len(piece.data)
            if self.content is not None:
                stop = min(stop, max(self.content - piece.at, 0))
            try:
                piece.data[:stop].decode()
            except UnicodeDecodeError:
                words = self.lexicon.words(piece.data[:stop], piece.at)
                self.note("undecodable-header", *words)

    # ---- the author's place --------------------------------------------------------------

    def _author(self, region: Region) -> int:
        """Read the author; returns the index of the word after it."""
        words, lexicon = region.words, self.lexicon
        if not words or words[0].data.startswith(lexicon.to) or lexicon.introducer(words[0].data):
            return 0
        word = words[0]
        started = self.started
        role, channel, rest = lexicon.unglued(word.data)
        of_role, mark, name = word.data.partition(lexicon.name_mark)
        self.end = word.stop
        if (
            role
            and (not rest or (started and (channel or self.last)))
            and not (mark and name and of_role == role)
        ):
            return self._glued_author(word, role, channel, rest)
        if word.data in lexicon.channels:
            self.role = lexicon.default_role if started else None
            self.channels.append(word)
            self.note("channel-as-role", word)
            return 1
        if not started:
            self.end = region.at
            return 0
        if mark and name and of_role in lexicon.roles:
            self.role, self.name = Role(text_of(of_role)), text_of(name)
            return 1
        addressed = len(words) > 1 and words[1].data.startswith(lexicon.to)
        if not self.last or addressed or lexicon.speaks_as_tool(word.text):
            self.author = word
            return 1
        if channel := lexicon.channel_prefix(word.data):
            self.role = lexicon.default_role
            channel_word, _ = word.cut(len(channel))
            self.channels.append(channel_word)
            self.note("channel-as-role", channel_word)
            self.content = channel_word.stop
            return 1
        self.content = region.at
        return 1

    def _glued_author(self, word: Word, role: bytes, channel: bytes, rest: bytes) -> int:
        """A role, perhaps repeated, and what is glued to it: a channel, then content or junk."""
        self.role = Role(text_of(role))
        known, after = word.cut(len(word.data) - len(rest))
        if len(known.data) > len(role) + len(channel) or (
            not self.started and self.role is self.speaker.role
        ):
            self.note("repeated-role", known)
        elif not self.started:
            self.note("other-role", known)
        if channel:
            _, channel_word = known.cut(len(known.data) - len(channel))
            self.channels.append(channel_word)
            self.note("unmarked-channel", channel_word)
        if not rest:
            return 1
        if self.last:
            self.content = after.start
        else:
            self.junk.append(after)
        return 1

    # ---- the places of a channel and of a content type -----------------------------------

    def _channel(self, region: Region) -> int:
        """Read the channel; returns the index of the word after it."""
        words, lexicon = region.words, self.lexicon
        if not words or words[0].data.startswith(lexicon.to):
            self.notes.append(Note("empty-channel", region.start, region.at, ""))
            return 0
        word = words[0]
        channel = lexicon.channel_prefix(word.data)
        tool = lexicon.declared(word.text)
        known = word.data == channel
        if word.start > region.at and not known and tool is None:
            self.notes.append(Note("empty-channel", region.start, region.at, ""))
            return 0
        if known:
            if word.start > region.at:
                self.note("spaced-channel", word)
            self.channels.append(word)
        elif tool is not None:
            self.tools.append((tool, word))
            self.note("tool-as-channel", word)
        elif channel:
            word, rest = word.cut(len(channel))
            self.channels.append(word)
            self.note("glued-channel", word, rest)
            if self.last:
                self.content = rest.start
        elif self.last and not NAME_LIKE.fullmatch(word.text):
            # `<|channel|>{"a":1}<|end|>`: the channel's name is missing.
            self.notes.append(Note("empty-channel", region.start, region.at, ""))
            self.content = region.at
        else:
            self.channels.append(word)
        self.end = word.stop
        return 1

    def _constrained(self, region: Region) -> int:
        """Read the content type; returns the index of the word after it."""
        words, lexicon = region.words, self.lexicon
        if not words or words[0].data.startswith(lexicon.to):
            self.notes.append(Note("empty-content-type", region.start, region.at, ""))
            return 0
        word = words[0]
        if self.last and (known := lexicon.type_prefix(word.data)):
            word, rest = word.cut(len(known))
            self.content = rest.start
        elif self.last and not NAME_LIKE.fullmatch(word.text):
            self.notes.append(Note("empty-content-type", region.start, region.at, ""))
            self.content = region.at
            return 1
        if word.start > region.at:
            self.note("spaced-content-type", word)
        self.types.append((lexicon.constrain + word.text, word))
        self.end = word.stop
        return 1

    # ---- any other word ------------------------------------------------------------------

    @property
    def _addressed(self) -> bool:
        return bool(self.recipients or self.bare_recipients or self.tools)

    def _word(self, words: list[Word], index: int) -> int:
        """Read a word after the author, channel or content type; the next word's index."""
        word, lexicon = words[index], self.lexicon
        if word.data.startswith(lexicon.to):
            return self.read_recipient(words, index)
        if lexicon.introducers and (mark := lexicon.introducer(word.data)):
            return self._added_field(mark, words, index)
        if self.last:
            return self._word_before_content(word, index)
        text = word.text
        if word.data in lexicon.types:
            self.types.append((text, word))
        elif word.data in lexicon.channels:
            self.bare_channels.append(word)
        elif word.data in lexicon.roles:
            if self.author is not None and text == lexicon.to_speaker:
                self.bare_recipients.append(word)
            elif text == (self.role or self.speaker.role).value:
                self.note("repeated-role", word)
            else:
                self.junk.append(word)
        elif lexicon.names_tool(text):
            self.bare_recipients.append(word)
        else:
            self.unknown.append(word)
        self.end = word.stop
        return index + 1

    def _added_field(self, mark: bytes, words: list[Word], index: int) -> int:
        """Read a field that a user's grammar adds; the next word's index."""
        word = words[index]
        value = word.cut(len(mark))[1]
        if not value.data and index + 1 < len(words):
            index += 1
            value = words[index]
        self.end = value.stop
        if not value.data:
            self.junk.append(word)
            return index + 1
        field = self.lexicon.introducers[mark]
        if field in self.extra:
            self.junk.append(self.extra[field])  # The last one holds, as of channels.
        self.extra[field] = value
        return index + 1

    def _word_before_content(self, word: Word, index: int) -> int:
        """A word that may begin the content: only what is beyond doubt still is header."""
        lexicon, text = self.lexicon, word.text
        known = lexicon.type_prefix(word.data)
        if self._addressed and (word.data in lexicon.types or known):
            if known:
                word, rest = word.cut(len(known))
                self.content = rest.start
            self.types.append((word.text, word))
        elif not self._addressed and "." in text and lexicon.is_namespaced(text):
            self.bare_recipients.append(word)
        else:
            self.content = self.end
        self.end = word.stop
        return index + 1
