"""Free text as rules over characters: any text that spells no special token.

For engines that match special tokens by their text; where a token is an element of the
grammar, free text is any other token.
"""

from __future__ import annotations

import functools

import attrs

from harmony.constrain import rules
from harmony.constrain.automata import MOST_STATES, Both, State, Table, Without, table
from harmony.constrain.rules import Characters, Node, Ref, Rules, choice, sequence

WHITE_SPACE = frozenset(map(ord, " \t\r\n"))


@attrs.frozen
class _Says:
    """Text that is not white space alone."""

    start: bool = False
    cuts: frozenset[int] = WHITE_SPACE | frozenset(code + 1 for code in WHITE_SPACE)

    def step(self, state: State, character: int) -> State | None:
        """The state is whether anything was said."""
        return bool(state) or character not in WHITE_SPACE

    def accepts(self, state: State) -> bool:
        """Whether anything was said."""
        return bool(state)


@functools.lru_cache(maxsize=4)
def _table(texts: tuple[str, ...]) -> Table:
    found = table(Both((_Says(), Without(texts))), merged=MOST_STATES)
    assert found is not None
    return found


def free_text(grammar: Rules, texts: tuple[str, ...]) -> Ref:
    """The rule for free text, made in ``grammar``. ``texts`` are what it must not spell."""
    found = _table(texts)
    name = grammar.fresh("text")
    names = [name if not i else f"{name}-{i}" for i in range(len(found.edges))]
    for index, edges in enumerate(found.edges):
        parts: list[Node] = [rules.EMPTY] if index in found.accepting else []
        parts += [
            sequence(Characters(intervals), Ref(names[target]))
            for target, intervals in edges.items()
        ]
        grammar.rules[names[index]] = choice(*parts)
    return Ref(name)
