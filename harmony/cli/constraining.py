"""Grammars of completions: ``constrain`` and ``simulate``."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import click

from harmony.cli.documents import as_json, json_of
from harmony.cli.options import dialect_option, encoding, example
from harmony.cli.terminal import complain, read, write_line
from harmony.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from harmony.constrain import CompletionGrammar
    from harmony.encoding import HarmonyEncoding

    F = TypeVar("F", bound=Callable[..., None])

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
_OPTIONS = (
    click.option(
        "--tools",
        type=_FILE,
        help="The functions that may be called: a list of tool objects of Chat Completions or "
        'Responses, or an object that has one under "tools".',
    ),
    click.option(
        "--response-format",
        type=_FILE,
        help="What the answer is: a JSON Schema, or a response format of either API.",
    ),
    click.option(
        "--tool-choice",
        default="auto",
        show_default=True,
        help="auto, none, required, or the name of the tool to call.",
    ),
    click.option(
        "--reasoning",
        type=click.Choice(["auto", "required", "off"]),
        default="auto",
        show_default=True,
        help="Whether the model may reason, must, or must not.",
    ),
    click.option(
        "--preambles/--no-preambles",
        default=True,
        help="Whether the model may talk to the user before it acts (the default).",
    ),
    click.option(
        "--builtin",
        "builtin_tools",
        multiple=True,
        metavar="NAME",
        help="A built-in tool: python, browser or browser.search. May be given several times.",
    ),
    click.option(
        "--recipient-in",
        type=click.Choice(["channel", "role", "both", "dialect"]),
        default="both",
        show_default=True,
        help="Behind which part of the header the recipient may stand.",
    ),
    click.option(
        "--content-type",
        type=click.Choice(["any", "constrain", "json", "none", "dialect"]),
        default="any",
        show_default=True,
        help="How a call may name its content type.",
    ),
    click.option(
        "--start",
        type=click.Choice(["assistant", "start", "none"]),
        default="assistant",
        show_default=True,
        help="What the prompt ended with: <|start|>assistant, <|start|> or nothing.",
    ),
    click.option(
        "--whitespace",
        type=click.IntRange(0),
        default=24,
        show_default=True,
        help="The most white space between two tokens of JSON, in characters.",
    ),
    click.option("--parallel", "parallel_tool_calls", is_flag=True, help="Allow several calls."),
    click.option(
        "--lenient",
        is_flag=True,
        help="Leave out what cannot be enforced, and say so on standard error.",
    ),
    dialect_option,
)


def _request(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _document(file: str | None, option: str) -> Any:
    if file is None:
        return None
    try:
        return json_of(read(file))
    except InvalidMessage as error:
        raise InvalidMessage(f"{option}: {error}") from None


def _grammar(
    dialect: str | None, tools: str | None, response_format: str | None, **options: Any
) -> tuple[HarmonyEncoding, CompletionGrammar]:
    """The grammar that the options describe."""
    from harmony.constrain import completion_grammar

    declared = _document(tools, "--tools") or []
    if isinstance(declared, dict):
        declared = declared.get("tools", [declared])
    if options["recipient_in"] == "both":
        options["recipient_in"] = ("channel", "role")
    harmony = encoding(dialect)
    grammar = completion_grammar(
        harmony,
        declared,
        _document(response_format, "--response-format"),
        **options,
    )
    for missing in grammar.unenforced:
        complain(str(missing), "warning")
    return harmony, grammar


@click.command(
    "constrain",
    epilog=example(
        "harmony constrain --tools examples/tools.json --format llguidance",
        "harmony constrain --response-format examples/answer.json --format gbnf",
    ),
)
@_request
@click.option(
    "--format",
    "format_",
    type=click.Choice(["llguidance", "gbnf", "xgrammar"]),
    default="llguidance",
    show_default=True,
    help="For which engine.",
)
@click.option(
    "--stop",
    type=click.Choice(["explicit", "eos"]),
    default="explicit",
    show_default=True,
    help="Whether the token that ends an answer is in the grammar, or is the engine's end of "
    "sequence, as in most servers. llama.cpp always has it so.",
)
@click.option(
    "--text-tokens",
    is_flag=True,
    help="In GBNF, write special tokens as text: for old builds, and less safe.",
)
def constrain(*, format_: str, stop: str, text_tokens: bool, **options: Any) -> None:
    """Print the grammar of the allowed completions.

    Under it a model can write only well-formed messages, call only the declared tools, with
    arguments as their schemas say, and answer only as the response format says.
    """
    if text_tokens and format_ != "gbnf":
        raise click.UsageError("--text-tokens is for --format gbnf")
    _, grammar = _grammar(**options)
    if format_ == "llguidance":
        text = grammar.to_llguidance(stop)
    elif format_ == "gbnf":
        text = grammar.to_gbnf("text" if text_tokens else "token")
    else:
        text = grammar.to_xgrammar(stop)
    write_line(text.removesuffix("\n"))


@click.command(
    "simulate",
    epilog=example("harmony simulate --tools examples/tools.json --tool-choice required -n 3"),
)
@_request
@click.option("-n", "--count", type=click.IntRange(1), default=1, show_default=True,
              help="How many completions.")  # fmt: skip
@click.option("--seed", type=int, help="Draw the same again.")
@click.option(
    "--most", type=click.IntRange(1), default=2000, show_default=True, help="The most tokens."
)
@click.option("--text", is_flag=True, help="Print the text, with special tokens, in place of JSON.")
def simulate(*, count: int, seed: int | None, most: int, text: bool, **options: Any) -> None:
    """Draw random completions, without a model.

    They are those that a request allows. Each is printed as a line of JSON with its messages,
    parsed, and its stop reason.
    """
    from harmony.constrain.simulate import draw
    from harmony.messages import Role

    harmony, grammar = _grammar(**options)
    # Not for secrets: the same seed is to draw the same completions.
    rng = random.Random(seed)  # noqa: S311
    role = Role.ASSISTANT if options["start"] == "assistant" else None
    opened = [harmony.vocabulary.start_id] if options["start"] == "start" else []
    for _ in range(count):
        matcher = grammar.matcher()
        tokens = draw(matcher, harmony, rng, most=most)
        if text:
            write_line(harmony.decode(tokens), now=True)
            continue
        messages = harmony.parse_messages_from_completion_tokens([*opened, *tokens], role)
        line = {
            "messages": [message.to_dict() for message in messages],
            "stop_reason": matcher.stop_reason,
            "tokens": len(tokens),
        }
        write_line(as_json(line, jsonl=True), now=True)
