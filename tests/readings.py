"""The two readings of the grammar, each by itself: the compiled matcher, and LALR."""

from __future__ import annotations

from harmony.errors import ParseError
from harmony.faults import Faults
from harmony.tree import parse_tree, read_tree
from harmony.vocabulary import text_of


def by_matcher(enc, tokens, role):
    """Header, text and bounds of each message as the compiled expressions read them, or None."""
    data = enc.vocabulary.lex(tokens)
    matcher = enc.matcher
    found = []
    at = 0
    while at < len(data) or role is not None:
        whole = matcher.message if role is None else matcher.first_message
        match = whole.pattern.match(data, at)
        header = matcher.header_matched(whole, match, role, b"?" * 600)
        if header is None:
            return None
        start, stop = match.span(whole.content_group)
        found.append((header, text_of(data[start:stop]), (at, start, stop, match.end())))
        at, role = match.end(), None
    return found


def by_lalr(enc, tokens, role):
    """The same as the LALR parser reads them."""
    data = enc.vocabulary.lex(tokens)
    faults = Faults(enc.spec, enc.vocabulary, data, tokens, [])
    try:
        tree = parse_tree(enc.grammar, data, role, faults, 0)
        return list(read_tree(tree, role, faults, 0))
    except ParseError:
        return None
