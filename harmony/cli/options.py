"""The options and arguments that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from harmony.encoding import HarmonyEncoding
    from harmony.spec import Spec


def example(*commands: str) -> str:
    """The end of a help text: commands to try."""
    # The backspace is click's sign that the lines are not to be joined.
    return "\b\nExample:\n" + "\n".join(f"  $ {command}" for command in commands)


class NameInSpec(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A name out of a table of the spec, which is read only when the names are needed."""

    def __init__(self, table: str, name: str) -> None:
        self.table = table
        self.name = name

    def names(self) -> list[str]:
        """The names that may be given."""
        return [row["name"] for row in spec().rows(self.table)]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """``value``, if it is one of the names."""
        names = self.names()
        if value not in names:
            self.fail(f"{value!r} is no {self.name}; there are: {', '.join(names)}", param, ctx)
        return str(value)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The names, for the help text."""
        del param, ctx
        return f"[{'|'.join(self.names())}]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so."""
        del ctx, param
        return [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]


file_argument = click.argument(
    "file", default="-", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
jsonl_option = click.option(
    "--jsonl",
    is_flag=True,
    help="Read one document a line and write one a line, in the same order. A faulty line is "
    "reported with its number; the rest goes on.",
)
text_option = click.option(
    "--text",
    is_flag=True,
    help="Write text, with the special tokens spelled out, in place of ids.",
)
from_text_option = click.option(
    "--from-text",
    is_flag=True,
    help="Read plain text in place of JSON. A line break at its very end is not part of it.",
)
dialect_option = click.option(
    "--dialect",
    type=NameInSpec("dialects", "dialect"),
    help="How headers are written; the first one if not given.",
)


def spec() -> Spec:
    """The spec, with the overlay that ``harmony --spec FILE`` names."""
    from harmony.spec import load_spec

    return load_spec(_of_the_command("spec"))


def encoding(dialect: str | None = None) -> HarmonyEncoding:
    """The encoding; its heavy parts are made when they are first used.

    ``harmony --spec FILE --grammar FILE`` lay over it what the files hold.
    """
    from harmony.loading import HarmonyEncodingName, load_harmony_encoding

    return load_harmony_encoding(
        HarmonyEncodingName.HARMONY_GPT_OSS,
        dialect=dialect,
        spec=_of_the_command("spec"),
        grammar=_of_the_command("grammar"),
    )


def _of_the_command(option: str) -> str | None:
    """What was given for an option of `harmony` itself, before the subcommand."""
    context = click.get_current_context(silent=True)
    value = None if context is None else context.find_root().params.get(option)
    return None if value is None else str(value)
