"""The snippets of the guides in docs/ do what they say."""

from __future__ import annotations

import re
import tomllib

import pytest

from harmony.cli import check_settings
from tests.shell import ROOT, needs_bash, run_shell
from tests.test_readme import blocks

#: Written by hand, with snippets; docs/performance.md has none.
GUIDES = [
    path for path in sorted((ROOT / "docs").glob("*.md")) if blocks("python", path.read_text())
]
COMMANDS = [
    line
    for path in GUIDES
    for _, code in blocks("sh", path.read_text())
    for line in code.splitlines()
    if not line.startswith("pip ")
]


def test_there_are_some():
    assert "check.md" in {path.name for path in GUIDES}
    assert COMMANDS


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_python_snippets(path):
    names: dict[str, object] = {}
    for line, code in blocks("python", path.read_text()):
        assert "assert " in code
        # Blank lines before it give a failure the guide's own line number.
        exec(compile("\n" * (line - 1) + code, str(path), "exec"), names)


@needs_bash
@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, tmp_path):
    result = run_shell(command, tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_settings_of_the_guide_are_settings():
    text = (ROOT / "docs" / "check.md").read_text()
    ((_, code),) = blocks("toml", text)
    assert set(tomllib.loads(code)["tool"]["harmony"]) == set(check_settings._KEYS)
