"""The public test suite of openai-harmony, run with `harmony` under its name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import pytest

from harmony import HarmonyError

ROOT = Path(__file__).resolve().parent.parent
SDIST = "openai-harmony==0.0.8"
# It asserts that pydantic refuses a wrong type; the two facts of it are tested below.
DESELECTED = "test_decode_utf8_invalid_token"

# The sdist's own build backend needs a Rust compiler just to say its name; this one says it.
BACKEND = """
    import pathlib

    def get_requires_for_build_wheel(config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        info = pathlib.Path(folder) / "openai_harmony-0.0.8.dist-info"
        info.mkdir()
        fields = "Metadata-Version: 2.1\\nName: openai-harmony\\nVersion: 0.0.8\\n"
        (info / "METADATA").write_text(fields)
        return info.name
"""

PLUGIN = """
    import sys

    import harmony

    sys.modules["openai_harmony"] = harmony
"""


@pytest.fixture(scope="session")
def suite(tmp_path_factory) -> Path:
    """The unpacked sdist, which carries the tests and their data."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "maturin.py").write_text(textwrap.dedent(BACKEND))
    subprocess.run(
        [
            *[sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation"],
            *["--no-binary", "openai-harmony", SDIST, "-d", str(folder)],
        ],
        env={**os.environ, "PYTHONPATH": str(folder)},
        check=True,
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if (path / "tests").is_dir())
    (folder / "as_openai_harmony.py").write_text(textwrap.dedent(PLUGIN))
    return unpacked


@pytest.mark.slow
def test_all_of_it_passes(suite):
    done = subprocess.run(
        [
            *[sys.executable, "-m", "pytest", "-p", "as_openai_harmony", "-p", "no:cacheprovider"],
            *["-q", "-rA", "tests", "--deselect", f"tests/test_harmony.py::{DESELECTED}"],
        ],
        cwd=suite,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(suite.parent), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    # That it ran at all, and as many tests as it has.
    counts = re.search(r"(\d+) passed, 1 deselected", done.stdout)
    assert counts is not None, done.stdout[-2000:]
    assert int(counts[1]) >= 40


class TestTheDeselectedOne:
    def test_an_id_outside_the_vocabulary(self, enc):
        with pytest.raises(HarmonyError, match="Invalid token for decoding: 99999999"):
            enc.decode_utf8([99999999])

    def test_a_message_was_expected(self, enc):
        from harmony import Conversation

        with pytest.raises(HarmonyError, match="expected a Message, got"):
            Conversation.from_messages([1])
