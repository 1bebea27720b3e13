"""What is checked: messages, where they stood in the tokens, and what was declared.

Everything that several rules ask is answered here, once.
"""

from __future__ import annotations

import functools
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import attrs

from harmony.contents import DeveloperContent, SystemContent, TextContent
from harmony.declared_tools import namespace_tools
from harmony.messages import Role
from harmony.transcript import TokenRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.check.facts import Facts
    from harmony.check.schemas import Schemas
    from harmony.contents import Content, ResponseFormat
    from harmony.declared_tools import DeclaredTool
    from harmony.encoding import HarmonyEncoding
    from harmony.messages import Message
    from harmony.transcript import Diagnostic, Span
    from harmony.vocabulary import Vocabulary

OPENING = (Role.SYSTEM, Role.DEVELOPER)
"""The roles that open a conversation. Spec: [system_message], [developer_message]."""
OTHERS = (*OPENING, Role.USER)
"""The roles with which a turn of the assistant begins and ends."""


@attrs.frozen
class Place:
    """A tool, and where it is declared."""

    tool: DeclaredTool
    index: int | None
    """The message that declares it; None where the caller does."""


@attrs.frozen
class Given:
    """What a caller of a check says."""

    selected: frozenset[str]
    """The rules that are asked for."""
    tools: list[DeclaredTool] | None = None
    """The declared tools."""
    response_format: tuple[Any, ...] | None = None
    """The schemas of answers."""
    context: int | None = None
    """The most tokens of a prompt."""


@attrs.frozen(eq=False)
class Tokens:
    """The tokens that were read."""

    ids: Sequence[int]
    spans: list[Span]
    """Where each message stood."""
    diagnostics: list[Diagnostic]
    """What the parser bore."""

    @property
    def is_unended(self) -> bool:
        """Whether the last message has no terminator."""
        return (
            bool(self.spans) and self.spans[-1].terminator.start == self.spans[-1].terminator.stop
        )

    def ends_in_content(self, start: int) -> bool:
        """Whether a prompt ends inside a content, which the model is to go on with.

        ``start`` is the id that opens a message; a completion does not begin with it.
        """
        return self.is_unended and bool(self.ids) and self.ids[0] == start


