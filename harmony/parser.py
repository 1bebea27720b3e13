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
from harmony.messages import Author, Message, Role
from harmony.transcript import Transcript
from harmony.tree import parse_tree, read_tree
from harmony.vocabulary import MOST_AT_ONCE, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Token, Tree

    from harmony.grammar import Grammar
    from harmony.matcher import Header, Matcher
    from harmony.transcript import Bounds
    from harmony.vocabulary import Vocabulary

_new_message = Message.__new__
_new_author = Author.__new__
_new_text = TextContent.__new__


def message_of(header: Header, text: str) -> Message:
    """The message with that header and content.

    The constructors are passed by: they check what users hand in, and a header's fields are
    strings by construction. That is most of the time of a short parse.
    """
    message = _new_message(Message)
    author = message.author = _new_author(Author)
    author.role, author.name, message.recipient, message.channel, message.content_type = header
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
        self._hot = vocabulary.table, matcher.frame.match, matcher.openings(None)

    def messages(
        self, tokens: Sequence[int], role: Role | None, bounds: list[Bounds] | None = None
    ) -> list[Message]:
        """The messages of ``tokens``; ``role`` is the role that the prompt ended with.

        Where each stood is added to ``bounds``, if it is given.

        Raises:
            ParseError: the tokens are not in the format.
            InvalidToken: an id that the vocabulary does not have.
        """
        table, frame, openings = self._hot
        data = None
        if len(tokens) <= MOST_AT_ONCE:
            try:
                # As Vocabulary.lex does it, which says what is wrong if this fails.
                array("I", tokens)
                data = b"".join(itemgetter(*tokens)(table))
            except (IndexError, OverflowError, TypeError):
                pass
        if data is None:
            try:
                data = self._vocabulary.lex(tokens)
            except InvalidToken as error:
                error.parsed = self._before(tokens, error.position or 0, role)
                raise
        messages: list[Message] = []
        start, size = 0, len(data)
        if role is not None:
            start = self._one(data, 0, role, tokens, messages, bounds)
        while start < size:
            match = frame(data, start)
            if match is None or (header := openings.get(match[1])) is None:
                # A new opening, or none. Once read, it is remembered.
                start = self._one(data, start, None, tokens, messages, bounds)
                continue
            try:
                text = match[2].decode()
            except UnicodeDecodeError:
                text = text_of(match[2])
            messages.append(message_of(header, text))
            if bounds is not None:
                bounds.append((start, *match.span(2), match.end()))
            start = match.end()
        return messages

    def _before(self, tokens: Sequence[int], stop: int, role: Role | None) -> list[Message]:
        """The messages that end before the token ``stop``."""
        bounds: list[Bounds] = []
        try:
            messages = self.messages(tokens[:stop], role, bounds)
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
        messages = self.messages(tokens, role, bounds)
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
