"""What ``harmony check`` is told by ``[tool.harmony]`` in pyproject.toml."""

from __future__ import annotations

import json
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.encoding import HarmonyEncoding

PROJECT = "pyproject.toml"
SECTION = ("tool", "harmony")


def _words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _words_by_file(value: object) -> bool:
    return isinstance(value, dict) and all(map(_words, value.values()))


_KEYS = {
    "select": (_words, "a list of codes or names of rules"),
    "ignore": (_words, "a list of codes or names of rules"),
    "per-file-ignores": (_words_by_file, "a table of such lists by file name pattern"),
    "context": (lambda value: type(value) is int and value >= 0, "a number of tokens"),
    "tools": (
        lambda value: isinstance(value, (str, list)),
        "a list of tools or recipients, or the name of a JSON file that holds one",
    ),
    "response-format": (
        lambda value: isinstance(value, (str, dict)),
        "a JSON Schema, or the name of a JSON file that holds one",
    ),
}


@attrs.frozen
class Settings:
    """What is checked, and against what."""

    select: Sequence[str] | None = None
    """Selectors of rules; None for all."""
    ignore: Sequence[str] | None = None
    """Selectors of rules to leave out."""
    per_file_ignores: dict[str, list[str]] = attrs.field(factory=dict)
    """Further ones, by the pattern of a file's name or path."""
    context: int | None = None
    """The context length."""
    tools: Any = None
    """The declared tools."""
    response_format: Any = None
    """The declared response format."""
    folder: Path | None = None
    """Where the settings stand: patterns are relative to it."""

    def ignored(self, file: str) -> list[str]:
        """The selectors of what is left out in that file."""
        out = list(self.ignore or ())
        path = Path(file).resolve()
        names = [Path(file).name, file]
        if self.folder is not None and path.is_relative_to(self.folder):
            names.append(path.relative_to(self.folder).as_posix())
        for pattern, selectors in self.per_file_ignores.items():
            if any(fnmatch(name, pattern) for name in names):
                out += selectors
        return out

    def verify(self, harmony: HarmonyEncoding) -> None:
        """Raise `HarmonyError` for what would be wrong in every file, before any is read."""
        from harmony.check.formats import format_schemas
        from harmony.check.rules import selected_rules
        from harmony.declared_tools import declared_tools

        rules = harmony.checker.rules
        for ignored in (self.ignore, *self.per_file_ignores.values()):
            selected_rules(harmony.spec, rules, self.select, ignored)
        if self.tools is not None:
            declared_tools(self.tools, harmony.spec)
        format_schemas(self.response_format)


def load_settings(config: str | None, *, isolated: bool) -> Settings:
    """The settings of ``config``, or of the nearest pyproject.toml that has some.

    Raises:
        click.UsageError: the file cannot be read, or a setting is wrong.
    """
    if isolated:
        return Settings()
    if config is not None:
        return _settings(Path(config), _section(Path(config)))
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / PROJECT
        if file.is_file() and (section := _section(file)):
            return _settings(file, section)
    return Settings()


def _section(file: Path) -> dict[str, Any]:
    try:
        value: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.UsageError(f"cannot read {file}: {error}") from None
    for name in SECTION:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    if not isinstance(value, dict):
        raise click.UsageError(f"{file}: [{'.'.join(SECTION)}] should be a table")
    return value


def _settings(file: Path, section: dict[str, Any]) -> Settings:
    for key, value in section.items():
        if key not in _KEYS:
            raise click.UsageError(
                f"{file}: [{'.'.join(SECTION)}] has no setting {key!r}; "
                f"there are: {', '.join(_KEYS)}"
            )
        fits, expected = _KEYS[key]
        if not fits(value):
            raise click.UsageError(f"{file}: {key} should be {expected}, not {value!r}")
    values = dict(section)
    for key in ("tools", "response-format"):
        if isinstance(values.get(key), str):
            values[key] = json_file(file.parent / values[key])
    arguments = {key.replace("-", "_"): value for key, value in values.items()}
    return Settings(**arguments, folder=file.parent.resolve())


def json_file(path: Path) -> Any:
    """The value of a JSON file. Raises `click.UsageError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise click.UsageError(f"cannot read {path}: {error}") from None
