"""The snippets of docs/convert.md do what they say."""

from __future__ import annotations

import re
import shlex

import pytest
from click.testing import CliRunner

from harmony.cli.entry import command
from tests.shell import ROOT
from tests.test_readme import blocks

GUIDE = (ROOT / "docs" / "convert.md").read_text(encoding="utf-8")


def test_python_snippets():
    names: dict[str, object] = {}
    snippets = blocks("python", GUIDE)
    assert len(snippets) == 5
    for line, code in snippets:
        assert "assert " in code
        exec(compile("\n" * (line - 1) + code, "convert.md", "exec"), names)


@pytest.mark.parametrize("line", re.findall(r"`harmony (.+?)`", GUIDE, re.DOTALL))
def test_commands(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(command, shlex.split(line))
    assert result.exit_code == 0, result.output
    assert result.stdout
