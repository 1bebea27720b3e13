"""The grammar of a completion: what a request allows the model to write."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs

from harmony.constrain import lark
from harmony.constrain.choices import Choices
from harmony.constrain.requests import RESPONSE_FORMAT, Declared, answer_schema
from harmony.constrain.schemas import Schemas
from harmony.constrain.structure import Builder, Structure
from harmony.encoding import HarmonyEncoding
from harmony.errors import InvalidMessage, UnknownName
from harmony.validation import instance, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.constrain.matcher import Matcher
    from harmony.constrain.requests import Format, Tool
    from harmony.constrain.schemas import Unenforced

STOPS = ("explicit", "eos")
FORMS = ("token", "text")


@attrs.frozen(eq=False)
class CompletionGrammar:
    """What the model may write: exported for an engine, or as masks in this process.

    Made by `completion_grammar`.
    """

    encoding: HarmonyEncoding
    """The format."""
    choices: Choices = attrs.field(repr=False)
    """The options."""
    structure: Structure = attrs.field(repr=False)
    """The messages and their order."""
    schemas: Schemas = attrs.field(repr=False)
    """The JSON Schemas of arguments and answer."""

    def to_llguidance(self, stop: str = "explicit") -> str:
        """The grammar as llguidance's Lark: for vLLM, SGLang, llama.cpp, guidance, outlines.

        Args:
            stop: ``"explicit"`` if both stop tokens are part of the grammar; ``"eos"`` if the
                engine's end of sequence is the one that ends an answer, as in most servers.

        Raises:
            UnsupportedSchema: llguidance cannot express a schema; names keyword and path.
        """
        _one_of(stop, "stop", STOPS)
        schemas = self.schemas.for_llguidance()
        return lark.written(
            self.structure, schemas, self.choices.whitespace, explicit=stop == "explicit"
        )

    def to_gbnf(self, form: str = "token") -> str:
        """The grammar as llama.cpp's GBNF; start symbol ``root``.

        Tokens that end the generation are left out: llama.cpp allows them only where the
        grammar is complete, and there all of them. So it cannot tell ``<|call|>`` from
        ``<|return|>``: check the completion afterwards.

        Args:
            form: ``"token"`` writes special tokens as ids, ``<[200007]>``; ``"text"`` as
                text, for old builds, where the model may also spell them out.

        Raises:
            UnsupportedSchema: a schema that GBNF cannot express; names keyword and path.
            InvalidMessage: several calls in one completion, which GBNF cannot express.
        """
        from harmony.constrain import gbnf

        _one_of(form, "form", FORMS)
        return gbnf.written(self, tokens=form == "token")

    def to_xgrammar(self, stop: str = "explicit") -> str:
        """The grammar as an xgrammar structural tag, in JSON.

        Args:
            stop: ``"explicit"`` if both stop tokens are part of the grammar; ``"eos"`` if the
                one that ends an answer is among the engine's stop tokens, which xgrammar
                refuses where they are explicit.

        Raises:
            UnsupportedSchema: a schema that cannot be expressed; names keyword and path.
        """
        from harmony.constrain import structural_tag

        _one_of(stop, "stop", STOPS)
        return structural_tag.written(self, explicit=stop == "explicit")

    def matcher(self) -> Matcher:
        """A matcher at the start of a completion: masks in this process, by llguidance.

        Raises:
            MissingExtra: llguidance is not installed.
            UnsupportedSchema: llguidance cannot express a schema.
            InvalidSchema: no value satisfies a schema, or llguidance refuses it.
        """
        return self._first_matcher.copy()

    @functools.cached_property
    def _first_matcher(self) -> Matcher:
        from harmony.constrain.matcher import Matcher

        return Matcher.of(self.encoding, self.to_llguidance())

    @property
    def unenforced(self) -> tuple[Unenforced, ...]:
        """The keywords that some engine does not enforce: check them afterwards.

        Empty unless the grammar was made with ``lenient=True``.
        """
        return self.schemas.unenforced


def completion_grammar(  # noqa: PLR0913, PLR0917 (an argument an option)
    enc: HarmonyEncoding,
    tools: Iterable[Tool] = (),
    response_format: Format = None,
    tool_choice: object = "auto",
    reasoning: str = "auto",
    preambles: bool = True,  # noqa: FBT001, FBT002 (the issue gives the signature)
    builtin_tools: Iterable[str | Tool] = (),
    recipient_in: str | Iterable[str] = ("channel", "role"),
    content_type: str = "any",
    start: str = "assistant",
    whitespace: int = 24,
    parallel_tool_calls: bool = False,  # noqa: FBT001, FBT002
    *,
    lenient: bool = False,
) -> CompletionGrammar:
    """The grammar of the completions that a request allows.

    Args:
        enc: the format, whose grammar and spec (overlays included) the messages follow.
        tools: the functions that may be called: `ToolDescription`s, namespaces, or tool
            objects of the Chat Completions and Responses APIs.
        response_format: what the answer is: a JSON Schema, a response format of either API,
            a `ResponseFormat`, or None for free text.
        tool_choice: ``"auto"``, ``"none"`` (no call, built-in tools included),
            ``"required"`` (a call, no answer), or the name of the tool to call. Tool choice
            objects of both APIs are taken too.
        reasoning: ``"auto"``, ``"required"`` (it comes first) or ``"off"``.
        preambles: whether the model may talk to the user before it acts.
        builtin_tools: ``"python"``, ``"browser"``, or one tool, as ``"browser.search"``.
        recipient_in: where the recipient may stand: behind the ``"channel"``, behind the
            ``"role"``, or both; ``"dialect"`` for where the encoding's dialect has it.
        content_type: how a call names its content type: ``"constrain"``
            (`<|constrain|>json`), ``"json"`` (` json`), ``"none"`` (not at all), ``"any"`` of
            these, or ``"dialect"`` for what the renderer writes.
        start: what the prompt ended with: ``"assistant"`` (`<|start|>assistant`),
            ``"start"`` (`<|start|>`) or ``"none"``.
        whitespace: the most white space between two tokens of JSON, in characters; 0 for
            compact JSON.
        parallel_tool_calls: whether more calls may follow a call.
        lenient: leave what an engine cannot express to a check afterwards, and list it in
            `CompletionGrammar.unenforced`, instead of raising.

    Raises:
        InvalidSchema: a schema is not valid; names the path in it.
        UnsupportedSchema: no engine can express a schema; names the keyword and the path.
        UnknownName: no such choice, tool or built-in tool.
        InvalidMessage: a tool or format of another shape, or a tool that is declared twice.
    """
    instance(enc, HarmonyEncoding)
    schema = answer_schema(response_format)
    choices = Choices(
        schema=schema,
        reasoning=reasoning,
        preambles=preambles,
        recipient_in=recipient_in,
        content_type=content_type,
        start=start,
        whitespace=whitespace,
        parallel_tool_calls=parallel_tool_calls,
    )
    if not isinstance(lenient, bool):
        raise InvalidMessage(f"lenient: expected a bool, got {shortened(lenient)}")
    declared = Declared(enc.spec)
    calls = declared.calls(tools, builtin_tools)
    chosen = declared.chosen(tool_choice, calls)
    final = chosen in ("auto", "none")
    allowed = [] if chosen == "none" else calls if isinstance(chosen, str) else chosen
    structure = Builder(enc, choices).build(allowed, final=final)
    given = {call.recipient: call.schema for call in calls if call.schema is not None}
    used = {call.recipient for call in allowed} | ({RESPONSE_FORMAT} if final else set())
    schemas = Schemas.read(given, schema, RESPONSE_FORMAT, used, lenient=lenient)
    return CompletionGrammar(enc, choices, structure, schemas)


def _one_of(value: Any, name: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise UnknownName(
            f"{name}: expected one of {', '.join(map(repr, words))}, got {shortened(value)}"
        )
