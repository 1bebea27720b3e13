"""Parse errors: what was expected, what came, where, and what to do.

Sentences and remedies stand in spec/harmony.toml, [[parse_errors]].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.errors import ParseError
from harmony.vocabulary import MARK, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harmony.messages import Message, Role
    from harmony.spec import Spec
    from harmony.vocabulary import Vocabulary

# How many tokens an excerpt shows before the fault, and how many after it.
BEFORE, AFTER = 12, 4


class Faults:
    """Makes the errors of one input."""

    def __init__(
        self,
        spec: Spec,
        vocabulary: Vocabulary,
        data: bytes,
        tokens: Sequence[int],
        parsed: Sequence[Message],
    ) -> None:
        self.spec = spec
        self._vocabulary = vocabulary
        self._data = data
        self._tokens = tokens
        self._parsed = parsed

    def unexpected(self, error: Any, offset: int, role: Role | None) -> ParseError:
        """The error for Lark's ``error``, met in the bytes from ``offset`` on."""
        at = getattr(error, "pos_in_stream", None)
        at = len(self._data) if at is None or at < 0 else offset + at
        if getattr(error, "token", None) is not None and error.token.type == "$END":
            at = len(self._data)
        terminals = set(
            getattr(error, "accepts", None)
            or getattr(error, "expected", None)
            or getattr(error, "allowed", None)
            or ()
        )
        return self.error(self._kind(at, offset, role), at, terminals)

    def undecodable(self, at: int) -> ParseError:
        """The error for a header, at the byte ``at``, whose words are not UTF-8."""
        return self.error("undecodable_header", at, ())

    def other_role(self, at: int, found: str) -> ParseError:
        """The error for a header that repeats the role ``found``, not the one given."""
        return self.error("other_role", at, (), found)

    def _kind(self, at: int, start: int, role: Role | None) -> str:
        # `start` is where the message begins, so all before the fault is header or nothing.
        data = self._data
        tokens = self.spec.special_tokens.items()
        marker = {name: self._vocabulary.marker(token.id) for name, token in tokens}
        begun = role is not None or data.startswith(marker["start"], start)
        if not begun:
            return "expected_start"
        if at >= len(data):
            return "incomplete_header"
        before = data[start:at].rstrip(self.spec.table("header")["white_space"].encode())
        if before.endswith(marker["channel"]):
            return "missing_channel"
        if before.endswith(marker["start"]):
            return "missing_author"
        return "unexpected_in_header"

    def error(
        self, kind: str, at: int, terminals: Iterable[str], found: str | None = None
    ) -> ParseError:
        """The error ``kind`` of the spec, found at the byte ``at`` of the input."""
        position = self._vocabulary.index_at(self._tokens, at)
        token = self._tokens[position] if position < len(self._tokens) else None
        if found is None:
            in_header = kind == "unexpected_in_header"
            found = self._word_at(at) if in_header else self._text(token)
        return parse_error(
            self.spec,
            kind,
            position=position,
            token=token,
            found=found,
            terminals=terminals,
            state=_STATES.get(kind, "Header"),
            parsed=self._parsed,
            excerpt=self._excerpt(position),
        )

    def _text(self, token: int | None) -> str:
        return "" if token is None else text_of(self._vocabulary.table[token])

    def _word_at(self, at: int) -> str:
        """The marker or the word at the byte ``at``."""
        data, white_space = self._data, self.spec.table("header")["white_space"].encode()
        if data.startswith(MARK, at):
            return self._text(self._tokens[self._vocabulary.index_at(self._tokens, at)])
        words = data[at:].split(MARK, 1)[0].strip(white_space).split(None, 1)
        return (
            text_of(words[0])
            if words
            else self._text(self._tokens[self._vocabulary.index_at(self._tokens, at)])
        )

    def _excerpt(self, position: int) -> str:
        if not self._tokens:
            return ""
        lex = self._vocabulary.lex
        first = max(0, position - BEFORE)
        before = on_one_line(text_of(lex(self._tokens[first:position])))
        at = on_one_line(text_of(lex(self._tokens[position : position + 1])))
        after = on_one_line(text_of(lex(self._tokens[position + 1 : position + 1 + AFTER])))
        lead = "…" if first else ""
        tail = "…" if position + 1 + AFTER < len(self._tokens) else ""
        return (
            f"  {lead}{before}{at}{after}{tail}\n  {' ' * len(lead + before)}{'^' * (len(at) or 1)}"
        )


_STATES = {"expected_start": "ExpectStart"}


def on_one_line(text: str) -> str:
    """``text`` with what breaks a line, or cannot be seen, written as an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def parse_error(  # noqa: PLR0913 (each is a part of one sentence)
    spec: Spec,
    kind: str,
    *,
    position: int,
    token: int | None,
    found: str,
    terminals: Iterable[str] = (),
    state: str,
    parsed: Sequence[Message],
    excerpt: str = "",
) -> ParseError:
    """The error ``kind`` of the spec. Spec: [[parse_errors]]."""
    row = spec.row("parse_errors", kind)
    names = spec.table("terminals")
    special = {t.terminal: t.text for t in spec.special_tokens.values() if t.terminal}
    labels = {special.get(name) or names.get(name, name) for name in terminals}
    facts = {
        "token": "the end of the input" if token is None else token,
        "start": spec.token("start").id,
        "found": repr(found),
        "last_token": spec.table("vocabulary")["last_special"],
    }
    return ParseError(
        row["sentence"].format_map(facts),
        position=position,
        expected=sorted(labels),
        found=found,
        state=state,
        parsed=parsed,
        excerpt=excerpt,
        remedy=row["remedy"].format_map(facts),
    )
