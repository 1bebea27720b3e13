"""What a message holds: text, or the structured content of system and developer messages.

Names, constructors, `with_*` builders and dict forms are those of `openai_harmony`: the
builders change the object and return it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Self

import attrs

from harmony.errors import InvalidMessage
from harmony.interop import PydanticField
from harmony.spec import load_spec
from harmony.tools import ToolDescription, ToolNamespaceConfig, as_dict, tools_field
from harmony.validation import is_a, list_of, mapping, parsed_json, shortened, written_json


class ReasoningEffort(str, Enum):  # noqa: UP042 (str() is that of openai_harmony)
    """How long the model reasons. Spec: [[reasoning_efforts]], which a test compares."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class Content(PydanticField):
    """The base of what a message can hold."""

    __slots__ = ()

    kind: ClassVar[str]
    """The ``type`` of the dict form."""

    def to_dict(self) -> dict[str, Any]:
        """The dict form: the fields that are set, and ``type``."""
        raise NotImplementedError

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return written_json(self.to_dict(), type(self).__name__)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read the dict form; keys that it does not know are passed over.

        `Content.from_dict` reads any content, by its ``type``.

        Raises:
            InvalidMessage: a field is missing or has the wrong type.
        """
        if cls is Content:
            return content_from_dict(raw)  # type: ignore[return-value]
        fields = mapping(raw, cls.__name__)
        known = {field.name: field for field in attrs.fields(cls)}  # type: ignore[arg-type]
        given = {key: value for key, value in fields.items() if key in known}
        for name, field in known.items():
            if name not in given and field.default is attrs.NOTHING:
                raise InvalidMessage(f"{cls.__name__}: the field {name!r} is missing")
        return cls(**given)

    @classmethod
    def from_json(cls, payload: str) -> Self:
        """Read the JSON form. Raises `InvalidMessage`."""
        return cls.from_dict(parsed_json(payload, cls.__name__))


@attrs.define(on_setattr=attrs.setters.NO_OP)
class TextContent(Content):
    """Plain text."""

    kind: ClassVar[str] = "text"

    text: str = attrs.field(validator=is_a(str))
    """The text; rendered as ordinary tokens only, whatever it spells."""

    def to_dict(self) -> dict[str, Any]:
        """``{"type": "text", "text": …}``."""
        attrs.validate(self)
        return {"type": self.kind, "text": self.text}


def content_from_dict(raw: Mapping[str, Any]) -> Content:
    """Read any content by its ``type``.

    Raises:
        InvalidMessage: there is no such type, or a field is wrong.
    """
    fields = mapping(raw, "content")
    kinds: list[type[Content]] = [TextContent, SystemContent, DeveloperContent]
    for kind in kinds:
        if fields.get("type") == kind.kind:
            return kind.from_dict(fields)
    known = ", ".join(repr(kind.kind) for kind in kinds)
    raise InvalidMessage(
        f"Unknown content variant: {shortened(dict(fields))}: its `type` should be one of {known}"
    )


# ---- system messages ---------------------------------------------------------------------


@attrs.define(on_setattr=attrs.setters.NO_OP)
class ChannelConfig:
    """The channels that a system message declares."""

    valid_channels: list[str] = attrs.field(validator=list_of(str))
    """Their names, in the order in which they are rendered; none are rendered if empty."""
    channel_required: bool = attrs.field(validator=is_a(bool))
    """Whether every message must name its channel."""

    @classmethod
    def require_channels(cls, channels: list[str]) -> ChannelConfig:
        """These channels, and every message must name one."""
        return cls(valid_channels=list(channels), channel_required=True)

    def to_dict(self) -> dict[str, Any]:
        """The dict form."""
        attrs.validate(self)
        return attrs.asdict(self)


def _effort(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, ReasoningEffort):
        return value
    try:
        return ReasoningEffort(value)
    except ValueError:
        known = ", ".join(repr(effort.value) for effort in ReasoningEffort)
        raise InvalidMessage(
            f"SystemContent.reasoning_effort: expected one of {known}, got {value!r}"
        ) from None


def _channels(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    try:
        return ChannelConfig(value["valid_channels"], value["channel_required"])
    except KeyError as error:
        raise InvalidMessage(f"ChannelConfig: the field {error} is missing") from None


def _fact(name: str) -> Any:
    # A default that the spec states; read when an object is made, not when the class is.
    return attrs.Factory(lambda: load_spec().table("system_message")[name])


@attrs.define(on_setattr=attrs.setters.NO_OP)
class SystemContent(Content):
    """The content of a system message. Spec: [system_message]."""

    kind: ClassVar[str] = "system_content"

    model_identity: str | None = attrs.field(
        default=_fact("model_identity"), validator=is_a(str, optional=True)
    )
    """Who the model is."""
    reasoning_effort: ReasoningEffort | None = attrs.field(
        default=attrs.Factory(
            lambda: ReasoningEffort(load_spec().table("system_message")["reasoning_effort"])
        ),
        converter=_effort,
        validator=is_a(ReasoningEffort, optional=True),
    )
    """How long it reasons."""
    conversation_start_date: str | None = attrs.field(
        default=None, validator=is_a(str, optional=True)
    )
    """Today, as ``"2025-06-28"``."""
    knowledge_cutoff: str | None = attrs.field(
        default=_fact("knowledge_cutoff"), validator=is_a(str, optional=True)
    )
    """When the training data ends, as ``"2024-06"``."""
    channel_config: ChannelConfig | None = attrs.field(
        default=attrs.Factory(lambda: ChannelConfig.require_channels(load_spec().channel_names)),
        converter=_channels,
        validator=is_a(ChannelConfig, optional=True),
    )
    """The channels that the model may use."""
    tools: dict[str, ToolNamespaceConfig] | None = tools_field()  # noqa: RUF009 (attrs.field)
    """The built-in namespaces, by name; rendered in the order of their names."""

    @classmethod
    def new(cls) -> SystemContent:
        """The defaults."""
        return cls()

    def with_model_identity(self, model_identity: str) -> SystemContent:
        """Set who the model is."""
        self.model_identity = model_identity
        return self

    def with_reasoning_effort(self, reasoning_effort: ReasoningEffort) -> SystemContent:
        """Set how long it reasons."""
        self.reasoning_effort = _effort(reasoning_effort)  # type: ignore[assignment]
        return self

    def with_conversation_start_date(self, conversation_start_date: str) -> SystemContent:
        """Set today's date."""
        self.conversation_start_date = conversation_start_date
        return self

    def with_knowledge_cutoff(self, knowledge_cutoff: str) -> SystemContent:
        """Set when the training data ends."""
        self.knowledge_cutoff = knowledge_cutoff
        return self

    def with_channel_config(self, channel_config: ChannelConfig) -> SystemContent:
        """Set the channels."""
        self.channel_config = channel_config
        return self

    def with_required_channels(self, channels: list[str]) -> SystemContent:
        """Set the channels, one of which every message must name."""
        self.channel_config = ChannelConfig.require_channels(channels)
        return self

    def with_tools(self, ns_config: ToolNamespaceConfig) -> SystemContent:
        """Add a namespace of built-in tools, or replace the one of that name."""
        self.tools = {**(self.tools or {}), ns_config.name: ns_config}
        return self

    def with_browser_tool(self) -> SystemContent:
        """Add the built-in ``browser`` namespace."""
        return self.with_tools(ToolNamespaceConfig.browser())

    def with_python_tool(self) -> SystemContent:
        """Add the built-in ``python`` namespace."""
        return self.with_tools(ToolNamespaceConfig.python())

    def to_dict(self) -> dict[str, Any]:
        """The dict form: the fields that are set, and ``type``."""
        attrs.validate(self)
        return _set_fields(self)


