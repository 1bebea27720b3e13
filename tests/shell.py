"""Runs commands as a user types them, with `harmony` on the path wherever it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would lead a child to our checkout."""
    out = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return out | more


def run_module(*args: str, stdin: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    """`python -m harmony` with these arguments, in the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "harmony", *args],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **more},
        check=False,
        timeout=120,
    )


def run_shell(script: str, folder: Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    """A bash script, in which `harmony` and `python` are this interpreter's; ``folder`` is a
    place for them."""
    for name, command in {"harmony": "-m harmony", "python": ""}.items():
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        path.chmod(0o755)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=cwd,
        env={
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
        check=False,
        timeout=300,
    )
