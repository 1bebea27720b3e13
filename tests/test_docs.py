"""docs/ says what spec/ and grammar/ say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.cache_syntax import written  # noqa: E402
from tools.write_docs import pages  # noqa: E402


@pytest.mark.parametrize("name", ["format.md", "recovery.md", "rules.md"])
def test_a_page_is_what_would_be_written_now(name):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages()[name], (
        "run `python -m tools.write_docs`"
    )


def test_every_fact_with_prose_is_in_the_docs(spec):
    text = "".join(pages().values())
    for table in spec.data.values():
        rows = table if isinstance(table, list) else [table]
        for row in rows:
            for key in ("purpose", "reason"):
                if key in row:
                    assert row[key].replace("|", "\\|") in text or row[key] in text, row[key]


def test_every_leniency_is_in_the_docs(spec):
    text = pages()["recovery.md"]
    assert spec.rows("leniencies")
    for row in spec.rows("leniencies"):
        assert f"### `{row['code']}`" in text


def test_every_rule_is_in_the_docs(spec):
    text = pages()["rules.md"]
    assert spec.rows("rules")
    for row in spec.rows("rules"):
        assert f"### {row['code']} `{row['name']}`" in text
        assert row["prose"].strip() in text
    for row in [*spec.rows("leniencies"), *spec.rows("text_leniencies")]:
        assert f"| {row['check']} | `{row['code']}` |" in text


def test_the_syntax_cache_is_fresh():
    cached = (ROOT / "harmony" / "data" / "syntax.json").read_text(encoding="utf-8")
    assert cached == written(), "run `python -m tools.cache_syntax`"
