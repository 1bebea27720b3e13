"""Tokens to messages, at once.

The compiled matcher reads; where it does not, the LALR parser is asked: it either takes the
message (the matcher is the faster of two readings of one grammar) or says what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.contents import TextContent
from harmony.faults import Faults
from harmony.messages import Author, Message, Role
from harmony.transcript import Transcript
from harmony.tree import parse_tree, read_tree
from harmony.vocabulary import text_of

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

    def messages(self, tokens: Sequence[int], role: Role | None) -> list[Message]:
        """The messages of ``tokens``; ``role`` is the role that the prompt ended with.

        Raises:
            ParseError: the tokens are not in the format.
            InvalidToken: an id that the vocabulary does not have.
        """
        return self._read(tokens, role)[0]

    def transcript(self, tokens: Sequence[int], role: Role | None) -> Transcript:
        """The messages, and where they stood. Raises as `messages` does."""
        messages, bounds = self._read(tokens, role)
        return Transcript(messages, tokens, bounds, self._vocabulary)

    def _read(self, tokens: Sequence[int], role: Role | None) -> tuple[list[Message], list[Bounds]]:
        data = self._vocabulary.lex(tokens)
        matcher = self._matcher
        find, end = data.find, matcher.end
        body = matcher.body.pattern.match
        openings = matcher.openings(role)
        messages: list[Message] = []
        bounds: list[Bounds] = []
        start, size = 0, len(data)
        while start < size or role is not None:
            stop = find(end, start)
            header = openings.get(data[start:stop]) if stop >= 0 else None
            if header is not None:
                content = stop + len(end)
                match = body(data, content)
                content_group = 1
            else:
                whole = matcher.message if role is None else matcher.first_message
                match = whole.pattern.match(data, start)
                header = matcher.header_matched(whole, match, role, data[start:stop])
                if header is None:
                    return self._by_authority(data, start, role, tokens, messages, bounds)
                content_group = whole.content_group
            assert match is not None
            content, terminator = match.span(content_group)
            messages.append(message_of(header, text_of(data[content:terminator])))
            bounds.append((start, content, terminator, start := match.end()))
            if role is not None:
                role, openings = None, matcher.openings(None)
        return messages, bounds

    def _by_authority(
        self,
        data: bytes,
        start: int,
        role: Role | None,
        tokens: Sequence[int],
        messages: list[Message],
        bounds: list[Bounds],
    ) -> tuple[list[Message], list[Bounds]]:
        """What the LALR parser says of the rest, which begins at the byte ``start``."""
        faults = Faults(self._grammar.spec, self._vocabulary, data, tokens, messages)
        tree = parse_tree(self._grammar, data[start:], role, faults, start)
        for header, text, bound in read_tree(tree, role, faults, start):
            messages.append(message_of(header, text))
            bounds.append(bound)
        return messages, bounds

    def tree(self, tokens: Sequence[int], role: Role | None) -> Tree[Token]:
        """Lark's parse tree. Raises as `messages` does."""
        data = self._vocabulary.lex(tokens)
        faults = Faults(self._grammar.spec, self._vocabulary, data, tokens, [])
        return parse_tree(self._grammar, data, role, faults, 0)
