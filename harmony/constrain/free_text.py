"""Free text as rules over characters: any text that spells no special token.

For engines that match special tokens by their text. The text may be empty: llama.cpp's mask
allows `<|end|>` where its first letter may stand and the token may follow that, so at the
start of a text; if the grammar did not allow it there too, llama.cpp would abort.
"""

from __future__ import annotations

import functools

from harmony.constrain import rules
from harmony.constrain.automata import MOST_STATES, Table, Without, table
from harmony.constrain.rules import Characters, Node, Ref, Rules, choice, sequence


@functools.lru_cache(maxsize=4)
def _table(texts: tuple[str, ...]) -> Table:
    found = table(Without(texts), merged=MOST_STATES)
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
