"""What ``harmony check`` found, for people and for machines.

``human`` shows the place, ``json`` is a list of findings, ``sarif`` is SARIF 2.1.0, which code
hosts and editors read, and ``github`` makes annotations of a workflow's run.
"""

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs
import click

import harmony
from harmony.cli.documents import as_json
from harmony.cli.terminal import COLORS, write_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harmony.check.rules import Rule
    from harmony.transcript import Diagnostic

FORMATS = ("human", "json", "sarif", "github")
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_SARIF = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_STANDARD_INPUT = "standard input"


@attrs.frozen(eq=False)
class Found:
    """A finding, and where it stands."""

    file: str
    """The path, or ``"-"``."""
    line: int
    """The line of the file, from 1."""
    diagnostic: Diagnostic
    """What was found."""
    excerpt: str = ""
    """The place, in two lines."""

    @property
    def shown_file(self) -> str:
        """What people call the file."""
        return _STANDARD_INPUT if self.file == "-" else self.file

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain data. Its schema: ``harmony schema diagnostic``."""
        return {"file": self.file, "line": self.line, **self.diagnostic.to_dict()}


def write_human(found: Iterable[Found], show: Callable[[str], None]) -> None:
    """Each finding with its place, as soon as it is there; ``show`` writes a line."""
    for each in found:
        diagnostic = each.diagnostic
        where = ", ".join(filter(None, (f"{each.shown_file}:{each.line}", diagnostic.place)))
        severity = click.style(diagnostic.severity, fg=COLORS[diagnostic.severity], bold=True)
        code = click.style(diagnostic.code, bold=True)
        show(f"{where}: {severity} {code} {diagnostic.name}: {diagnostic.message}")
        for line in each.excerpt.splitlines():
            show(f"    {line}")
        if diagnostic.fix is not None:
            show(f"    fix: {diagnostic.fix.description}")


def show(line: str) -> None:
    """Write a line to standard output, without its colours unless that is a terminal."""
    colored = sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    write_line(line if colored else click.unstyle(line))


def write_json(found: list[Found]) -> None:
    """All findings as a JSON list."""
    write_line(as_json([each.to_dict() for each in found]))


def write_github(found: list[Found]) -> None:
    """A workflow command for each finding."""
    for each in found:
        diagnostic = each.diagnostic
        place = "" if diagnostic.message_index is None else f"message {diagnostic.message_index}: "
        properties = {
            "file": each.file,
            "line": str(each.line),
            "title": f"{diagnostic.code} {diagnostic.name}",
        }
        written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        text = _escaped(f"{place}{diagnostic.message}")
        write_line(f"::{_COMMANDS[diagnostic.severity]} {written}::{text}")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def write_sarif(found: list[Found], rules: dict[str, Rule]) -> None:
    """A SARIF log with one run; it lists the rules that are broken."""
    write_line(as_json(sarif(found, rules)))


def sarif(found: list[Found], rules: dict[str, Rule]) -> dict[str, Any]:
    """The SARIF log."""
    codes = sorted({each.diagnostic.code for each in found})
    driver = {
        "name": "harmony",
        "version": harmony.__version__,
        "rules": [_sarif_rule(rules[code]) for code in codes],
    }
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(each, codes) for each in found],
            }
        ],
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.text},
        "fullDescription": {"text": " ".join(filter(None, (rule.text, rule.prose)))},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _sarif_result(each: Found, codes: list[str]) -> dict[str, Any]:
    diagnostic = each.diagnostic
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(each.file)},
            "region": {"startLine": each.line},
        }
    }
    if diagnostic.message_index is not None:
        name = f"messages[{diagnostic.message_index}]"
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "element"}]
    properties = {
        key: value
        for key, value in diagnostic.to_dict().items()
        if key in ("message_index", "tokens", "json_path", "text", "fix") and value is not None
    }
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message},
        "locations": [location],
        "properties": properties,
    }


def _uri(file: str) -> str:
    return "stdin" if file == "-" else quote(PurePath(file).as_posix())
