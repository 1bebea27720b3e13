"""Tokens to messages, at once.

The compiled matcher reads; where it does not, the LALR parser is asked: it either takes the
message (the matcher is the faster of two readings of one grammar) or says what is wrong.
"""

from __future__ import annotations

from array import array
from operator import itemgetter
from typing import TYPE_CHECKING

from harmony.contents import TextContent
from harmony.errors import InvalidToken, ParseError
from harmony.faults import Faults
from harmony.matcher import remember
from harmony.messages import Author, Message, Role
from harmony.transcript import Transcript
from harmony.tree import parse_tree, read_tree
from harmony.vocabulary import MOST_AT_ONCE, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Token, Tree

    from harmony.grammar import Grammar
    from harmony.matcher import HeaderFields, Matcher
    from harmony.transcript import Bounds
    from harmony.vocabulary import Vocabulary

# An unsigned int of the C compiler: 4 bytes wherever Python runs today.
ID_BYTES = array("I").itemsize

_new_message = Message.__new__
_new_author = Author.__new__
_new_text = TextContent.__new__


def message_of(header: HeaderFields, text: str) -> Message:
    """The message with that header and content.

    The constructors are passed by: they check what users hand in, and a header's fields are
    strings by construction. That is most of the time of a short parse.
    """
    message = _new_message(Message)
    author = message.author = _new_author(Author)
    (
        author.role,
        author.name,
        message.recipient,
        message.channel,
        message.content_type,
        message._extra,  # noqa: SLF001 (as the others, past the constructor)
    ) = header
    content = _new_text(TextContent)
    content.text = text
    message.content = [content]
    return message


class Parser:
    """Reads whole completions and prompts. Spec: [format]."""

    def __init__(self, grammar: Grammar, matcher: Matcher, vocabulary: Vocabulary) -> None:
        self._grammar = grammar
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._end = matcher.end
        self._body = matcher.body.pattern.match
        # What `messages` needs, looked up once: a short parse is a dozen look-ups long.
        divider = array("I", [grammar.spec.token("message").id]).tobytes()
        # The first headers that were read so far, by the bytes of their ids; by the role given.
        # As plain tuples, which the interpreter takes apart faster.
        known: dict[Role | None, dict[bytes, HeaderFields]] = {
            role: {} for role in (None, *grammar.spec.roles)
        }
        self._hot = vocabulary.table, divider, known, self._body, matcher.openings(None)

    def messages(self, tokens: Sequence[int], role: Role | None) -> list[Message]:
        """The messages of ``tokens``; ``role`` is the role that the prompt ended with.

        Where all headers were read before, by the ids of the first and the bytes of the
        others, nothing but contents is looked into. Else `_read` begins anew.

        Raises:
            ParseError: the tokens are not in the format.
            InvalidToken: an id that the vocabulary does not have.
        """
        if len(tokens) > MOST_AT_ONCE:
            return self._read(tokens, role)
        table, divider, known, body, openings = self._hot
        messages: list[Message] = []
        try:
            # As Vocabulary.lex does it, which says what is wrong if this fails.
            ids = array("I", tokens).tobytes()
            stop = ids.find(divider) + ID_BYTES
            header = known[role][ids[:stop]]
            data = b"".join(itemgetter(*tokens[stop // ID_BYTES :])(table))
            at, size = 0, len(data)
            while True:
                match = body(data, at)
                assert match is not None
                messages.append(message_of(header, match[1].decode()))
                start = match.end()
                if start == size:
                    return messages
                at = data.find(self._end, start) + len(self._end)
                header = openings[data[start:at]]
        except (LookupError, OverflowError, TypeError, ValueError):
            pass
        messages = self._read(tokens, role)
        # Nothing was raised, so there is a divider. One that is found between two ids is none.
        ids = array("I", tokens).tobytes()
        stop = ids.find(divider) + ID_BYTES
        opening = self._vocabulary.lex(tokens[: stop // ID_BYTES])
        read = self._matcher.openings(role).get(opening)
        if read is not None:
            remember(known[role], ids[:stop], read[:])
        return messages

    def _read(
        self, tokens: Sequence[int], role: Role | None, bounds: list[Bounds] | None = None
    ) -> list[Message]:
        """As `messages`; where each stood is added to ``bounds``, if it is given."""
        try:
            data = self._vocabulary.lex(tokens)
        except InvalidToken as error:
            error.parsed = self._before(tokens, error.position or 0, role)
            raise
        messages: list[Message] = []
        start, size = 0, len(data)
        while start < size or role is not None:
            start = self._one(data, start, role, tokens, messages, bounds)
            role = None
        return messages

    def _before(self, tokens: Sequence[int], stop: int, role: Role | None) -> list[Message]:
        """The messages that end before the token ``stop``."""
        bounds: list[Bounds] = []
        try:
            messages = self._read(tokens[:stop], role, bounds)
        except ParseError as error:
            return error.parsed
        # The last one has no terminator unless it is complete.
        return messages[:-1] if bounds and bounds[-1][2] == bounds[-1][3] else messages

    def _one(
        self,
        data: bytes,
        start: int,
        role: Role | None,
        tokens: Sequence[int],
        messages: list[Message],
        bounds: list[Bounds] | None,
    ) -> int:
        """Read the message that begins at ``start``; where it ends.

        Where the matcher does not take it, the LALR parser is asked about all the rest.
        """
        matcher = self._matcher
        content = data.find(self._end, start) + len(self._end)
        opening = data[start:content]
        header = matcher.openings(role).get(opening)
        if header is not None:
            match, group = self._body(data, content), 1
        else:
            whole = matcher.message if role is None else matcher.first_message
            match, group = whole.pattern.match(data, start), whole.content_group
            header = matcher.header_matched(whole, match, role, opening)
        if header is None or match is None:
            return self._by_authority(data, start, role, tokens, messages, bounds)
        messages.append(message_of(header, text_of(match[group])))
        if bounds is not None:
            bounds.append((start, *match.span(group), match.end()))
        return match.end()

    def transcript(self, tokens: Sequence[int], role: Role | None) -> Transcript:
        """The messages, and where they stood. Raises as `messages` does."""
        bounds: list[Bounds] = []
        messages = self._read(tokens, role, bounds)
        return Transcript(messages, tokens, bounds, self._vocabulary)

    def _by_authority(
        self,
        data: bytes,
        start: int,
        role: Role | None,
        tokens: Sequence[int],
        messages: list[Message],
        bounds: list[Bounds] | None,
    ) -> int:
        """Read what the LALR parser makes of the rest, from ``start`` on; where it ends."""
        faults = Faults(self._grammar.spec, self._vocabulary, data, tokens, messages)
        # The header alone first: it is at fault, whatever else is wrong further on.
        stop = data.find(self._end, start)
        if stop >= 0:
            opening = data[start : stop + len(self._end)]
            tree = parse_tree(self._grammar, opening, role, faults, start)
            list(read_tree(tree, role, faults, start))
        tree = parse_tree(self._grammar, data[start:], role, faults, start)
        for header, text, bound in read_tree(tree, role, faults, start):
            messages.append(message_of(header, text))
            if bounds is not None:
                bounds.append(bound)
        return len(data)

    def tree(self, tokens: Sequence[int], role: Role | None) -> Tree[Token]:
        """Lark's parse tree. Raises as `messages` does."""
        data = self._vocabulary.lex(tokens)
        faults = Faults(self._grammar.spec, self._vocabulary, data, tokens, [])
        return parse_tree(self._grammar, data, role, faults, 0)
