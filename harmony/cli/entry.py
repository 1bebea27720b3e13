"""The command itself: its subcommands, and what becomes of an error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

import harmony
from harmony.cli.checking import check
from harmony.cli.constraining import constrain, simulate
from harmony.cli.converting import convert
from harmony.cli.documentation import docs, grammar
from harmony.cli.options import example
from harmony.cli.parsing import parse
from harmony.cli.rendering import render_completion, render_convo, render_msg, render_training
from harmony.cli.rules import rule
from harmony.cli.schemas import schema
from harmony.cli.terminal import complain, flush
from harmony.cli.tokens import decode, encode, stop, vocab
from harmony.errors import HarmonyError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


class InOrder(click.Group):
    """Lists its subcommands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for the help text."""
        del ctx
        return list(self.commands)


@click.group(
    cls=InOrder,
    epilog=example(
        "harmony render-completion --role assistant examples/weather.json",
        "harmony parse --role assistant examples/weather_completion.json",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(harmony.__version__, prog_name="harmony")
@click.option(
    "--spec",
    type=click.Path(exists=True, dir_okay=False),
    help="A TOML file of facts to lay over the library's own: channels, roles, tokens, dialects.",
)
@click.option(
    "--grammar",
    type=click.Path(exists=True, dir_okay=False),
    help="A .lark file that extends the library's grammar.",
)
def command(spec: str | None, grammar: str | None) -> None:
    """Write and read Harmony, the language of OpenAI's gpt-oss models.

    Render conversations (JSON) to the token ids that a model is given, and parse the ids
    that it answers with back into messages. Every command reads a FILE, or standard input
    if there is none, and prints JSON. Faults go to standard error; the exit status is then
    1 for a bad input and 2 for a wrong use of the command.
    """


for _subcommand in (
    render_msg,
    render_convo,
    render_completion,
    render_training,
    parse,
    convert,
    check,
    rule,
    schema,
    encode,
    decode,
    stop,
    vocab,
    grammar,
    docs,
    constrain,
    simulate,
):
    command.add_command(_subcommand)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command with ``args`` (those of the process for None) and exit."""
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status. No error gets out of it."""
    try:
        status = command.main(args, prog_name="harmony", standalone_mode=False)
        flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.Exit as error:
        return error.exit_code
    except HarmonyError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(error.strerror or str(error))
        return 1
    except Exception as error:  # noqa: BLE001 (the last resort: users get no traceback)
        complain(f"{type(error).__name__}: {error}\nThis is a bug in harmony; please report it.")
        return 1
    return status if isinstance(status, int) else 0
