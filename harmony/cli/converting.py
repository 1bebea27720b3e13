"""Requests and completions of other APIs: ``convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack

import click

from harmony.cli.diagnostics import report
from harmony.cli.documents import as_json, as_text, each_document, json_of, token_ids
from harmony.cli.options import (
    dialect_option,
    encoding,
    example,
    file_argument,
    jsonl_option,
    text_option,
)
from harmony.cli.terminal import complain, read, write_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.convert import AnswerStream, Converted, Prompt
    from harmony.convert.plain import Dropped
    from harmony.encoding import HarmonyEncoding
    from harmony.transcript import Diagnostic

FORMS = ["chat", "responses", "harmony"]


class Choices(TypedDict):
    """What the options say."""

    source: str
    target: str
    completion: bool
    stream: bool
    text: bool
    tokens: bool
    date: str | None
    tools: tuple[str, ...]
    model: str | None
    reasoning_field: str
    line: NotRequired[int | None]


@click.command(
    "convert",
    epilog=example(
        "harmony convert --from chat --to harmony --text examples/chat_request.json",
        "harmony convert --from chat --to responses examples/chat_request.json",
        "harmony convert --from harmony --to chat --completion examples/weather_completion.json",
    ),
)
@file_argument
@click.option(
    "--from",
    "source",
    type=click.Choice(FORMS),
    required=True,
    help="What the input is: a request of Chat Completions or of Responses; or Harmony: a "
    'conversation ({"messages": […]}), token ids, or a string with the special tokens spelled out.',
)
@click.option(
    "--to",
    "target",
    type=click.Choice(FORMS),
    required=True,
    help="What to write: a request, or a conversation in Harmony.",
)
@click.option(
    "--completion",
    is_flag=True,
    help="The input is what a model answered (with --from harmony), and the output an answer of "
    "the API. What was malformed is reported on standard error.",
)
@click.option("--stream", is_flag=True, help="Write a completion as a stream, an object a line.")
@text_option
@click.option("--tokens", is_flag=True, help="Write the prompt's token ids (with --to harmony).")
@click.option("--date", help="What the model is told is today's date; today if not given.")
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="NAME",
    help="A tool that was declared when the completion was sampled. May be given several times.",
)
@click.option("--model", help="The model's name in what is written.")
@click.option(
    "--reasoning-field",
    default="reasoning",
    show_default=True,
    help="The name of the field of Chat Completions that holds the reasoning.",
)
@dialect_option
@jsonl_option
def convert(*, file: str, dialect: str | None, jsonl: bool, **choices: Unpack[Choices]) -> None:
    """Convert between Harmony and OpenAI's APIs.

    Requests become prompts, completions answers, and prompts requests again. What the other
    side cannot hold is named on standard error.
    """
    _check(choices)
    harmony = encoding(dialect)
    if choices["stream"]:
        if jsonl:
            raise click.UsageError("--stream and --jsonl exclude each other")
        _write_stream(harmony, json_of(read(file)), choices)
        return

    def handle(document: Any, line: int | None) -> str:
        choices["line"] = line
        made = _answer if choices["completion"] else _request
        result = made(harmony, document, choices)
        return (
            as_text(result, jsonl=jsonl)
            if isinstance(result, str)
            else as_json(result, jsonl=jsonl)
        )

    each_document(file, handle, jsonl=jsonl)


def _check(choices: Choices) -> None:
    """Refuse options that do not go together."""
    if choices["stream"] and not choices["completion"]:
        raise click.UsageError("--stream needs --completion")
    if choices["completion"] and (choices["source"] != "harmony" or choices["target"] == "harmony"):
        raise click.UsageError("--completion goes from harmony, to chat or responses")
    if (choices["text"] or choices["tokens"]) and choices["target"] != "harmony":
        raise click.UsageError("--text and --tokens need --to harmony")
    if choices["text"] and choices["tokens"]:
        raise click.UsageError("--text and --tokens exclude each other")


def _request(harmony: HarmonyEncoding, document: Any, choices: Choices) -> object:
    """A prompt as the request, conversation, ids or text that is asked for."""
    from harmony.convert import to_chat_request, to_responses_request

    prompt = _prompt(harmony, document, choices)
    _tell(prompt.dropped, choices)
    if choices["target"] == "harmony":
        if choices["text"]:
            return prompt.text()
        return prompt.render() if choices["tokens"] else prompt.conversation.to_dict()
    made: Converted
    if choices["target"] == "chat":
        made = to_chat_request(prompt, reasoning_field=choices["reasoning_field"])
    else:
        made = to_responses_request(prompt)
    if choices["model"] is not None:
        made["model"] = choices["model"]
    _tell(made.dropped, choices)
    return made


def _prompt(harmony: HarmonyEncoding, document: Any, choices: Choices) -> Prompt:
    from harmony.convert import from_chat_request, from_harmony, from_responses_request

    if choices["source"] == "chat":
        return from_chat_request(document, date=choices["date"], encoding=harmony)
    if choices["source"] == "responses":
        return from_responses_request(document, date=choices["date"], encoding=harmony)
    return from_harmony(_harmony(harmony, document), encoding=harmony)


def _harmony(harmony: HarmonyEncoding, document: Any) -> Any:
    """A conversation or token ids."""
    from harmony.cli.documents import conversation_in

    if isinstance(document, str):
        return harmony.encode(document, allowed_special="all")
    if isinstance(document, dict) and "tokens" in document:
        return token_ids(document)
    if isinstance(document, list) and all(isinstance(item, int) for item in document):
        return token_ids(document)
    return conversation_in(document)


def _answer(harmony: HarmonyEncoding, document: Any, choices: Choices) -> Converted:
    """A completion as the answer of an API."""
    from harmony.convert import to_chat_completion, to_response

    completion, tools = _harmony(harmony, document), list(choices["tools"])
    if choices["target"] == "chat":
        made = to_chat_completion(
            completion,
            harmony,
            tools=tools,
            model=choices["model"],
            reasoning_field=choices["reasoning_field"],
        )
    else:
        made = to_response(completion, harmony, tools=tools, model=choices["model"])
    _tell(made.dropped, choices)
    _report(made.diagnostics, choices)
    return made


def _write_stream(harmony: HarmonyEncoding, document: Any, choices: Choices) -> None:
    from harmony.convert import ChatStream, ResponsesStream

    tokens = _harmony(harmony, document)
    if not isinstance(tokens, list):
        tokens = harmony.render_conversation(tokens)
    tools, model = list(choices["tools"]), choices["model"]
    stream: AnswerStream
    if choices["target"] == "chat":
        field = choices["reasoning_field"]
        stream = ChatStream(harmony, tokens, tools=tools, model=model, reasoning_field=field)
    else:
        stream = ResponsesStream(harmony, tokens, tools=tools, model=model)
    for made in stream:
        write_line(as_json(made, jsonl=True), now=True)
    _report(stream.diagnostics, choices)


def _tell(dropped: Sequence[Dropped], choices: Choices) -> None:
    for one in dropped:
        complain(f"{one.path}: {one.reason}", "info", line=choices.get("line"))


def _report(diagnostics: Sequence[Diagnostic], choices: Choices) -> None:
    for diagnostic in diagnostics:
        report(diagnostic, as_json=False, line=choices.get("line"))
