"""Whether conversations are right: ``check``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from harmony.cli.check_inputs import KINDS, Source, files_option
from harmony.cli.check_reports import (
    FORMATS,
    Found,
    show,
    write_github,
    write_human,
    write_json,
    write_sarif,
)
from harmony.cli.check_settings import Settings, json_file, load_settings
from harmony.cli.documents import TOO_DEEP, text_of
from harmony.cli.options import NameInSpec, encoding, example
from harmony.cli.terminal import STANDARD_INPUT, complain, say, write_line
from harmony.errors import HarmonyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harmony.cli.check_inputs import Input
    from harmony.cli.check_one import CheckedInput
    from harmony.encoding import HarmonyEncoding

# Files from this size on have a progress bar, in bytes.
LONG = 1_000_000


@attrs.define
class Tally:
    """What has come out so far."""

    inputs: int = 0
    fixed: int = 0
    faulty: bool = False
    found: list[Found] = attrs.field(factory=list)


@click.command(
    "check",
    epilog=example(
        "harmony check examples/weather.json",
        "harmony check --select calls,HAR4 --format sarif examples/weather.json",
        "echo '<|start|>user<|message|>Hi<|end|>' | harmony check",
    ),
)
@click.argument(
    "files",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE…",
)
@click.option(
    "--select",
    metavar="RULES",
    help="Check these rules only: codes, beginnings of "
    "codes, names of rules or families, with commas between.",
)
@click.option("--ignore", metavar="RULES", help="Leave these rules out.")
@click.option(
    "--fix",
    is_flag=True,
    help="Do what the findings propose, in the files "
    "themselves; of standard input, the result goes to standard output and the findings to "
    "standard error.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with status 0 whatever is found.")
@click.option(
    "--format",
    "output",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="How findings are written.",
)
@click.option(
    "--input",
    "kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="What the files hold: JSON, JSON Lines, or text that spells the special tokens.",
)
@click.option(
    "--role",
    type=NameInSpec("roles", "role"),
    help="The role that the prompt of a completion ended with; the assistant's if not given.",
)
@click.option(
    "--tools",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The declared tools: a JSON file, as for a request, or of recipients.",
)
@click.option(
    "--response-format",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The JSON Schema that answers keep to: a JSON file.",
)
@click.option(
    "--context",
    type=click.IntRange(min=0),
    metavar="TOKENS",
    help="The context length: how many tokens a prompt may have.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="A TOML file with [tool.harmony], in place of the nearest pyproject.toml.",
)
@click.option("--isolated", is_flag=True, help="Read no pyproject.toml.")
def check(  # noqa: PLR0913 (an argument an option)
    *,
    files: tuple[str, ...],
    select: str | None,
    ignore: str | None,
    fix: bool,
    exit_zero: bool,
    output: str,
    kind: str,
    role: str | None,
    tools: str | None,
    response_format: str | None,
    context: int | None,
    config: str | None,
    isolated: bool,
) -> int:
    """Check conversations by the rules of Harmony.

    Prompts and completions too: a FILE holds JSON (a conversation, token ids, or a list of
    such), JSON Lines, or text with the special tokens spelled out. The rules: harmony rule.
    Settings: [tool.harmony] in pyproject.toml. The exit status is 1 if anything was found.
    """
    given: dict[str, Any] = {
        "select": None if select is None else select.split(","),
        "ignore": None if ignore is None else ignore.split(","),
        "context": context,
        "tools": None if tools is None else json_file(Path(tools)),
        "response_format": None if response_format is None else json_file(Path(response_format)),
    }
    settings = attrs.evolve(
        load_settings(config, isolated=isolated),
        **{key: value for key, value in given.items() if value is not None},
    )
    harmony = encoding()
    settings.verify(harmony)
    run = _Run(harmony, settings, kind, role, fix=fix)
    paths = files_option(files)
    # Standard output is then the fixed input.
    to_pipe = fix and STANDARD_INPUT in paths
    if output == FORMATS[0] or to_pipe:
        line = say if to_pipe else show
        for path in paths:
            write_human(run.file(path), line)
        _summary(run.tally, line, fix=fix)
    else:
        for path in paths:
            list(run.file(path))
        _write(run, output)
    tally = run.tally
    return 1 if tally.faulty or (tally.found and not exit_zero) else 0


def _write(run: _Run, output: str) -> None:
    found = run.tally.found
    if output == "json":
        write_json(found)
    elif output == "github":
        write_github(found)
    else:
        write_sarif(found, run.encoding.checker.rules)


def _summary(tally: Tally, line: Callable[[str], None], *, fix: bool) -> None:
    count = len(tally.found)
    what = "1 conversation" if tally.inputs == 1 else f"{tally.inputs} conversations"
    text = f"{count or 'no'} {'finding' if count == 1 else 'findings'} in {what}"
    if fix:
        text += f", {tally.fixed} fixed"
    elif can := sum(each.diagnostic.fix is not None for each in tally.found):
        text += f"; {can} can be fixed with --fix"
    line(text)


class _Run:
    """One run of the command."""

    def __init__(
        self,
        harmony: HarmonyEncoding,
        settings: Settings,
        kind: str,
        role: str | None,
        *,
        fix: bool,
    ) -> None:
        self.encoding = harmony
        self.tally = Tally()
        self._settings = settings
        self._kind = kind
        self._role = role
        self._fix = fix
        self._specials = tuple(token.text for token in harmony.spec.special_tokens.values())

    def file(self, path: str) -> Iterator[Found]:
        """What is found in a file, which is fixed if that is wanted."""
        try:
            source = Source.of(path, self._kind, self._specials)
            if self._fix:
                source = self._fixed(source)
            for each in self._readable(source):
                self.tally.inputs += 1
                checked = self._checked(each)
                for found in checked.found() if checked is not None else ():
                    self.tally.found.append(found)
                    yield found
        except (HarmonyError, RecursionError) as error:
            self._complain(path, error)

    def _readable(self, source: Source, *, silent: bool = False) -> Iterator[Input]:
        for each in _with_progress(source):
            if not isinstance(each, tuple):
                yield each
            elif not silent:
                self._complain(source.file, each[1], each[0])

    def _checked(self, each: Input, *, silent: bool = False) -> CheckedInput | None:
        from harmony.cli.check_one import CheckedInput

        try:
            return CheckedInput(self.encoding, each, self._settings, self._role)
        except HarmonyError as error:
            if not silent:
                self._complain(each.file, error, each.line)
            return None

    def _fixed(self, source: Source) -> Source:
        """The file with what could be fixed; it is written."""
        changed: list[tuple[Input, Any]] = []
        for each in self._readable(source, silent=True):
            checked = self._checked(each, silent=True)
            if checked is not None and (count := checked.fixed()):
                self.tally.fixed += count
                changed.append((each, checked.document))
        if changed:
            source = attrs.evolve(source, data=source.written(changed).encode())
        if source.file == STANDARD_INPUT:
            write_line(text_of(source.data).removesuffix("\n"))
        elif changed:
            _replace(Path(source.file), source.data)
        return source

    def _complain(self, path: str, error: Exception, line: int | None = None) -> None:
        # Without the extra no rule of its kind can be checked, in whatever file.
        if isinstance(error, ImportError):
            raise error
        self.tally.faulty = True
        file = "standard input" if path == STANDARD_INPUT else path
        text = TOO_DEEP if isinstance(error, RecursionError) else str(error)
        complain(f"{file}: {text}" if line is None else f"{file}:{line}: {text}")


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: it may be the only copy."""
    path = path.resolve()  # A link stays one.
    beside = path.with_name(f".{path.name}.harmony")
    beside.write_bytes(data)
    beside.chmod(path.stat().st_mode)
    beside.replace(path)


def _with_progress(source: Source) -> Iterator[Any]:
    """The inputs of a file, with a progress bar if it is long and there is a terminal."""
    if len(source.data) < LONG or sys.stderr is None or not sys.stderr.isatty():
        yield from source.inputs()
        return
    color = None if not os.environ.get("NO_COLOR") else False
    count = source.data.count(b"\n") + 1
    with click.progressbar(length=count, label=source.file, file=sys.stderr, color=color) as bar:
        line = 0
        for each in source.inputs():
            at = each[0] if isinstance(each, tuple) else each.line
            bar.update(at - line)
            line = at
            yield each
        bar.update(count - line)
