"""The README's snippets do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap

import pytest

from tests.shell import ROOT, clean_environment, needs_bash, run_shell

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[tuple[int, str]]:
    """The fenced blocks of that language, each with the line on which its code begins."""
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


SET_UP, TEST, *COMMANDS = [code for _, code in blocks("sh")]


def test_python_snippets():
    snippets = blocks("python")
    assert len(snippets) >= 5
    names: dict[str, object] = {}
    for line, code in snippets:
        assert "assert " in code
        # Blank lines before it give a failure the README's own line number.
        exec(compile("\n" * (line - 1) + code, "README.md", "exec"), names)


def test_every_language_is_run():
    languages = set(re.findall(r"^```(\w+)$", README, re.MULTILINE))
    assert languages == {"python", "sh"}


@needs_bash
@pytest.mark.parametrize("command", [line for code in COMMANDS for line in code.splitlines()])
def test_commands(command, tmp_path):
    result = run_shell(command, tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout


def test_it_is_short():
    assert len(README.splitlines()) < 250


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        if target != "docs/performance.md":
            assert (ROOT / target).exists(), target


def test_each_set_up_is_one_line():
    assert len(SET_UP.splitlines()) == len(TEST.splitlines()) == 1


def test_ci_runs_the_readme_s_tests():
    assert "pytest" in TEST
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@needs_bash
@pytest.mark.slow
@pytest.mark.xdist_group("packaging")
def test_the_set_up_command_does_the_main_job(tmp_path):
    folder = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "node_modules")
    shutil.copytree(ROOT, folder, ignore=ignored)
    python = tmp_path / "bin"
    python.mkdir()
    (python / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (python / "python3").chmod(0o755)
    environment = clean_environment()
    environment["PATH"] = f"{python}:{environment['PATH']}"
    # What a fresh machine has: no virtual environment is active.
    environment.pop("VIRTUAL_ENV", None)
    result = subprocess.run(
        ["bash", "-c", SET_UP],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    out = result.stdout.decode()
    assert result.returncode == 0, result.stderr.decode() + out
    assert "<|start|>user<|message|>What is the weather like in Lisbon?<|end|>" in out
    assert '"text": "It is 27 °C in Lisbon, with a clear sky and a light wind. ☀️"' in out


def test_blocks_know_their_lines():
    text = textwrap.dedent(
        """\
        a
        ```python
        x
        ```
        ```sh
        y
        ```
        """
    )
    assert blocks("python", text) == [(3, "x\n")]
    assert blocks("sh", text) == [(6, "y\n")]
