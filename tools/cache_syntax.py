"""Write harmony/data/syntax.json from grammar/ and spec/: ``python -m tools.cache_syntax``.

Needed after a change of grammar/message.lark or of what it imports from the spec. Without
it the library still follows the change: it reads the grammar with Lark at start-up instead,
since the file names the digest of what it was made from.
"""

from __future__ import annotations

import json

from harmony import resources
from harmony.grammar import SYNTAX_CACHE, load_grammar, syntax_to_json
from harmony.spec import load_spec
from harmony.syntax import read_syntax


def written() -> str:
    """The text that the file should have."""
    grammar = load_grammar(load_spec())
    syntax = syntax_to_json(read_syntax(grammar.text, grammar.imported))
    return json.dumps({"digest": grammar.digest, "syntax": syntax}, indent=1) + "\n"


def main() -> None:
    """Write the file."""
    resources.path("data", SYNTAX_CACHE).write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
