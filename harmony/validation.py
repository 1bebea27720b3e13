"""Checks of the types that users pass in, and the sentences that refuse them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from harmony.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    import attrs

T = TypeVar("T")


def type_name(value: object) -> str:
    """What a message calls the type of ``value``: ``"None"``, ``"int"``, ``"a list"``."""
    return "None" if value is None else type(value).__name__


def is_a(kind: type, *, optional: bool = False) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """An attrs validator: the value is an instance of ``kind``, or None if ``optional``."""

    def validate(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if isinstance(value, kind) or (optional and value is None):
            return
        expected = f"a {kind.__name__}" + (" or None" if optional else "")
        raise InvalidMessage(
            f"{type(instance).__name__}.{attribute.name}: expected {expected}, "
            f"got {type_name(value)}: {shortened(value)}"
        )

    return validate


def instance(value: T, kind: type[T]) -> T:
    """``value``, if it is an instance of ``kind``. Raises `InvalidMessage`."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise InvalidMessage(f"expected {article} {kind.__name__}, got {type_name(value)}")
    return value


def list_of(kind: type) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """An attrs validator: the value is a list of instances of ``kind``."""

    def validate(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        where = f"{type(instance).__name__}.{attribute.name}"
        if not isinstance(value, list):
            raise InvalidMessage(f"{where}: expected a list, got {type_name(value)}")
        for index, item in enumerate(value):
            if not isinstance(item, kind):
                raise InvalidMessage(
                    f"{where}[{index}]: expected a {kind.__name__}, "
                    f"got {type_name(item)}: {shortened(item)}"
                )

    return validate


def shortened(value: object, limit: int = 80) -> str:
    """The repr of ``value``, cut in the middle if it has more than ``limit`` characters."""
    text = repr(value)
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def mapping(value: object, where: str) -> dict[str, Any]:
    """``value``, if it is a dict. Raises `InvalidMessage` that names ``where``."""
    if not isinstance(value, dict):
        raise InvalidMessage(f"{where}: expected an object (a dict), got {type_name(value)}")
    return value


def parsed_json(payload: str | bytes, where: str) -> Any:
    """The value that the JSON text ``payload`` stands for. Raises `InvalidMessage`."""
    try:
        return json.loads(payload)
    except (ValueError, TypeError) as error:
        raise InvalidMessage(f"{where}: not JSON: {error}") from None
    except RecursionError:
        raise InvalidMessage(f"{where}: the JSON is nested too deeply") from None


def written_json(data: object, where: str) -> str:
    """``data`` as JSON. Raises `InvalidMessage`."""
    try:
        return json.dumps(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidMessage(f"{where}: not to be written as JSON: {error}") from None
