"""The machine that reads whatever the model said: rules 1 to 6 of the recovery.

It takes text and special tokens in their order and tells a *sink* what they bring: a header,
content, the end of a message, a note of what was wrong. Batch and stream drive the same
machine, and what it says does not depend on how text is cut into pieces. It never takes
back what it said; where a reading depends on what follows, it waits:

- in a header, for `<|message|>` or what else ends it, over as many words as a header may have;
- after `<|start|>` in content, until the words after it are a header, or are none (rule 3);
- at text where a header should go on, until it cannot be the header's (rule 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.header_choice import Note, Speaker
from harmony.header_recovery import read_header
from harmony.matcher import Header
from harmony.recovery_parts import Gap, Gathering, Held, Opening, Special, State
from harmony.vocabulary import literal, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.header_words import Lexicon
    from harmony.messages import Message, Role
    from harmony.recovery_parts import Sink


class RecoveryReader:
    """Reads one input.

    Args:
        lexicon: what words mean, with the declared tools.
        role: the role that the prompt ended with; None if the input holds whole messages.
        sink: who is told.
        at: where the input begins.
        before: the messages that stand before it.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        role: Role | None,
        sink: Sink,
        at: int = 0,
        before: Iterable[Message] = (),
    ) -> None:
        self.lexicon = lexicon
        self.sink = sink
        self.given = Speaker(role or lexicon.default_role)
        """Who speaks where a header begins and names nobody."""
        self.last = self.given
        """Who spoke last."""
        self.calls: dict[str, int] = {}
        """How many calls to each tool wait for their answers."""
        self.gap = Gap()
        self.opening: Opening | None = None
        self.pending: tuple[Header, int, int, bytes] | None = None
        """A message that is one only if content follows; and its header's bytes."""
        self.plain: int | None = None
        """Where the content starts, if it is text where a header should go on (rule 5)."""
        self.literals: list[Special] = []
        """The special tokens in the content that read as text."""
        self.held = Held(lexicon)
        self.state = State.GAP
        speakers = [(m.author.role, m.author.name, m.recipient) for m in before]
        for speaker, name, recipient in speakers:
            self._spoke(speaker, name, recipient)
        if role is not None and not speakers:
            self.opening = Opening(Gathering(None, at), self.given, explicit=True, missing=False)
            self.opening.undecided = True
            self.state = State.HEADER

    # ---- what comes in -------------------------------------------------------------------

    def text(self, data: bytes, at: int) -> None:
        """Take text: lexed bytes of ordinary tokens."""
        if self.state is State.CONTENT:
            self._content(data)
        elif self.state is State.HEADER:
            self._header_text(data)
        elif self.state is State.GAP:
            self.gap.text(data, at)
        else:
            self._held_text(data)

    def special(self, token: Special) -> None:
        """Take a special token."""
        if self.state is State.HELD:
            self._held_special(token)
        elif self.state is State.CONTENT:
            self._content_special(token)
        elif self.state is State.HEADER:
            self._header_special(token)
        else:
            self._gap_special(token)

    def end(self, at: int) -> None:
        """Take the end of the input."""
        if self.state is State.HELD:
            self._release()
        if self.state is State.HEADER:
            assert self.opening is not None
            if self.opening.is_text(self.lexicon, before=None):
                self._turn_to_text(self.opening)
            else:
                self._close_header(at, at, None)
        if self.state is State.CONTENT:
            self._close(at, at, None)
        self._leave_gap()

    # ---- between messages (rule 4) -------------------------------------------------------

    def _gap_special(self, token: Special) -> None:
        gap = self.gap
        match token.kind:
            case "start":
                self._begin(token)
            case "channel" | "message":
                tail = bytes(gap.tail)
                named = tail.strip() and self.lexicon.opens(tail, complete=True, prose=False)
                if named:
                    # `…<|end|>user<|message|>Hi`: only `<|start|>` is missing.
                    first = Gathering("start", gap.tail_at, b"", tail)
                    gap.tail.clear()
                else:
                    first = Gathering(None, token.at)
                self._leave_gap()
                speaker = self.given if named else self.last
                self._open(Opening(first, speaker, explicit=False, missing=True), token)
            case "end":
                gap.set_aside()
                gap.terminators.append(token)
            case _:
                gap.set_aside()
                gap.stray.append((token.at, literal(token.marker)))

    def _leave_gap(self) -> None:
        """Say what stood between the messages."""
        for note in self.gap.notes():
            self.sink.noted(note)
        self.gap = Gap()

    # ---- headers (rules 2, 5 and 6) ------------------------------------------------------

    def _begin(self, token: Special) -> None:
        """Open a header at `<|start|>`."""
        self._leave_gap()
        first = Gathering("start", token.at, token.marker)
        self.opening = Opening(first, self.given, explicit=True, missing=False)
        self.state = State.HEADER

    def _begin_again(self, opening: Opening, token: Special) -> None:
        """`<|start|>` came again before the header said anything: it counts once."""
        self._begin(token)
        assert self.opening is not None
        at = opening.repeated_at
        self.opening.repeated_at = opening.start if at is None else at
        self.opening.repeated = opening.repeated
        self.opening.repeated.append(opening.data())

    def _open(self, opening: Opening, token: Special) -> None:
        """Open a header without `<|start|>`, at `<|channel|>` or `<|message|>`."""
        self.opening = opening
        self.state = State.HEADER
        self._header_special(token)

    def _header_text(self, data: bytes) -> None:
        opening = self.opening
        assert opening is not None
        words = self.lexicon.words(data)
        if words:
            opening.words += len(words) - (opening.in_word and words[0].start == 0)
            opening.in_word = words[-1].stop == len(data)
        else:
            opening.in_word = False
        opening.pieces[-1].text += data
        if not opening.may_continue(self.lexicon, complete=False):
            self._turn_to_text(opening)
        elif opening.words > self.lexicon.most_words and not opening.undecided:
            # So many words are no header: `<|message|>` is missing. The rest comes as content.
            self._cut_header(opening)

    def _turn_to_text(self, opening: Opening) -> None:
        """What stood where a header should go on is a message itself (rule 5)."""
        text = opening.pieces[0]
        speaker = opening.speaker
        self._opened(_header(speaker), text.start, text.start)
        self.plain = text.start
        self._content(bytes(text.text))

    def _header_special(self, token: Special) -> None:
        opening = self.opening
        assert opening is not None
        if opening.is_text(self.lexicon, before=token.kind):
            self._turn_to_text(opening)
            self._content_special(token)
            return
        match token.kind:
            case "message":
                self._finish_header(opening, token)
            case "start":
                if self._cut_header(opening):
                    self._close(token.at, token.at, None)
                    self._begin(token)
                else:
                    self._begin_again(opening, token)
            case "end":
                self._close_header(token.at, token.stop, token)
            case kind:
                opening.undecided = False
                opening.pieces.append(Gathering(kind, token.at, token.marker))
                opening.in_word = False
                opening.words = opening.words + 1 if kind == "other" else 0
                if opening.words > self.lexicon.most_words:
                    self._cut_header(opening)

    def _finish_header(self, opening: Opening, token: Special) -> None:
        """`<|message|>` came: content follows."""
        pieces = [piece.piece() for piece in opening.pieces]
        reading = read_header(self.lexicon, pieces, opening.speaker, cut=False, called=self._called)
        self._note_opening(opening, reading.notes)
        self.plain = None
        if opening.explicit or reading.says:
            self._opened(reading.header, opening.start, token.stop)
        else:
            data = opening.data() + token.marker
            self.pending = (reading.header, opening.start, token.stop, data)
            self._enter_content()

    def _note_opening(self, opening: Opening, notes: Iterable[Note]) -> None:
        if opening.missing:
            self.sink.noted(Note("missing-start", opening.start, opening.start, ""))
        if opening.repeated_at is not None:
            text = text_of(b"".join(opening.repeated))
            stop = opening.pieces[0].start + len(opening.pieces[0].marker)
            self.sink.noted(Note("repeated-start", opening.repeated_at, stop, text))
        for note in notes:
            self.sink.noted(note)

    def _cut_header(self, opening: Opening) -> bool:
        """Read a header that has no `<|message|>`; False if it brings no message (rule 6)."""
        if not opening.words and len(opening.pieces) == 1:
            return False
        pieces = [piece.piece() for piece in opening.pieces]
        reading = read_header(self.lexicon, pieces, opening.speaker, cut=True, called=self._called)
        data = opening.data()
        assert reading.content is not None
        content = data[reading.content - opening.start :]
        if not reading.says and not content.strip():
            return False
        self._note_opening(opening, reading.notes)
        self.sink.noted(Note("missing-message", opening.start, reading.content, ""))
        self._opened(reading.header, opening.start, reading.content)
        self.plain = None
        self._content(content)
        return True

    def _close_header(self, at: int, stop: int, token: Special | None) -> None:
        """A terminator, `<|start|>` or the end came: what the header brought is a message."""
        opening = self.opening
        assert opening is not None
        if self._cut_header(opening):
            self._close(at, stop, token)
            return
        data = b"".join(opening.repeated) + opening.data()
        start = opening.start if opening.repeated_at is None else opening.repeated_at
        self.opening = None
        self.state = State.GAP
        self.gap = Gap()
        if data:
            self.sink.noted(Note("empty-opening", start, stop, text_of(data)))
        elif token is not None:
            self.gap.terminators.append(token)

    def _called(self, tool: str) -> bool:
        return self.calls.get(tool, 0) > 0

    # ---- content (rule 3) ----------------------------------------------------------------

    def _opened(self, header: Header, start: int, content: int) -> None:
        self._spoke(header.role, header.name, header.recipient)
        self.sink.opened(header, start, content)
        self._enter_content()

    def _enter_content(self) -> None:
        self.opening = None
        self.literals = []
        self.state = State.CONTENT

    def _spoke(self, role: Role, name: str | None, recipient: str | None) -> None:
        self.last = Speaker(role, name)
        if role is self.lexicon.default_role and recipient is not None:
            self.calls[recipient] = self.calls.get(recipient, 0) + 1
        elif name is not None and self.calls.get(name):
            self.calls[name] -= 1

    def _content(self, data: bytes) -> None:
        if not data:
            return
        if self.pending is not None:
            header, start, content, _ = self.pending
            self.pending = None
            self._spoke(header.role, header.name, header.recipient)
            self.sink.opened(header, start, content)
        self.sink.content(literal(data))

    def _content_special(self, token: Special) -> None:
        match token.kind:
            case "end":
                self._close(token.at, token.stop, token)
            case "start" | "channel" | "message" if self.plain is not None:
                self._close(token.at, token.at, None)
                if token.kind == "start":
                    self._begin(token)
                else:
                    first = Gathering(None, token.at)
                    opening = Opening(first, self.last, explicit=False, missing=False)
                    self._open(opening, token)
            case "start":
                self.held.begin(token)
                self.state = State.HELD
            case _:
                self._literal(token)

    def _literal(self, token: Special) -> None:
        """A special token that leads nowhere is text."""
        self.literals.append(token)
        self._content(token.marker)

    def _close(self, at: int, stop: int, token: Special | None) -> None:
        """The message ends."""
        if token is not None and token.id not in self.lexicon.terminators:
            self.sink.noted(Note("foreign-terminator", token.at, stop, text_of(token.marker)))
        if self.plain is not None:
            self.sink.noted(Note("text-without-header", self.plain, at, ""))
            self.plain = None
        if self.literals:
            text = "".join(text_of(token.marker) for token in self.literals)
            first, last = self.literals[0], self.literals[-1]
            self.sink.noted(Note("literal-special", first.at, last.stop, text))
        if self.pending is not None:
            _, start, _, data = self.pending
            self.sink.noted(Note("empty-opening", start, at, text_of(data)))
            self.pending = None
        else:
            self.sink.closed(at, stop, None if token is None else token.id)
        self.literals = []
        self.opening = None
        self.state = State.GAP
        self.gap = Gap()

    # ---- `<|start|>` in content (rule 3) -------------------------------------------------

    def _held_text(self, data: bytes) -> None:
        self.held.parts[-1][-1].text += data
        if not self.held.leads_on(complete=False):
            self._release()

    def _held_special(self, token: Special) -> None:
        known = token.kind in ("start", "channel", "message", "constrain")
        if not known or not self.held.leads_on(complete=True):
            self._release()
        elif token.kind == "start":
            self.held.begin(token)
            return
        elif token.kind == "constrain":
            self.held.constrain(token)
            return
        else:
            self._accept()
        self.special(token)

    def _release(self) -> None:
        """It is no header: all of it is text."""
        held, self.held = self.held, Held(self.lexicon)
        self.state = State.CONTENT
        self._as_text(held.parts)

    def _as_text(self, parts: Iterable[list[Gathering]]) -> None:
        for part in parts:
            for piece in part:
                self._literal(Special(piece.kind or "", 0, piece.marker, piece.start))
                self._content(bytes(piece.text))

    def _accept(self) -> None:
        """It is a header: the message ended where that began."""
        held, self.held = self.held, Held(self.lexicon)
        self.state = State.CONTENT
        first = held.repeated()
        self._as_text(held.parts[:first])
        repeated, last = held.parts[first:-1], held.parts[-1]
        at = held.parts[first][0].start
        self.sink.noted(Note("missing-terminator", at, at, ""))
        self._close(at, at, None)
        opening = Opening(last[0], self.given, explicit=True, missing=False)
        opening.pieces = last
        if repeated:
            opening.repeated = [piece.data() for part in repeated for piece in part]
            opening.repeated_at = at
        opening.words = len(self.lexicon.words(bytes(last[-1].text)))
        self.opening = opening
        self.state = State.HEADER


def _header(speaker: Speaker) -> Header:
    return Header(speaker.role, speaker.name)
