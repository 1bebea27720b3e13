"""Which of a header's words hold, where there are too many or the wrong ones.

Rules 7 to 10 of the recovery. The words are found in header_recovery.py; what they are taken
for is gathered in `Found`, and `settle` makes one header of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harmony.matcher import Header
from harmony.messages import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from harmony.header_words import Lexicon, Word


class Note(NamedTuple):
    """A leniency that was used: its code, where, and the text that it is about."""

    code: str
    start: int
    stop: int
    text: str


class Speaker(NamedTuple):
    """Who speaks if the header does not say."""

    role: Role
    name: str | None = None


class Found:
    """What the words of a header were taken for, before it is settled which of them hold."""

    def __init__(self, lexicon: Lexicon, speaker: Speaker) -> None:
        self.lexicon = lexicon
        self.speaker = speaker
        self.start = 0
        """Where the header stands."""
        self.notes: list[Note] = []
        self.started = False
        """Whether it began with `<|start|>`."""
        self.role: Role | None = None
        self.name: str | None = None
        self.author: Word | None = None
        """A word in the author's place that is no role."""
        self.channels: list[Word] = []
        self.bare_channels: list[Word] = []
        """Channels that stand where a recipient or a content type stands."""
        self.recipients: list[Word] = []
        self.bare_recipients: list[Word] = []
        self.tools: list[tuple[str, Word]] = []
        """Declared tools in the place of a channel."""
        self.types: list[tuple[str, Word]] = []
        """Content types: as they are spelled, and the word."""
        self.extra: dict[str, Word] = {}
        """The fields that a user's own grammar adds."""
        self.unknown: list[Word] = []
        self.junk: list[Word] = []

    def note(self, code: str, *words: Word) -> None:
        """Remember that the leniency ``code`` was used for ``words``."""
        text = " ".join(word.text for word in words)
        self.notes.append(Note(code, words[0].start, words[-1].stop, text))


class Settled(NamedTuple):
    """The fields of a header."""

    header: Header
    says: bool
    notes: tuple[Note, ...]


def settle(found: Found, called: Callable[[str], bool]) -> Settled:
    """Which of several channels, recipients and content types holds, and who speaks.

    ``called`` says whether a call to that tool waits for its answer.
    """
    channel = _channel(found)
    recipient = _recipient(found)
    content_type = _content_type(found)
    role, name, recipient = _author(found, recipient, called)
    if role is found.lexicon.default_role and recipient == found.lexicon.to_speaker:
        words = [*found.recipients, *found.bare_recipients]
        found.note("recipient-is-speaker", words[-1])
        recipient = None
    if junk := sorted([*found.junk, *found.unknown]):
        found.note("junk-words", *junk)
    fields = found.lexicon.spec.extra_fields if found.extra else ()
    extra = tuple((name, found.extra[name].text) for name in fields if name in found.extra)
    header = Header(role, name, recipient, channel, content_type, extra or None)
    says = channel is not None or recipient is not None or content_type is not None
    return Settled(header, says, tuple(sorted(found.notes, key=lambda note: note.start)))


def _channel(found: Found) -> str | None:
    """Rule 7: the last declared channel; one without `<|channel|>` only if there is no other."""
    declared = [word for word in found.channels if word.data in found.lexicon.channels]
    if found.channels:
        found.junk += found.bare_channels
        if len(found.channels) > 1:
            found.note("several-channels", *found.channels)
        return (declared or found.channels)[-1].text
    if not found.bare_channels or found.tools:
        found.junk += found.bare_channels
        return None
    *others, channel = found.bare_channels
    found.junk += others
    found.note("unmarked-channel", channel)
    return channel.text


def _recipient(found: Found) -> str | None:
    """Rule 8: `to=` first, then a tool in the place of a channel, then a tool's bare name."""
    if found.recipients:
        # Behind a recipient, `python` may be a content type; a declared tool is none.
        declared = found.lexicon.declared
        for word in found.bare_recipients:
            (found.unknown if declared(word.text) is None else found.junk).append(word)
        words = found.recipients
        texts = [word.text for word in words]
        if len(set(texts)) == 1:
            if len(texts) > 1:
                found.note("repeated-recipient", *words)
            return texts[0]
        found.note("several-recipients", *words)
        tools = [text for text in texts if found.lexicon.names_tool(text)]
        return (tools or texts)[-1]
    if found.tools:
        found.junk += found.bare_recipients
        return found.tools[-1][0]
    if not found.bare_recipients:
        return None
    word, *others = found.bare_recipients
    if others and all(other.data == word.data for other in others):
        found.note("repeated-recipient", word, *others)
    else:
        found.junk += others
    tool = found.lexicon.declared(word.text)
    if tool is not None and tool != word.text:
        found.note("unmarked-recipient", word)
        return tool
    return word.text


def _content_type(found: Found) -> str | None:
    """Rule 9: the last known one; one unknown word after a recipient, as strict parsing has it."""
    types, unknown = found.types, found.unknown
    if not types:
        addressed = [*found.recipients, *found.bare_recipients]
        if len(unknown) == 1 and not found.junk and addressed and addressed[0] < unknown[0]:
            return found.unknown.pop().text
        return None
    known = [text for text, word in types if word.data in found.lexicon.types]
    if len(types) > 1:
        found.note("several-content-types", *(word for _, word in types))
    return known[-1] if known else types[-1][0]


def _author(
    found: Found, recipient: str | None, called: Callable[[str], bool]
) -> tuple[Role, str | None, str | None]:
    """Rules 8 and 10: role, name and recipient."""
    lexicon, word = found.lexicon, found.author
    if found.tools:
        # A declared tool in the place of a channel is a call, and it is assistants who call.
        if word is not None:
            found.note("unknown-role", word)
        return lexicon.default_role, None, recipient
    if word is not None:
        text = word.text
        declared = lexicon.declared(text)
        if declared is not None and recipient in (None, declared, text):
            if recipient is None and (called(declared) or called(text)):
                return Role(lexicon.tool_role), text, None
            found.note("tool-as-role", word)
            return lexicon.default_role, None, declared
        if recipient is not None or lexicon.names_tool(text) or text == lexicon.tool_role:
            return Role(lexicon.tool_role), text, recipient
        found.note("unknown-role", word)
        return lexicon.default_role, None, recipient
    if found.role is not None:
        return found.role, found.name, recipient
    if found.started:
        found.notes.append(Note("missing-role", found.start, found.start, ""))
    return found.speaker.role, found.speaker.name, recipient
