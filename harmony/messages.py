"""The one AST: authors, messages and conversations.

Names, constructors, `with_*` builders and dict forms are those of `openai_harmony`: the
builders change the object and return it. What a message holds stands in contents.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

import attrs

from harmony.contents import Content, TextContent, content_from_dict
from harmony.errors import InvalidMessage, UnknownName
from harmony.interop import PydanticField
from harmony.validation import (
    is_a,
    list_of,
    mapping,
    parsed_json,
    shortened,
    type_name,
    written_json,
)


class Role(str, Enum):  # noqa: UP042 (str() is that of openai_harmony)
    """Who speaks. Spec: [[roles]], which a test compares with these members.

    They are written out so that a type checker knows them.
    """

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    DEVELOPER = "developer"
    TOOL = "tool"

    @classmethod
    def _missing_(cls, value: object) -> Role:
        if isinstance(value, str) and value in _added_roles:
            return _added_roles[value]
        known = ", ".join(role.value for role in (*cls, *_added_roles.values()))
        raise UnknownName(f"Unknown role: {value!r}; the roles are: {known}")

    @classmethod
    def added(cls, name: str) -> Role:
        """The role ``name``, which an overlay of the spec adds; `Role(name)` finds it then.

        It is no member of the enumeration, as those are fixed: iterating gives the roles that
        every encoding has.
        """
        try:
            return cls(name)
        except UnknownName:
            role = str.__new__(cls, name)
            role._name_, role._value_ = name.upper(), name
            return _added_roles.setdefault(name, role)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        # A process that reads a message may not have loaded the overlay yet.
        return Role.added, (self._value_,)


# Roles that overlays add: those of a spec that is loaded, and of messages that were unpickled.
_added_roles: dict[str, Role] = {}


def _role(value: object) -> object:
    return Role(value) if isinstance(value, str) else value


@attrs.define(on_setattr=attrs.setters.NO_OP)
class Author:
    """Who wrote a message: a role, and a name if it has one."""

    role: Role = attrs.field(converter=_role, validator=is_a(Role))
    """The role."""
    name: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """A user's name, or a tool's, as in ``functions.get_weather``; a tool must have one."""

    @classmethod
    def new(cls, role: Role, name: str) -> Author:
        """An author with a name."""
        return cls(role=role, name=name)


def _author(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return Author(_required(value, "role", "Author"), value.get("name"))


def _content(value: object) -> object:
    if isinstance(value, str):
        return TextContent(value)
    if isinstance(value, Mapping):
        return content_from_dict(value)
    return value


def _contents(value: object) -> object:
    if isinstance(value, str):
        return [TextContent(value)]
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_content(item) for item in value]
    return value


# What `Message.extra` is made of: a dict, or pairs of a name and a text.
Extra: TypeAlias = "dict[str, str] | tuple[tuple[str, str], ...] | None"


def extra_key(message: Message) -> str | None:
    """`Message.extra` as a text that stands for it; None if there is nothing in it."""
    extra = message._extra  # noqa: SLF001 (asking for `extra` would make a dict)
    return repr(sorted(dict(extra).items())) if extra else None


def check_extra(message: Message) -> None:
    """Raise `InvalidMessage` if `Message.extra` is no mapping of names to texts."""
    if message._extra:  # noqa: SLF001 (as above)
        _is_extra(message, None, message._extra)  # noqa: SLF001


def _is_extra(_message: object, _field: object, value: Extra) -> None:
    try:
        pairs = dict(value or ())
    except (TypeError, ValueError):
        pairs = None
    if pairs is None or not all(isinstance(x, str) for pair in pairs.items() for x in pair):
        raise InvalidMessage(
            "Message.extra: expected a mapping of field names to strings, "
            f"got {type_name(value)}: {shortened(value)}"
        )


def _extra_key(value: Extra) -> dict[str, str]:
    return dict(value or ())


@attrs.define(on_setattr=attrs.setters.NO_OP)
class Message(PydanticField):
    """One message: who says what to whom, on which channel. Spec: [[fields]]."""

    author: Author = attrs.field(converter=_author, validator=is_a(Author))
    """Who wrote it."""
    content: list[Content] = attrs.field(
        factory=list, converter=_contents, validator=list_of(Content)
    )
    """What it holds; several contents are rendered one after the other."""
    channel: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """The channel: ``"analysis"``, ``"commentary"``, ``"final"``."""
    recipient: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """To whom, as in ``"functions.get_weather"``; None for everyone."""
    content_type: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """The content type as it is spelled: ``"json"``, ``"<|constrain|>json"``."""
    # None or pairs until somebody asks for `extra`: most messages have none, and a dict each
    # would be a tenth of the time of a short parse.
    _extra: Extra = attrs.field(default=None, validator=_is_extra, eq=_extra_key, repr=False)

    @property
    def extra(self) -> dict[str, str]:
        """The fields that a user's own grammar adds to the header, by name. Spec: [[fields]]."""
        extra = self._extra
        if type(extra) is not dict:
            extra = self._extra = dict(extra or ())
        return extra

    @classmethod
    def from_author_and_content(cls, author: Author, content: str | Content) -> Message:
        """A message by ``author``; a string becomes a `TextContent`."""
        return cls(author=author, content=[content])

    @classmethod
    def from_role_and_content(cls, role: Role, content: str | Content) -> Message:
        """A message by ``role``; a string becomes a `TextContent`."""
        return cls.from_author_and_content(Author(role=role), content)

    @classmethod
    def from_role_and_contents(cls, role: Role, contents: Sequence[Content]) -> Message:
        """A message by ``role`` that holds several contents."""
        return cls(author=Author(role=role), content=list(contents))

    def adding_content(self, content: str | Content) -> Message:
        """Add a content at the end."""
        self.content.append(_content(content))  # type: ignore[arg-type]
        return self

    def with_channel(self, channel: str) -> Message:
        """Set the channel."""
        self.channel = channel
        return self

    def with_recipient(self, recipient: str) -> Message:
        """Set the recipient."""
        self.recipient = recipient
        return self

    def with_content_type(self, content_type: str) -> Message:
        """Set the content type."""
        self.content_type = content_type
        return self

    def with_extra(self, name: str, value: str) -> Message:
        """Set a field that a user's own grammar adds to the header."""
        self.extra[name] = value
        return self

    def to_dict(self) -> dict[str, Any]:
        """The dict form: author and content always, the other fields if they are set."""
        attrs.validate(self)
        attrs.validate(self.author)
        out: dict[str, Any] = {
            "role": self.author.role,
            "name": self.author.name,
            "content": [content.to_dict() for content in self.content],
        }
        for field in ("channel", "recipient", "content_type"):
            value = getattr(self, field)
            if value is not None:
                out[field] = value
        if self._extra:
            out["extra"] = dict(self._extra)
        return out

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return written_json(self.to_dict(), type(self).__name__)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Read the dict form. ``content`` is a string or a list of contents.

        Raises:
            InvalidMessage: a field is missing or has the wrong type.
            UnknownName: there is no such role.
        """
        fields = mapping(data, "Message")
        author = Author(_required(fields, "role", "Message"), fields.get("name"))
        content = _required(fields, "content", "Message")
        if not isinstance(content, (str, list)):
            raise InvalidMessage(
                "Message.content: expected a string or a list of contents, "
                f"got {type_name(content)}: {shortened(content)}"
            )
        return cls(
            author=author,
            content=content,
            channel=fields.get("channel"),
            recipient=fields.get("recipient"),
            content_type=fields.get("content_type"),
            extra=fields.get("extra"),
        )

    @classmethod
    def from_json(cls, payload: str) -> Message:
        """Read the JSON form. Raises as `from_dict` does."""
        return cls.from_dict(parsed_json(payload, "Message"))


def _required(fields: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in fields:
        raise InvalidMessage(f"{where}: the field {name!r} is missing")
    return fields[name]


def _messages(value: object) -> object:
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [Message.from_dict(m) if isinstance(m, Mapping) else m for m in value]
    return value


@attrs.define(on_setattr=attrs.setters.NO_OP)
class Conversation(PydanticField):
    """Messages in their order."""

    messages: list[Message] = attrs.field(
        factory=list, converter=_messages, validator=list_of(Message)
    )
    """The messages."""

    @classmethod
    def from_messages(cls, messages: Sequence[Message]) -> Conversation:
        """A conversation of these messages."""
        return cls(messages=list(messages))

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)

    def to_dict(self) -> dict[str, Any]:
        """The dict form: ``{"messages": [...]}``."""
        attrs.validate(self)
        return {"messages": [message.to_dict() for message in self.messages]}

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return written_json(self.to_dict(), type(self).__name__)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Conversation:
        """Read the dict form. Raises as `Message.from_dict` does."""
        messages = _required(mapping(data, "Conversation"), "messages", "Conversation")
        if not isinstance(messages, list):
            raise InvalidMessage(
                f"Conversation.messages: expected a list, got {type_name(messages)}"
            )
        return cls(messages=[Message.from_dict(message) for message in messages])

    @classmethod
    def from_json(cls, payload: str) -> Conversation:
        """Read the JSON form. Raises as `Message.from_dict` does."""
        return cls.from_dict(parsed_json(payload, "Conversation"))
