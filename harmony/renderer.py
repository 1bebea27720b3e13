"""Messages to tokens.

Headers come from the grammar (header_renderer.py); content is encoded as ordinary text only,
so it never becomes structure.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING

from harmony.contents import Content, DeveloperContent, SystemContent, TextContent
from harmony.errors import InvalidMessage, RenderError
from harmony.header_renderer import HeaderRenderer
from harmony.messages import Message, Role
from harmony.rendering import Rendering
from harmony.sections import developer_text, system_text
from harmony.tokenizer import SHORT
from harmony.tools import ToolNamespaceConfig
from harmony.transcript import Span, TokenRange, Transcript, message_key
from harmony.validation import shortened, type_name
from harmony.vocabulary import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.grammar import Grammar
    from harmony.spec import Dialect
    from harmony.text_cache import TextCache
    from harmony.tools import ToolDescription
    from harmony.transcript import ExactMessage
    from harmony.vocabulary import Vocabulary
    from harmony.writer import Writer


# What looking a message up raises if it is not one text under a header seen before.
_UNUSUAL = (AttributeError, KeyError, TypeError, ValueError)


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
        self.spec = spec
        self._headers = HeaderRenderer(grammar, dialect, vocabulary, writer)
        self._vocabulary = vocabulary
        self._cache = cache
        self.schema_style = schema_style
        terminators = spec.table("terminators")
        self._start = spec.token("start").id
        self._call_role = Role(terminators["call_role"])
        self._training = spec.token(terminators["training"]).id
        self._training_channel = terminators["training_channel"]
        self._namespace = spec.table("system_message")["function_namespace"]
        self._turns: dict[str, list[int]] = {}

    def token_at(self, tokens: Sequence[int], offset: int) -> int:
        """The index of the token that holds the byte ``offset`` of the lexed ``tokens``."""
        return self._vocabulary.index_at(tokens, offset)

    # ---- contents --------------------------------------------------------------------------

    def _content_ids(
        self, content: Content, message: Message, *, function_tools: bool
    ) -> list[int]:
        if isinstance(content, TextContent):
            if not isinstance(content.text, str):
                raise InvalidMessage(
                    f"TextContent.text: expected a str, got {shortened(content.text)}"
                )
            return self._vocabulary.encode_ordinary(content.text)
        self._check_place(content, message)
        key = _key(content, self.schema_style, function_tools=function_tools)
        if key is not None and (ids := self._cache.get(key)) is not None:
            return ids
        if isinstance(content, SystemContent):
            text = system_text(content, self.spec, function_tools=function_tools)
        else:
            assert isinstance(content, DeveloperContent)
            text = developer_text(content, self.spec, schema_style=self.schema_style)
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
        header = self._headers.header(message)
        content = self._content_of(message, function_tools=function_tools)
        return [*header.ids, *content, header.terminator]

    def has_function_tools(self, messages: Sequence[Message]) -> bool:
        """Whether a developer message declares function tools. Spec: [system_message]."""
        for message in messages:
            for content in _contents(message):
                # What is of another type is refused when it is rendered.
                if isinstance(content, DeveloperContent) and isinstance(content.tools, dict):
                    functions = content.tools.get(self._namespace)
                    if isinstance(functions, ToolNamespaceConfig) and functions.tools:
                        return True
        return False

    def render_all(self, messages: Sequence[Message], kept: Sequence[Message]) -> list[int]:
        """The ids of the messages ``kept`` of the conversation ``messages``.

        Raises as `render` does.
        """
        # Nearly every message is one text under a header seen before: these two loops look
        # those up. The fields of any other are checked, and refused in words, by `render`.
        if not self._cache.limit:
            return self._all(messages, kept)
        return self._all_cached(messages, kept)

    def _all_cached(self, messages: Sequence[Message], kept: Sequence[Message]) -> list[int]:
        out: list[int] = []
        recent = self._cache.recent.get
        function_tools: bool | None = None
        for message in kept:
            try:
                if message._extra:  # noqa: SLF001 (`extra` would make a dict)
                    raise ValueError
                author = message.author
                (content,) = message.content
                ids = recent(
                    (
                        author.role._value_,
                        author.name,
                        message.recipient,
                        message.channel,
                        message.content_type,
                        content.text,  # type: ignore[attr-defined]
                    )
                )
            except _UNUSUAL:
                ids = None
            if ids is None:
                if function_tools is None:
                    function_tools = self.has_function_tools(messages)
                ids = self._remembered(message, function_tools=function_tools)
            out += ids
        return out

    def _all(self, messages: Sequence[Message], kept: Sequence[Message]) -> list[int]:
        out: list[int] = []
        known = self._headers.known
        tokenizer = self._vocabulary.tokenizer
        encode, encode_plain = tokenizer.encode, tokenizer.encode_plain
        function_tools: bool | None = None
        for message in kept:
            try:
                if message._extra:  # noqa: SLF001 (`extra` would make a dict)
                    raise ValueError
                author = message.author
                (content,) = message.content
                header, terminator, _ = known[
                    author.role._value_,
                    author.name,
                    message.recipient,
                    message.channel,
                    message.content_type,
                ]
                text = content.text  # type: ignore[attr-defined]
                # Tokenizer.encode asks this too; here it saves a call.
                if len(text) < SHORT and text.isprintable() and "  " not in text:
                    ids = encode_plain(text)
                else:
                    ids = encode(text)
            except _UNUSUAL:
                if function_tools is None:
                    function_tools = self.has_function_tools(messages)
                out += self.render(message, function_tools=function_tools)
                continue
            out += header
            out += ids
            out.append(terminator)
        return out

    def _remembered(self, message: Message, *, function_tools: bool) -> list[int]:
        """The ids of a message, from the cache if it holds them, and into it if not."""
        contents = _contents(message)
        if len(contents) != 1 or not isinstance(contents[0], TextContent):
            return self.render(message, function_tools=function_tools)
        header = self._headers.key(message)
        text = contents[0].text
        if not isinstance(text, str):
            return self.render(message)  # Which says so.
        ids = self._cache.get((*header, text))
        if ids is None:
            ids = self.render(message)
            self._cache.put((*header, text), ids)
        return ids

    def turn(self, role: Role) -> list[int]:
        """What opens the turn of ``role``: `<|start|>` and the role. Not to be changed."""
        name = role._value_  # A member's hash is computed in Python, its value's is not.
        turn = self._turns.get(name)
        if turn is None:
            turn = self._turns[name] = [self._start, *self._vocabulary.encode_ordinary(name)]
        return turn

    def ends_training(self, message: Message) -> bool:
        """Whether ``message``, as the last one, ends with the training terminator."""
        return message.author.role is self._call_role and message.channel == self._training_channel

    @property
    def training_terminator(self) -> int:
        """The id that ends a training example. Spec: [terminators]."""
        return self._training

    def normalized(self, transcript: Transcript) -> Transcript:
        """The conversation of ``transcript`` in normal form. Spec: [normal_form]."""
        tokens: list[int] = []
        spans: list[Span] = []
        messages: list[Message] = []
        parsed = transcript.tokens
        function_tools = self.has_function_tools(transcript.messages)
        for message, span in zip(transcript.messages, transcript.spans, strict=True):
            # The dialect may mark a content type, and a mark is read back as part of it.
            normal = self._headers.normal(message)
            header = self._headers.header(normal)
            content = parsed[span.content.start : span.content.stop]
            if not self._spells(content, message):
                content = self._content_of(message, function_tools=function_tools)
            start = len(tokens)
            tokens += header.ids
            begins = len(tokens)
            tokens += content
            ends = len(tokens)
            tokens.append(header.terminator)
            spans.append(Span.between(start, begins, ends, len(tokens)))
            messages.append(normal)
        return Transcript(messages, tokens, [], self._vocabulary, spans=spans)

    def _spells(self, content: list[int], message: Message) -> bool:
        """Whether these ids, all of them ordinary, are the text of ``message``.

        They are not where recovery cut a token in two (`finalx`), or read a special token as
        text; of a structured content the ids are what it was read from.
        """
        if not all(0 <= token < self._vocabulary.first_special for token in content):
            return False
        texts = [part.text for part in message.content if isinstance(part, TextContent)]
        if len(texts) != len(message.content):
            return True
        return text_of(self._vocabulary.lex(content)) == "".join(texts)

    def _content_of(self, message: Message, *, function_tools: bool) -> list[int]:
        ids: list[int] = []
        for part in _contents(message):
            ids += self._content_ids(part, message, function_tools=function_tools)
        return ids

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
            header = self._headers.header(message)
            exact = known.get(message_key(message)) if known else None
            start = len(out)
            if exact:
                content, terminator = self._reused(out, exact.pop(0), message)
                if not terminator and index != kept[-1]:
                    terminator = [header.terminator]
            else:
                content = start + len(header.ids)
                *ids, end = self._remembered(message, function_tools=function_tools)
                out += ids
                terminator = [end]
            stop = len(out)
            out += terminator
            spans.append(Span.between(start, content, stop, len(out)))
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


def _contents(message: Message) -> list[Content]:
    if not isinstance(message, Message):
        raise InvalidMessage(f"expected a Message, got {type_name(message)}")
    contents = message.content
    if not isinstance(contents, list):
        raise InvalidMessage(f"Message.content: expected a list, got {shortened(contents)}")
    return contents


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
