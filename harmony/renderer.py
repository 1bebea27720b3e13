"""Messages to tokens.

Headers come from the grammar (writer.py), once for each combination of author, recipient,
channel and content type; content is encoded as ordinary text only, so it never becomes
structure.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, NamedTuple

from harmony.contents import Content, DeveloperContent, SystemContent, TextContent
from harmony.errors import InvalidMessage, RenderError
from harmony.messages import Message, Role
from harmony.rendering import Rendering
from harmony.sections import developer_text, system_text
from harmony.transcript import Span, TokenRange, message_key
from harmony.validation import shortened, type_name
from harmony.writer import Literal, Slot, Special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.contents import ToolDescription, ToolNamespaceConfig
    from harmony.grammar import Grammar
    from harmony.spec import Dialect
    from harmony.text_cache import TextCache
    from harmony.transcript import ExactMessage, Transcript
    from harmony.vocabulary import Vocabulary
    from harmony.writer import Writer

# Headers that are remembered: a conversation has a handful of different ones.
MOST_HEADERS = 4096


class RenderedHeader(NamedTuple):
    """A header's ids, and what follows from it."""

    ids: list[int]
    terminator: int
    prompt: int
    """How many of the ids open the turn: `<|start|>` and the role."""


class Renderer:
    """Renders messages in one dialect. Spec: [header], [content], [terminators]."""

    def __init__(
        self,
        grammar: Grammar,
        dialect: Dialect,
        vocabulary: Vocabulary,
        writer: Writer,
        cache: TextCache,
        schema_style: str | None = None,
    ) -> None:
        spec = grammar.spec
        self._spec = spec
        self._dialect = dialect
        self._vocabulary = vocabulary
        self._writer = writer
        self._cache = cache
        self._schema_style = schema_style
        self._everyone = spec.table("recipients")["everyone"]
        self._constrain = spec.token("constrain").text
        self._start = spec.token("start").id
        terminators = spec.table("terminators")
        self._default_terminator = spec.token(terminators["default"]).id
        self._call = spec.token(terminators["call"]).id
        self._call_role = Role(terminators["call_role"])
        self._training = spec.token(terminators["training"]).id
        self._training_channel = terminators["training_channel"]
        self._namespace = spec.table("system_message")["function_namespace"]
        self._headers: dict[tuple[object, ...], RenderedHeader] = {}

    # ---- headers ---------------------------------------------------------------------------

    def header(self, message: Message) -> RenderedHeader:
        """The ids of a message's header, and its terminator.

        Raises:
            RenderError: a tool's message has no name.
            InvalidMessage: a field is no string.
        """
        author = message.author
        key = (
            author.role,
            author.name,
            message.recipient,
            message.channel,
            message.content_type,
        )
        try:
            header = self._headers.get(key)
        except TypeError:  # A field was set to something unhashable, such as a list.
            header = None
        if header is None:
            header = self._made_header(message)
            if len(self._headers) >= MOST_HEADERS:
                self._headers.clear()
            self._headers[key] = header
        return header

    def _made_header(self, message: Message) -> RenderedHeader:
        fields = self._fields(message)
        template = self._writer.template(frozenset(fields), message.channel)
        ids: list[int] = []
        prompt = 0
        text = ""
        for piece in template:
            # A field is tokenised with the fixed text before it (` to=functions.f` as one),
            # not with the field before that: so the reference does, and ids depend on it.
            match piece:
                case Special(id):
                    ids += [*self._ordinary(text), id]
                    text = ""
                case Literal(fixed):
                    text += fixed
                case Slot(field):
                    ids += self._ordinary(text + fields[field])
                    text = ""
                    prompt = prompt or len(ids)
        is_call = message.author.role is self._call_role and message.recipient is not None
        return RenderedHeader(ids, self._call if is_call else self._default_terminator, prompt)

    def _fields(self, message: Message) -> dict[str, str]:
        author = message.author
        for name in ("channel", "recipient", "content_type"):
            _check_text(getattr(message, name), f"Message.{name}")
        _check_text(author.name, "Author.name")
        fields: dict[str, str] = {}
        if not isinstance(author.role, Role):
            raise InvalidMessage(f"Author.role: expected a Role, got {shortened(author.role)}")
        if author.role is Role.TOOL:
            if author.name is None:
                raise RenderError(
                    "Tools should have a name! A tool's message is headed by the tool's name: "
                    'Author.new(Role.TOOL, "functions.get_weather")'
                )
            fields["tool_name"] = author.name
        else:
            fields["role"] = author.role.value
            if author.name is not None:
                fields["name"] = author.name
        if message.recipient is not None and message.recipient != self._everyone:
            fields["recipient"] = message.recipient
        if message.channel is not None:
            fields["channel"] = message.channel
        if message.content_type is not None:
            marked = message.content_type.startswith(self._constrain)
            if marked or self._dialect.constrain_content_type:
                rest = message.content_type.removeprefix(self._constrain)
                fields["constrained_content_type"] = rest
            else:
                fields["content_type"] = message.content_type
        return fields

    # ---- contents --------------------------------------------------------------------------

    def _ordinary(self, text: str) -> list[int]:
        return self._vocabulary.encode_ordinary(text) if text else []

    def _content_ids(
        self, content: Content, message: Message, *, function_tools: bool
    ) -> list[int]:
        if isinstance(content, TextContent):
            key: str | bytes | None = content.text
            if not isinstance(key, str):
                raise InvalidMessage(f"TextContent.text: expected a str, got {shortened(key)}")
        else:
            self._check_place(content, message)
            key = _key(content, self._schema_style, function_tools=function_tools)
        if key is not None and (ids := self._cache.get(key)) is not None:
            return ids
        if isinstance(content, TextContent):
            text = content.text
        elif isinstance(content, SystemContent):
            text = system_text(content, self._spec, function_tools=function_tools)
        else:
            assert isinstance(content, DeveloperContent)
            text = developer_text(content, self._spec, schema_style=self._schema_style)
        ids = self._vocabulary.encode_ordinary(text)
        if key is not None:
            self._cache.put(key, ids)
        return ids

    def _check_place(self, content: Content, message: Message) -> None:
        role = message.author.role
        for kind, place in ((SystemContent, Role.SYSTEM), (DeveloperContent, Role.DEVELOPER)):
            if isinstance(content, kind):
                if role is place:
                    return
                raise RenderError(
                    f"{kind.__name__} may only appear in {place.value} messages, "
                    f"found in a {role.value} message"
                )
        raise InvalidMessage(f"Message.content: expected a Content, got {type_name(content)}")

    # ---- messages --------------------------------------------------------------------------

    def render(self, message: Message, *, function_tools: bool = False) -> list[int]:
        """The ids of one message.

        Raises:
            RenderError: the message cannot be expressed.
            InvalidMessage: a field has the wrong type.
        """
        out: list[int] = []
        self._render_into(out, message, function_tools=function_tools)
        return out

    def _render_into(self, out: list[int], message: Message, *, function_tools: bool) -> None:
        if not isinstance(message, Message):
            raise InvalidMessage(f"expected a Message, got {type_name(message)}")
        header = self.header(message)
        out += header.ids
        for content in message.content:
            out += self._content_ids(content, message, function_tools=function_tools)
        out.append(header.terminator)

    def has_function_tools(self, messages: Sequence[Message]) -> bool:
        """Whether a developer message declares function tools. Spec: [system_message]."""
        for message in messages:
            for content in message.content:
                if isinstance(content, DeveloperContent) and content.tools:
                    functions = content.tools.get(self._namespace)
                    if functions is not None and functions.tools:
                        return True
        return False

    def render_all(self, messages: Sequence[Message], kept: Sequence[int]) -> list[int]:
        """The ids of the messages whose indices are ``kept``. Raises as `render` does."""
        function_tools = self.has_function_tools(messages)
        out: list[int] = []
        for index in kept:
            self._render_into(out, messages[index], function_tools=function_tools)
        return out

    def turn(self, role: Role) -> list[int]:
        """What opens the turn of ``role``: `<|start|>` and the role."""
        return [self._start, *self._ordinary(Role(role).value)]

    def ends_training(self, message: Message) -> bool:
        """Whether ``message``, as the last one, ends with the training terminator."""
        return message.author.role is self._call_role and message.channel == self._training_channel

    @property
    def training_terminator(self) -> int:
        """The id that ends a training example. Spec: [terminators]."""
        return self._training

    # ---- with spans ------------------------------------------------------------------------

    def rendering(
        self,
        messages: Sequence[Message],
        kept: Sequence[int],
        *,
        reuse: Transcript | None = None,
    ) -> Rendering:
        """As `render_all`, with the span of each message.

        With ``reuse``, a message that the transcript holds unchanged is rendered as the very
        ids that it was parsed from. Raises as `render` does.
        """
        function_tools = self.has_function_tools(messages)
        known = reuse.exact_messages() if reuse is not None else {}
        out: list[int] = []
        spans: list[Span] = []
        taught: list[TokenRange] = []
        for index in kept:
            message = messages[index]
            header = self.header(message)
            exact = known.get(message_key(message)) if known else None
            start = len(out)
            if exact:
                content, terminator = self._reused(out, exact.pop(0), message)
                if not terminator and index != kept[-1]:
                    terminator = [header.terminator]
            else:
                out += header.ids
                content = len(out)
                for part in message.content:
                    out += self._content_ids(part, message, function_tools=function_tools)
                terminator = [header.terminator]
            stop = len(out)
            out += terminator
            spans.append(
                Span(
                    TokenRange(start, content),
                    TokenRange(content, stop),
                    TokenRange(stop, len(out)),
                )
            )
            is_taught = message.author.role is self._call_role
            first = start + header.prompt if is_taught else len(out)
            taught.append(TokenRange(first, len(out)))
        return Rendering(out, spans, list(kept), taught)

    def _reused(
        self, out: list[int], exact: ExactMessage, message: Message
    ) -> tuple[int, list[int]]:
        """Add the very ids of a header and content; where the content begins, and what ends it."""
        if exact.in_prompt:
            out += self.turn(message.author.role)
        out += exact.header
        content = len(out)
        out += exact.content
        return content, exact.terminator


