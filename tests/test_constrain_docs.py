"""The guide to constrained decoding does what it says."""

from __future__ import annotations

import re

from tests.shell import ROOT
from tests.test_readme import blocks

GUIDE = (ROOT / "docs" / "constrain.md").read_text(encoding="utf-8")


def test_snippets():
    names: dict[str, object] = {}
    snippets = blocks("python", GUIDE)
    assert len(snippets) >= 3
    for line, code in snippets:
        assert "assert " in code
        exec(compile("\n" * (line - 1) + code, "docs/constrain.md", "exec"), names)


def test_what_needs_a_model_is_python():
    for line, code in blocks("py", GUIDE):
        compile("\n" * (line - 1) + code, "docs/constrain.md", "exec")


def test_every_option_is_in_the_table():
    import inspect

    from harmony.constrain import completion_grammar

    options = set(inspect.signature(completion_grammar).parameters) - {
        "enc",
        "tools",
        "response_format",
    }
    assert options == set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))
