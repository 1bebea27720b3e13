"""Messages as fields of pydantic models.

The classes of `openai_harmony` are pydantic models, and servers declare fields of their
types in models of their own. Ours are attrs classes; this is what lets such a declaration
stand unchanged. pydantic is imported only when it asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class PydanticField:
    """A class that a pydantic model can have a field of: an object, or its dict form."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """What pydantic asks a type for. Not for users."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._validated,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.to_dict()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """What pydantic asks a type for when it describes a model. Not for users."""
        description = (cls.__doc__ or "").partition("\n")[0]
        return {"type": "object", "title": cls.__name__, "description": description}

    @classmethod
    def _validated(cls, value: Any) -> Any:
        # What from_dict raises is a ValueError, which pydantic makes its own error of.
        return value if isinstance(value, cls) else cls.from_dict(value)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Any:
        """Read the dict form."""
        raise NotImplementedError