def _check_text(value: object, where: str) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidMessage(f"{where}: expected a str or None, got {shortened(value)}")


def _key(content: Content, style: str | None, *, function_tools: bool) -> bytes | None:
    """Bytes that stand for a structured content; None if it holds what cannot be so written.

    Version 2 of marshal writes equal values as equal bytes; later ones depend on how often
    an object is referred to.
    """
    try:
        if isinstance(content, SystemContent):
            effort, channels = content.reasoning_effort, content.channel_config
            facts: tuple[object, ...] = (
                content.model_identity,
                None if effort is None else effort.value,
                content.conversation_start_date,
                content.knowledge_cutoff,
                None if channels is None else (channels.valid_channels, channels.channel_required),
                _tools_key(content.tools),
                function_tools,
            )
        else:
            assert isinstance(content, DeveloperContent)
            formats = content.response_formats
            facts = (
                content.instructions,
                _tools_key(content.tools),
                None if formats is None else [(f.name, f.schema, f.description) for f in formats],
                style,
            )
        return marshal.dumps(facts, 2)  # type: ignore[arg-type]
    except (AttributeError, ValueError, TypeError):
        return None  # A field of another type; rendering says which, or does without the cache.


def _tools_key(tools: dict[str, ToolNamespaceConfig] | None) -> list[object] | None:
    if tools is None:
        return None
    return [
        (key, space.name, space.description, _descriptions_key(space.tools))
        for key, space in tools.items()
    ]


def _descriptions_key(tools: list[ToolDescription]) -> list[object]:
    return [(tool.name, tool.description, tool.parameters) for tool in tools]
