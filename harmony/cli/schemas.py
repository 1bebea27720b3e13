"""The JSON Schemas of what the command reads and writes: ``schema``."""

from __future__ import annotations

import click

from harmony.cli.documents import as_json
from harmony.cli.options import example, spec
from harmony.cli.terminal import write_line

SCHEMAS = ("conversation", "message", "diagnostic", "events")


@click.command("schema", epilog=example("harmony schema conversation"))
@click.argument("name", type=click.Choice(SCHEMAS))
def schema(*, name: str) -> None:
    """Print the JSON Schema of an input or output.

    Commands read a conversation or a message. A diagnostic is one of `check --format json`,
    or of `parse --recover --json`; events are those of `parse --stream`, one a line.
    """
    from harmony.json_schemas import json_schema

    write_line(as_json(json_schema(name, spec())))
