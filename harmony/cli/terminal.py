"""Standard input, output and error, whatever the shell has done to them.

Documents are UTF-8 in and out, independent of the locale. When whoever reads our output goes
away (``harmony … | head -1``) the command ends quietly.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT = "-"
COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


def read(file: str) -> bytes:
    """All bytes of ``file``; ``"-"`` is standard input."""
    if file != STANDARD_INPUT:
        return Path(file).read_bytes()
    return b"".join(read_lines(file))


def read_lines(file: str) -> Iterator[bytes]:
    """The lines of ``file``, each as soon as it is there; ``"-"`` is standard input."""
    if file != STANDARD_INPUT:
        with Path(file).open("rb") as lines:
            yield from lines
        return
    # A shell's `<&-` leaves the process without a standard input.
    if sys.stdin is None:
        raise click.UsageError("there is no standard input; name a FILE")
    if sys.stdin.isatty():
        complain("reading from the terminal; Ctrl-D ends the input", "info")
    yield from sys.stdin.buffer


def write_line(line: str, *, now: bool = False) -> None:
    """Write ``line`` and a line break to standard output, at once if ``now``.

    Raises:
        click.exceptions.Exit: nobody reads it.
        OSError: it cannot be written, for want of space say.
    """
    if sys.stdout is None:
        raise click.UsageError("there is no standard output to write to")
    try:
        sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    except OSError as error:
        _give_up(error)
    if now:
        flush()


def flush() -> None:
    """Write out what is buffered. Raises as `write_line` does."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        _give_up(error)


def _give_up(error: OSError) -> None:
    # What is still buffered would be written once more when the interpreter ends, which
    # fails again and prints an error of its own; so it goes nowhere.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    if isinstance(error, BrokenPipeError):
        raise click.exceptions.Exit(1) from None
    raise OSError(error.errno, f"cannot write the output: {error.strerror}") from None


def complain(text: str, severity: str = "error", *, line: int | None = None) -> None:
    """Write ``text`` to standard error, under its severity, in colour on a terminal."""
    label = click.style(f"{severity}:", fg=COLORS.get(severity), bold=True)
    place = f" line {line}:" if line is not None else ""
    say(f"{label}{place} {text}")


def say(text: str) -> None:
    """Write a line to standard error; without its colours if that is no terminal, or if the
    user does not want them (``NO_COLOR``).
    """
    # Results written before it come before it, where both go to one place.
    flush()
    click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)