# ---- developer messages ------------------------------------------------------------------


@attrs.define(on_setattr=attrs.setters.NO_OP)
class ResponseFormat:
    """A JSON Schema that the answer keeps to. Spec: [developer_message]."""

    name: str = attrs.field(validator=is_a(str))
    """Its heading."""
    schema: dict[str, Any] = attrs.field(converter=as_dict, validator=is_a(dict))
    """The JSON Schema."""
    description: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """What it is for; may have several lines."""

    def to_dict(self) -> dict[str, Any]:
        """The dict form: the fields that are set."""
        attrs.validate(self)
        out: dict[str, Any] = {"name": self.name, "schema": self.schema}
        if self.description is not None:
            out["description"] = self.description
        return out


def _formats(value: object) -> object:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    formats = []
    for item in value:
        if not isinstance(item, Mapping):
            formats.append(item)
            continue
        missing = [key for key in ("name", "schema") if key not in item]
        if missing:
            raise InvalidMessage(f"ResponseFormat: the field {missing[0]!r} is missing")
        formats.append(ResponseFormat(item["name"], item["schema"], item.get("description")))
    return formats


def _are_formats(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        list_of(ResponseFormat)(instance, attribute, value)


@attrs.define(on_setattr=attrs.setters.NO_OP)
class DeveloperContent(Content):
    """The content of a developer message. Spec: [developer_message]."""

    kind: ClassVar[str] = "developer_content"

    instructions: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """What is elsewhere called the system prompt."""
    tools: dict[str, ToolNamespaceConfig] | None = tools_field()  # noqa: RUF009 (attrs.field)
    """The namespaces of tools, by name; rendered in the order of their names."""
    response_formats: list[ResponseFormat] | None = attrs.field(
        default=None, converter=_formats, validator=_are_formats
    )
    """The schemas that answers keep to."""

    @classmethod
    def new(cls) -> DeveloperContent:
        """No instructions, no tools."""
        return cls()

    def with_instructions(self, instructions: str) -> DeveloperContent:
        """Set the instructions."""
        self.instructions = instructions
        return self

    def with_tools(self, ns_config: ToolNamespaceConfig) -> DeveloperContent:
        """Add a namespace of tools, or replace the one of that name."""
        self.tools = {**(self.tools or {}), ns_config.name: ns_config}
        return self

    def with_function_tools(self, tools: Sequence[ToolDescription]) -> DeveloperContent:
        """Set the tools of the ``functions`` namespace."""
        name = load_spec().table("system_message")["function_namespace"]
        return self.with_tools(ToolNamespaceConfig(name, None, list(tools)))

    def with_response_format(
        self, name: str, schema: dict[str, Any], description: str | None = None
    ) -> DeveloperContent:
        """Add a response format.

        Args:
            name: its heading.
            schema: a JSON Schema; rendered compactly.
            description: what it is for; rendered as comment lines.
        """
        added = ResponseFormat(name, schema, description)
        self.response_formats = [*(self.response_formats or []), added]
        return self

    def to_dict(self) -> dict[str, Any]:
        """The dict form: the fields that are set, and ``type``."""
        attrs.validate(self)
        return _set_fields(self)


def _set_fields(content: SystemContent | DeveloperContent) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in attrs.fields(type(content)):
        value = getattr(content, field.name)
        if value is None:
            continue
        if isinstance(value, dict):
            value = {key: namespace.to_dict() for key, namespace in value.items()}
        elif isinstance(value, list):
            value = [item.to_dict() for item in value]
        elif isinstance(value, ChannelConfig):
            value = value.to_dict()
        out[field.name] = value
    out["type"] = content.kind
    return out
