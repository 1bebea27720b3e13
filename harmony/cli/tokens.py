"""Text, ids and the vocabulary: ``encode``, ``decode``, ``stop``, ``vocab``."""

from __future__ import annotations

from typing import Any

import click

from harmony.cli.documents import as_json, as_text, each_document, text_in, token_ids
from harmony.cli.options import (
    encoding,
    example,
    file_argument,
    from_text_option,
    jsonl_option,
    text_option,
)
from harmony.cli.options import spec as spec_in_use
from harmony.cli.terminal import write_line


@click.command("encode", epilog=example("echo 'What is 2 + 2?' | harmony encode --from-text"))
@file_argument
@jsonl_option
@from_text_option
@click.option(
    "--special",
    type=click.Choice(["refuse", "allow", "text"]),
    default="refuse",
    show_default=True,
    help="What to do where the text spells a special token such as <|end|>: refuse the text, "
    "allow it to be that token, or take it as ordinary text.",
)
def encode(*, file: str, jsonl: bool, from_text: bool, special: str) -> None:
    """Turn text into token ids.

    The input is a JSON string, or {"text": …}; with --from-text the text itself.
    """
    harmony = encoding()

    def handle(document: Any, _: int | None) -> str:
        tokens = harmony.encode(
            text_in(document),
            allowed_special="all" if special == "allow" else frozenset(),
            disallowed_special=() if special == "text" else "all",
        )
        return as_json(tokens, jsonl=jsonl)

    each_document(file, handle, jsonl=jsonl, plain_text=from_text)


@click.command(
    "decode", epilog=example("echo '[200006, 1428, 200008, 12194, 200007]' | harmony decode --text")
)
@file_argument
@jsonl_option
@text_option
def decode(*, file: str, jsonl: bool, text: bool) -> None:
    """Turn token ids into text.

    The input is a list of ids, or {"tokens": […]}. The output is a JSON string; with --text
    the text itself. Special tokens are spelled out, and bytes that are not UTF-8 become U+FFFD.
    """
    harmony = encoding()

    def handle(document: Any, _: int | None) -> str:
        decoded = harmony.decode(token_ids(document))
        return as_text(decoded, jsonl=jsonl) if text else as_json(decoded)

    each_document(file, handle, jsonl=jsonl)


@click.command("stop", epilog=example("harmony stop --assistant-actions"))
@click.option(
    "--assistant-actions",
    is_flag=True,
    help="Only those after which the model waits for somebody else: where to stop sampling.",
)
@click.option("--text", is_flag=True, help="Write the tokens as text, one a line.")
def stop(*, assistant_actions: bool, text: bool) -> None:
    """Print the ids of the tokens that end a message."""
    tokens = spec_in_use().stop_set("assistant_actions" if assistant_actions else "any")
    if text:
        write_line("\n".join(token.text for token in tokens))
    else:
        write_line(as_json([token.id for token in tokens]))


@click.command("vocab", epilog=example("harmony vocab", "harmony vocab --export vocabulary"))
@click.option(
    "--export",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write the vocabulary's file into this folder, for tools that want it on disk, and "
    "print its path.",
)
def vocab(*, export: str | None) -> None:
    """Print the facts of the vocabulary.

    They are its name, its sizes and its special tokens.
    """
    spec = spec_in_use()
    if export is not None:
        from harmony.vocabulary import export as write_file

        write_line(as_json({"path": str(write_file(export, spec))}))
        return
    facts = spec.table("vocabulary")
    write_line(
        as_json(
            {
                "name": facts["name"],
                "base": facts["base"],
                "file": facts["file"],
                "sha256": facts["sha256"],
                "ordinary_tokens": facts["size"],
                "first_special": facts["first_special"],
                "last_special": facts["last_special"],
                "size": facts["last_special"] + 1,
                "special_tokens": [
                    {"name": token.name, "text": token.text, "id": token.id}
                    for token in spec.special_tokens.values()
                ],
            }
        )
    )