class Subject:
    """A conversation under check."""

    def __init__(
        self,
        encoding: HarmonyEncoding,
        facts: Facts,
        messages: list[Message],
        *,
        schemas: Schemas,
        given: Given,
        tokens: Tokens | None = None,
        is_open: bool = False,
    ) -> None:
        self.encoding = encoding
        self.facts = facts
        self.messages = messages
        self.schemas = schemas
        self.given = given
        self.tokens = tokens
        self.is_open = is_open
        """Whether the tokens leave the last turn open, as a prompt does."""
        self.contents = [self._structured(message) for message in messages]
        """The contents of each message; templates that are text are read."""

    def _structured(self, message: Message) -> list[Content]:
        contents = message.content
        if message.author.role not in OPENING or len(contents) != 1:
            return contents
        (content,) = contents
        if not isinstance(content, TextContent):
            return contents
        read = self.encoding.checker.template(message.author.role, content.text)
        return contents if read is None else [read]

    # ---- texts ---------------------------------------------------------------------------

    def text(self, index: int) -> str | None:
        """The text of a message; None if it holds structured content."""
        contents = self.messages[index].content
        if len(contents) == 1:
            (content,) = contents
            return content.text if isinstance(content, TextContent) else None
        texts = [content.text for content in contents if isinstance(content, TextContent)]
        return "".join(texts) if len(texts) == len(contents) else None

    # ---- tokens --------------------------------------------------------------------------

    def header(self, index: int) -> TokenRange | None:
        """The tokens of a message's header."""
        return None if self.tokens is None else self.tokens.spans[index].header

    def content(self, index: int, start: int = 0, stop: int | None = None) -> TokenRange | None:
        """The tokens of a message's content, from one character of its text to another."""
        if self.tokens is None:
            return None
        whole = self.tokens.spans[index].content
        text = self.text(index)
        if text is None or (start == 0 and stop is None):
            return whole
        ids = self.tokens.ids[whole.start : whole.stop]
        first = _token_at(ids, text[:start], self.encoding.vocabulary)
        last = len(ids)
        if stop is not None:
            last = _token_at(ids, text[: max(stop - 1, start)], self.encoding.vocabulary) + 1
        return TokenRange(whole.start + min(first, last), whole.start + min(last, len(ids)))

    def terminator(self, index: int) -> TokenRange | None:
        """The tokens that end a message."""
        return None if self.tokens is None else self.tokens.spans[index].terminator

    def whole(self, index: int) -> TokenRange | None:
        """All tokens of a message."""
        if self.tokens is None:
            return None
        span = self.tokens.spans[index]
        return TokenRange(span.header.start, span.terminator.stop)

    def ending(self, index: int) -> int | None:
        """The id that ends a message; None if nothing does, or if there are no tokens."""
        span = self.terminator(index)
        if span is None or self.tokens is None or span.start >= span.stop:
            return None
        return self.tokens.ids[span.start]

    def is_cut(self, index: int) -> bool:
        """Whether nothing ends the message in the tokens: it goes on, or a server kept that."""
        return self.tokens is not None and self.ending(index) is None

    def goes_on(self, index: int) -> bool:
        """Whether a prompt ends inside the message, so that the model goes on with it."""
        return self.is_open and self.is_cut(index) and index + 1 == len(self.messages)

    # ---- declarations --------------------------------------------------------------------

    @functools.cached_property
    def declared(self) -> list[Place]:
        """The tools that the caller and the conversation declare."""
        found = [Place(tool, None) for tool in self.given.tools or ()]
        for index, contents in enumerate(self.contents):
            for number, content in enumerate(contents):
                if isinstance(content, (SystemContent, DeveloperContent)) and content.tools:
                    for key, namespace in content.tools.items():
                        path = f"$.content[{number}].tools.{key}"
                        found += [Place(tool, index) for tool in namespace_tools(namespace, path)]
        return found

    @functools.cached_property
    def recipients(self) -> dict[str, Place]:
        """The declared tools by the recipient of their calls; the conversation's own first."""
        places = sorted(self.declared, key=lambda place: place.index is None)
        out: dict[str, Place] = {}
        for place in places:
            known = out.get(place.tool.recipient)
            # A caller may know the schema of what the conversation only names.
            if known is None or known.tool.parameters is None:
                out[place.tool.recipient] = place
        return out

    def is_judged(self, recipient: str) -> bool:
        """Whether it can be said that ``recipient`` is not declared.

        Not where nothing is declared, nor where the message that would declare it is free
        text: that of built-in tools is the system message, of all others the developer's.
        """
        if self.given.tools is not None:
            return True
        if not self.declared:
            return False
        built_in = self.facts.is_built_in(recipient.partition(".")[0])
        role, kind = (
            (Role.SYSTEM, SystemContent) if built_in else (Role.DEVELOPER, DeveloperContent)
        )
        contents = [
            content
            for message, contents in zip(self.messages, self.contents, strict=True)
            if message.author.role is role
            for content in contents
        ]
        # Without a developer message there are no functions; an excerpt may lack the system's.
        if not contents:
            return not built_in
        return all(isinstance(content, kind) for content in contents)

    @functools.cached_property
    def system(self) -> SystemContent | None:
        """The first system message, if it follows the template."""
        for contents in self.contents:
            for content in contents:
                if isinstance(content, SystemContent):
                    return content
        return None

    @functools.cached_property
    def channels(self) -> list[str]:
        """The channels that may be used."""
        config = self.system.channel_config if self.system is not None else None
        named = config.valid_channels if config is not None else []
        return list(named) or self.facts.channels

    @functools.cached_property
    def channel_required(self) -> bool:
        """Whether the assistant's messages must name their channel."""
        if self.system is None:
            return True
        config = self.system.channel_config
        return config is not None and config.channel_required and bool(config.valid_channels)

    @functools.cached_property
    def formats(self) -> list[tuple[ResponseFormat, int, str]]:
        """The response formats that developer messages declare, and where."""
        return [
            (format, index, f"$.content[{number}].response_formats[{place}]")
            for index, contents in enumerate(self.contents)
            for number, content in enumerate(contents)
            if isinstance(content, DeveloperContent)
            for place, format in enumerate(content.response_formats or ())
        ]


def _token_at(ids: Sequence[int], before: str, vocabulary: Vocabulary) -> int:
    """The index of the token that holds what follows the text ``before``."""
    offset = len(before.encode("utf-8", "replace"))
    sizes = (_size(token, vocabulary) for token in ids)
    for index, end in enumerate(accumulate(sizes)):
        if offset < end:
            return index
    return max(len(ids) - 1, 0)


def _size(token: int, vocabulary: Vocabulary) -> int:
    if not vocabulary.has(token):
        return 3  # U+FFFD
    # A special token that reads as text is its marker without the first byte.
    return len(vocabulary.table[token]) - (token >= vocabulary.first_special)
