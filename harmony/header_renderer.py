"""The fields of a message to the ids of its header.

Headers come from the grammar (writer.py), tokenised once for each combination of author,
recipient, channel and content type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harmony.errors import InvalidMessage, RenderError
from harmony.messages import Author, Message, Role, check_extra, extra_key
from harmony.validation import shortened, type_name
from harmony.writer import Literal, Slot, Special

if TYPE_CHECKING:
    from harmony.grammar import Grammar
    from harmony.spec import Dialect
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


class HeaderRenderer:
    """Renders headers in one dialect. Spec: [header], [[dialects]], [terminators]."""

    def __init__(
        self, grammar: Grammar, dialect: Dialect, vocabulary: Vocabulary, writer: Writer
    ) -> None:
        spec = grammar.spec
        self._dialect = dialect
        self._vocabulary = vocabulary
        self._writer = writer
        self._everyone = spec.table("recipients")["everyone"]
        self._constrain = spec.token("constrain").text
        terminators = spec.table("terminators")
        self._default_terminator = spec.token(terminators["default"]).id
        self._call = spec.token(terminators["call"]).id
        self._call_role = Role(terminators["call_role"])
        self._extra = spec.extra_fields
        self._roles = set(spec.role_names)
        self._spelled_by_name = {r["name"] for r in spec.rows("roles") if r.get("spelled_by_name")}
        self.known: dict[tuple[str | None, ...], tuple[list[int], int, int]] = {}
        """The headers rendered so far, by what `key` gives: the fields of `RenderedHeader`.

        They are plain tuples, which the interpreter takes apart faster.
        """

    def normal(self, message: Message) -> Message:
        """The message as its header in this dialect says it, with the same content.

        Raises as `key` does.
        """
        self.key(message)
        fields = self._fields(message)
        content_type = fields.get("content_type")
        if "constrained_content_type" in fields:
            content_type = self._constrain + fields["constrained_content_type"]
        return Message(
            author=message.author,
            content=list(message.content),
            channel=message.channel,
            recipient=fields.get("recipient"),
            content_type=content_type,
            extra=dict(message.extra),
        )

    def key(self, message: Message) -> tuple[str | None, ...]:
        """The role, name, recipient, channel, content type and other fields of a message.

        Raises:
            InvalidMessage: one of them has another type.
        """
        if not isinstance(message, Message):
            raise InvalidMessage(f"expected a Message, got {type_name(message)}")
        author = message.author
        if not isinstance(author, Author):
            raise InvalidMessage(f"Message.author: expected an Author, got {shortened(author)}")
        if not isinstance(author.role, Role):
            raise InvalidMessage(f"Author.role: expected a Role, got {shortened(author.role)}")
        _check_text(author.name, "Author.name")
        for name in ("channel", "recipient", "content_type"):
            _check_text(getattr(message, name), f"Message.{name}")
        check_extra(message)
        routing = (message.recipient, message.channel, message.content_type)
        extra = extra_key(message)
        return (author.role.value, author.name, *routing, *([extra] if extra else []))

    def header(self, message: Message) -> RenderedHeader:
        """The ids of a message's header, and its terminator.

        Raises:
            RenderError: a tool's message has no name; the spec has no such role or field.
            InvalidMessage: a field has another type.
        """
        key = self.key(message)
        known = self.known.get(key)
        if known is not None:
            return RenderedHeader._make(known)
        header = self._made(message)
        if len(self.known) >= MOST_HEADERS:
            self.known.clear()
        self.known[key] = header.ids, header.terminator, header.prompt
        return header

    def _made(self, message: Message) -> RenderedHeader:
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
                    ids += [*self._vocabulary.encode_ordinary(text), id]
                    text = ""
                case Literal(fixed):
                    text += fixed
                case Slot(field):
                    ids += self._vocabulary.encode_ordinary(text + fields[field])
                    text = ""
                    prompt = prompt or len(ids)
        is_call = message.author.role is self._call_role and message.recipient is not None
        return RenderedHeader(ids, self._call if is_call else self._default_terminator, prompt)

    def _fields(self, message: Message) -> dict[str, str]:
        """The fields of the grammar that the header holds, and their texts."""
        author = message.author
        fields: dict[str, str] = {}
        if author.role.value in self._spelled_by_name:
            if author.name is None:
                raise RenderError(
                    "Tools should have a name! A tool's message is headed by the tool's name: "
                    'Author.new(Role.TOOL, "functions.get_weather")'
                )
            fields["tool_name"] = author.name
        else:
            fields["role"] = author.role.value
            if author.role.value not in self._roles:
                raise RenderError(
                    f"the spec has no role {author.role.value!r}; it has: "
                    f"{', '.join(sorted(self._roles))}. Load the encoding with the overlay that "
                    "adds it"
                )
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
        for name, value in message.extra.items():
            if name not in self._extra:
                known = ", ".join(self._extra) or "none"
                raise RenderError(
                    f"the spec has no field {name!r} for Message.extra; it has: {known}. Load the "
                    "encoding with the overlay that adds it"
                )
            fields[name] = value
        return fields


def _check_text(value: object, where: str) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidMessage(f"{where}: expected a str or None, got {shortened(value)}")
