"""Lark's parse tree: made of lexed bytes, and read into headers and contents.

This is the authority. The compiled matcher is a faster reading of the same productions, and
a property test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.matcher import Header, header_of, text_in_header
from harmony.vocabulary import literal, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Token, Tree

    from harmony.faults import Faults
    from harmony.grammar import Grammar
    from harmony.messages import Role
    from harmony.transcript import Bounds


def parse_tree(
    grammar: Grammar, data: bytes, role: Role | None, faults: Faults, offset: int
) -> Tree[Token]:
    """The parse tree of ``data``, which stands at the byte ``offset`` of all the input.

    ``role`` is the role that the prompt ended with, if ``data`` begins inside a header.

    Raises:
        ParseError: ``data`` is not in the grammar.
    """
    from lark.exceptions import UnexpectedInput

    start = "completion" if role is None else "continuation"
    try:
        return grammar.lalr.parse(data, start=start)
    except UnexpectedInput as error:
        raise faults.unexpected(error, offset, role) from None


def read_tree(
    tree: Tree[Token], role: Role | None, faults: Faults, offset: int
) -> Iterator[tuple[Header, str, Bounds]]:
    """The messages in a tree that `parse_tree` made: header, text and where they stood.

    Raises:
        ParseError: a header's words are not UTF-8, or it repeats another role than ``role``.
    """
    fields = faults.spec.field_of_rule
    start = offset
    for message in tree.children:
        found: dict[str, bytes] = {}
        at: dict[str, int] = {}
        nodes: Iterator[Any] = message.iter_subtrees()  # type: ignore[union-attr]
        for node in nodes:
            if node.data in fields:
                begins = offset + (node.children[0].start_pos if node.children else 0)
                if begins >= at.get(node.data, 0):
                    found[node.data] = b"".join(token.value for token in node.children)
                    at[node.data] = begins
        content = found.pop("content", b"")
        terminator = found.pop("terminator", b"")
        opening = _end_of_header(message) + offset
        texts: dict[str, str] = {}
        for rule in sorted(found, key=at.__getitem__):
            try:
                texts[rule] = text_in_header(found[rule])
            except UnicodeDecodeError as error:
                # The bytes of a field's marker, which come first, are not all in its text.
                lost = len(found[rule]) - len(literal(found[rule]))
                raise faults.undecodable(at[rule] + lost + error.start) from None
        first = str(message.data).startswith("first_")  # type: ignore[union-attr]
        header = header_of(texts, role if first else None, faults.spec.extra_fields)
        if header is None:
            raise faults.other_role(at["repeated_role"], texts["repeated_role"])
        ends = opening + len(content)
        yield header, text_of(content), (start, opening, ends, ends + len(terminator))
        start = ends + len(terminator)


def _end_of_header(message: Any) -> int:
    # The MESSAGE token is the only direct child that is a token, but for START before it.
    ends = [t.end_pos for t in message.children if getattr(t, "type", "") == "MESSAGE"]
    return int(ends[-1])
