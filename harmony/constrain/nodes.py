"""What an exported grammar is made of, before any engine's language.

A completion is text, special tokens, free text and JSON, put together. Each exporter
(`lark.py`, `gbnf.py`, `structural_tag.py`) writes the same nodes in its engine's way.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

Node: TypeAlias = "Text | Special | FreeText | Json | Ref | Sequence | Choice | Star"


@attrs.frozen
class Text:
    """Fixed text, in ordinary tokens."""

    text: str


@attrs.frozen
class Special:
    """A special token."""

    id: int
    text: str
    """How it is spelled."""
    stops: bool = False
    """Whether the model waits for somebody else after it. Spec: [stop]."""
    returns: bool = False
    """Whether it ends a final answer; servers take this one as the end of sequence."""


@attrs.frozen
class FreeText:
    """Any text without special tokens that says something: not white space alone."""


@attrs.frozen
class Json:
    """A JSON value that a schema describes."""

    schema: str
    """The key of the schema: a recipient, or ``"response_format"``."""


@attrs.frozen
class Ref:
    """A rule, by its name."""

    name: str


@attrs.frozen
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@attrs.frozen
class Choice:
    """One of several."""

    alternatives: tuple[Node, ...]


@attrs.frozen
class Star:
    """Any number of times, none included."""

    part: Node


def sequence(*parts: Node) -> Node:
    """The parts one after the other; sequences in it are opened, texts that meet joined."""
    flat: list[Node] = []
    for part in parts:
        for item in part.parts if isinstance(part, Sequence) else (part,):
            if isinstance(item, Text) and flat and isinstance(flat[-1], Text):
                flat[-1] = Text(flat[-1].text + item.text)
            elif item != Text(""):
                flat.append(item)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(*alternatives: Node) -> Node:
    """One of the alternatives, each once; the only one, if there is but one."""
    unique = tuple(dict.fromkeys(alternatives))
    return unique[0] if len(unique) == 1 else Choice(unique)


def shared(sequences: list[tuple[Node, ...]]) -> Node:
    """The choice between ``sequences``, what they share at either end written once.

    ``[ab, acb]`` is ``a (c)? b``, written ``a ("" | c) b``.
    """
    tail: list[Node] = []
    while all(sequences) and len({s[-1] for s in sequences}) == 1:
        tail.insert(0, sequences[0][-1])
        sequences = [s[:-1] for s in sequences]
    return sequence(_prefixed(sequences), *tail)


def _prefixed(sequences: list[tuple[Node, ...]]) -> Node:
    groups: dict[Node | None, list[tuple[Node, ...]]] = {}
    for parts in dict.fromkeys(sequences):
        groups.setdefault(parts[0] if parts else None, []).append(parts[1:])
    alternatives = [
        Sequence(()) if first is None else sequence(first, _prefixed(rests))
        for first, rests in groups.items()
    ]
    return choice(*alternatives)
