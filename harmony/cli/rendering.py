"""Messages to tokens: the commands ``render-…``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import click

from harmony.cli.documents import as_json, as_text, conversation_in, each_document
from harmony.cli.options import (
    NameInSpec,
    dialect_option,
    encoding,
    example,
    file_argument,
    jsonl_option,
    text_option,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar, Unpack

    from harmony.encoding import HarmonyEncoding
    from harmony.options import RenderConversationConfig

    F = TypeVar("F", bound=Callable[..., None])


class Common(TypedDict):
    """What all these commands take."""

    file: str
    jsonl: bool
    text: bool
    dialect: str | None


def _common(function: F) -> F:
    for option in (dialect_option, text_option, jsonl_option, file_argument):
        function = option(function)
    return function


def _analysis(function: F) -> F:
    for option in (
        click.option(
            "--analysis-policy",
            type=NameInSpec("analysis_policies", "analysis policy"),
            help="Which analysis (chain of thought) is left out; the first one if not given.",
        ),
        click.option(
            "--keep-analysis", is_flag=True, help="Keep the analysis (chain of thought), all of it."
        ),
    ):
        function = option(function)
    return function


@click.command(
    "render-msg",
    epilog=example('echo \'{"role": "user", "content": "What is 2 + 2?"}\' | harmony render-msg'),
)
@_common
@click.option(
    "--function-tools",
    is_flag=True,
    help="The conversation declares function tools, which a system message then mentions.",
)
def render_msg(*, function_tools: bool, **common: Unpack[Common]) -> None:
    """Render one message to token ids.

    The input is a message: {"role": …, "content": …}, and as it needs them "name",
    "channel", "recipient", "content_type".
    """

    def render(encoding: HarmonyEncoding, document: Any) -> list[int]:
        from harmony.messages import Message
        from harmony.options import RenderOptions

        options = RenderOptions(conversation_has_function_tools=function_tools)
        return encoding.render(Message.from_dict(document), options)

    _write_rendered(render, **common)


@click.command("render-convo", epilog=example("harmony render-convo --text examples/weather.json"))
@_common
@_analysis
def render_convo(
    *, keep_analysis: bool, analysis_policy: str | None, **common: Unpack[Common]
) -> None:
    """Render a conversation to token ids.

    The input is {"messages": […]}, or a list of messages.
    """
    _check_analysis(keep_analysis, analysis_policy)

    def render(encoding: HarmonyEncoding, document: Any) -> list[int]:
        return encoding.render_conversation(
            conversation_in(document), _config(keep_analysis, analysis_policy)
        )

    _write_rendered(render, **common)


@click.command(
    "render-completion",
    epilog=example("harmony render-completion --role assistant --text examples/weather.json"),
)
@_common
@_analysis
@click.option(
    "--role",
    type=NameInSpec("roles", "role"),
    default="assistant",
    show_default=True,
    help="Whose turn it is.",
)
def render_completion(
    *, role: str, keep_analysis: bool, analysis_policy: str | None, **common: Unpack[Common]
) -> None:
    """Render a prompt for the model.

    That is a conversation, and what opens the next turn. The input is as for render-convo;
    the model goes on where the ids end.
    """
    _check_analysis(keep_analysis, analysis_policy)

    def render(encoding: HarmonyEncoding, document: Any) -> list[int]:
        from harmony.messages import Role

        return encoding.render_conversation_for_completion(
            conversation_in(document), Role(role), _config(keep_analysis, analysis_policy)
        )

    _write_rendered(render, **common)


@click.command(
    "render-training",
    epilog=example("harmony render-training --keep-analysis --text examples/weather.json"),
)
@_common
@_analysis
def render_training(
    *, keep_analysis: bool, analysis_policy: str | None, **common: Unpack[Common]
) -> None:
    """Render a training example.

    A final answer at its end is followed by <|return|>. The input is as for render-convo.
    """
    _check_analysis(keep_analysis, analysis_policy)

    def render(encoding: HarmonyEncoding, document: Any) -> list[int]:
        return encoding.render_conversation_for_training(
            conversation_in(document), _config(keep_analysis, analysis_policy)
        )

    _write_rendered(render, **common)


def _check_analysis(keep: bool, policy: str | None) -> None:  # noqa: FBT001 (private, by name)
    if keep and policy is not None:
        raise click.UsageError("--keep-analysis and --analysis-policy exclude each other")


def _config(keep: bool, policy: str | None) -> RenderConversationConfig:  # noqa: FBT001
    from harmony.options import RenderConversationConfig

    return RenderConversationConfig(auto_drop_analysis=not keep, analysis_policy=policy)


def _write_rendered(
    render: Callable[[HarmonyEncoding, Any], list[int]], **common: Unpack[Common]
) -> None:
    jsonl = common["jsonl"]
    harmony = encoding(common["dialect"])

    def handle(document: Any, _: int | None) -> str:
        tokens = render(harmony, document)
        if common["text"]:
            return as_text(harmony.decode(tokens), jsonl=jsonl)
        return as_json(tokens, jsonl=jsonl)

    each_document(common["file"], handle, jsonl=jsonl)
