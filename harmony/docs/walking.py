"""Walks over productions that do not enter the rules they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.syntax import Choice, Node, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator


def alternatives(choice: Choice) -> list[tuple[Node, str]]:
    """The alternatives and their aliases; those that `%extend` brings stand among the others."""
    found: list[tuple[Node, str]] = []
    for node, alias in zip(choice.alternatives, choice.aliases, strict=True):
        if isinstance(node, Choice) and not alias:
            found += alternatives(node)
        else:
            found.append((node, alias))
    return found


def direct(node: Node) -> Iterator[Node]:
    """``node`` and the nodes below it; a rule is a leaf."""
    yield node
    match node:
        case Sequence(parts) | Choice(parts, _):
            for part in parts:
                yield from direct(part)
        case Repeat(part, _, _):
            yield from direct(part)
        case _:
            pass
