"""Tokens to messages: ``parse``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harmony.cli.diagnostics import report
from harmony.cli.documents import as_json, each_document, text_in, token_ids
from harmony.cli.options import (
    NameInSpec,
    encoding,
    example,
    file_argument,
    from_text_option,
    jsonl_option,
)

if TYPE_CHECKING:
    from harmony.encoding import HarmonyEncoding


@click.command(
    "parse",
    epilog=example(
        "harmony parse --role assistant examples/weather_completion.json",
        "harmony parse --role assistant --stream examples/weather_completion.json",
        "echo '<|start|>user<|message|>Hi<|end|>' | harmony parse --from-text",
    ),
)
@file_argument
@click.option(
    "--role",
    type=NameInSpec("roles", "role"),
    help="The role that the prompt ended with: needed for a completion, which does not begin "
    "with <|start|>.",
)
@click.option(
    "--strict/--recover",
    default=True,
    help="Refuse what is not in the format (the default), or read it all the same and report "
    "what was wrong on standard error.",
)
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="NAME",
    help="A declared tool, such as functions.get_weather, which --recover may need to make out "
    "a damaged header. May be given several times.",
)
@click.option(
    "--structured",
    is_flag=True,
    help="Read system and developer messages into their parts, tools and schemas included.",
)
@click.option(
    "--stream",
    is_flag=True,
    help="Take one token at a time, and print each event (a header, a piece of content, a "
    "finished message) as a line of JSON as soon as it is known. The input may be several "
    "lines, each an id or a list of ids.",
)
@from_text_option
@jsonl_option
@click.option("--json", "json_reports", is_flag=True, help="Write --recover's reports as JSON.")
def parse(  # noqa: PLR0913 (an argument an option)
    *,
    file: str,
    role: str | None,
    strict: bool,
    tools: tuple[str, ...],
    structured: bool,
    stream: bool,
    from_text: bool,
    jsonl: bool,
    json_reports: bool,
) -> None:
    """Parse token ids into messages.

    The input is a list of ids, or {"tokens": […]}; with --from-text it is text that spells
    the special tokens out. The output is a list of messages.
    """
    harmony = encoding()
    if stream:
        from harmony.cli.streaming import write_events

        if jsonl or structured:
            other = "--jsonl" if jsonl else "--structured"
            raise click.UsageError(f"--stream and {other} exclude each other")
        write_events(
            harmony,
            file,
            role,
            strict=strict,
            tools=tools,
            from_text=from_text,
            json_reports=json_reports,
        )
        return

    def handle(document: Any, line: int | None) -> str:
        tokens = tokens_in(document, harmony, from_text=from_text)
        transcript = harmony.parse(
            tokens, _role(role), strict=strict, tools=tools, structured=structured
        )
        for diagnostic in transcript.diagnostics:
            report(diagnostic, as_json=json_reports, line=line)
        return as_json([message.to_dict() for message in transcript.messages], jsonl=jsonl)

    each_document(file, handle, jsonl=jsonl, plain_text=from_text)


def tokens_in(document: Any, harmony: HarmonyEncoding, *, from_text: bool) -> list[int]:
    """The ids that ``document`` holds, or those of its text. Raises `HarmonyError`."""
    if from_text:
        return harmony.encode(text_in(document), allowed_special="all")
    return token_ids(document)


def _role(name: str | None) -> Any:
    from harmony.messages import Role

    return None if name is None else Role(name)
