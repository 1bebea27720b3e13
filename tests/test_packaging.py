"""What is shipped, and that it works where it is installed: four ways."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import attrs
import pytest

from harmony import __version__
from tests.shell import ROOT, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]

BUILD = [sys.executable, "-m", "build", "--no-isolation"]
CHECK = """
import json, sys
import harmony
from harmony import resources
enc = harmony.load_harmony_encoding("HarmonyGptOss")
tokens = enc.encode("<|channel|>final<|message|>Hi<|return|>", allowed_special="all")
messages = enc.parse_messages_from_completion_tokens(tokens, harmony.Role.ASSISTANT)
assert enc.render(messages[0])
print(json.dumps({
    "package": harmony.__file__,
    "spec": str(resources.path("spec", "harmony.toml")),
    "grammar": str(resources.path("grammar", "message.lark")),
    "message": messages[0].to_dict(),
}))
"""
EXPECTED = {
    "role": "assistant",
    "name": None,
    "content": [{"type": "text", "text": "Hi"}],
    "channel": "final",
}


def done(*command: object, cwd: Path, **more: str) -> str:
    """What the command writes; it must succeed."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr.decode() + result.stdout.decode()
    return result.stdout.decode()


@attrs.frozen
class Built:
    """What is uploaded."""

    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    done(*BUILD, "--wheel", "--outdir", folder / "direct", ROOT, cwd=folder)
    # Without options the wheel is built from what the sdist holds.
    done(*BUILD, "--outdir", folder / "both", ROOT, cwd=folder)
    (wheel,) = (folder / "direct").glob("*.whl")
    (sdist,) = (folder / "both").glob("*.tar.gz")
    (wheel_of_sdist,) = (folder / "both").glob("*.whl")
    return Built(wheel, sdist, wheel_of_sdist)


@attrs.frozen
class Venv:
    """A virtual environment with our dependencies, and without harmony."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"

    def install(self, *what: object) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--quiet"]
        options = ["--no-deps", "--no-index", "--no-build-isolation"]
        done(*pip, "install", *options, *what, cwd=self.folder)


@pytest.fixture
def clean(tmp_path) -> Venv:
    environment = Venv(tmp_path / "venv")
    venv.create(environment.folder, with_pip=False, symlinks=os.name != "nt")
    # The dependencies are borrowed from this interpreter, so that no network is needed. A
    # path in a .pth file is searched, but its own .pth files are not read: an editable
    # harmony of this interpreter stays out of sight.
    names = ["attrs", "lark", "tiktoken", "click", "regex", "requests", "hatchling"]
    folders = {str(Path(importlib.util.find_spec(name).origin).parent.parent) for name in names}
    site = done(
        environment.python,
        "-c",
        "import sysconfig; print(sysconfig.get_path('purelib'))",
        cwd=tmp_path,
    )
    Path(site.strip(), "borrowed.pth").write_text("\n".join(sorted(folders)))
    return environment


def works(environment: Venv, cwd: Path, *options: str) -> dict[str, str]:
    """Where the installed harmony has its parts, if it parses and has a command."""
    facts = json.loads(done(environment.python, *options, "-c", CHECK, cwd=cwd))
    assert facts.pop("message") == EXPECTED
    stop = [environment.python, *options, "-m", "harmony", "stop"]
    assert done(*stop, cwd=cwd) == "[200002, 200012, 200007]\n"
    return facts


@pytest.mark.parametrize("which", ["wheel", "wheel_of_sdist", "sdist"])
def test_installed(built, clean, tmp_path, which):
    clean.install(getattr(built, which))
    facts = works(clean, tmp_path, "-I")
    assert all(Path(path).is_relative_to(clean.folder) for path in facts.values())
    harmony = clean.python.with_name("harmony")
    assert done(harmony, "--version", cwd=tmp_path) == f"harmony, version {__version__}\n"
    text = done(harmony, "render-convo", "--text", ROOT / "examples" / "weather.json", cwd=tmp_path)
    assert text.startswith("<|start|>system<|message|>")


def test_editable(clean, tmp_path):
    clean.install("--editable", ROOT)
    facts = works(clean, tmp_path, "-I")
    assert Path(facts["package"]) == ROOT / "harmony" / "__init__.py"
    assert Path(facts["spec"]) == ROOT / "spec" / "harmony.toml"
    assert Path(facts["grammar"]) == ROOT / "grammar" / "message.lark"


def test_bare_checkout(clean):
    facts = works(clean, ROOT)
    assert Path(facts["package"]) == ROOT / "harmony" / "__init__.py"
    assert Path(facts["spec"]) == ROOT / "spec" / "harmony.toml"


def relative(folder: str, pattern: str) -> set[str]:
    """The files below ``folder`` in the checkout, as a wheel names them."""
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


def wheel_names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_a_wheel_holds_the_package_and_what_it_reads(built):
    names = wheel_names(built.wheel)
    info = f"harmony_format-{__version__}.dist-info"
    assert {name for name in names if not name.startswith(info)} == (
        relative("harmony", "*.py")
        | relative("harmony/data", "*.*")
        | {"harmony/py.typed"}
        | {f"harmony/data/{name}" for name in relative("spec", "*.toml")}
        | {f"harmony/data/{name}" for name in relative("grammar", "*.lark")}
        | {f"harmony/data/{name}" for name in relative("docs", "*.*")}
        | relative("harmony", "*.css")
    )
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/NOTICE"} <= names
    assert "harmony/data/o200k_base.bin" in names
    assert wheel_names(built.wheel_of_sdist) == names


def test_an_sdist_holds_what_builds_and_tests_it(built):
    with tarfile.open(built.sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "NOTICE",
        "CHANGELOG.md",
        "spec/harmony.toml",
        "grammar/message.lark",
        "harmony/data/o200k_base.bin",
        "tests/conftest.py",
        "examples/weather.json",
    } <= names
    assert not [
        name for name in names if "__pycache__" in name or name.startswith((".ci", ".venv"))
    ]


def test_the_metadata(built):
    with zipfile.ZipFile(built.wheel) as archive:
        text = archive.read(f"harmony_format-{__version__}.dist-info/METADATA").decode()
        points = archive.read(f"harmony_format-{__version__}.dist-info/entry_points.txt").decode()
    assert "Name: harmony-format\n" in text
    assert "License-Expression: Apache-2.0\n" in text
    assert "Requires-Python: >=3.11\n" in text
    assert "harmony = harmony.cli:main" in points
    required = [line for line in text.splitlines() if line.startswith("Requires-Dist")]
    core = {line.split()[1].split(">")[0] for line in required if "extra ==" not in line}
    assert core == {"attrs", "click", "lark", "tiktoken"}
