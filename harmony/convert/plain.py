"""Requests as plain data, and how their fields are read: each error names the field.

A request is a dict, an object of the `openai` package or of another that is made with
pydantic, or a mix of both; what is iterable counts as a list, once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import attrs

from harmony.errors import HarmonyError, InvalidRequest
from harmony.validation import shortened, type_name


@attrs.frozen
class Dropped:
    """Something that the other side of a conversion cannot hold."""

    path: str
    """Where it stood: ``"messages[2].annotations"``."""
    reason: str
    """Why it is not there, or what stands in its place."""


def plain(value: object, path: str = "") -> Any:
    """``value`` as dicts, lists, strings, numbers, booleans and None.

    Raises:
        InvalidRequest: something in it is none of these, and cannot be read as such.
    """
    try:
        return _plain(value, path)
    except RecursionError:
        raise InvalidRequest("nested too deeply, or within itself", path=path) from None


def _plain(value: Any, path: str) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, joined(path, key)) for key, item in value.items()}
    for method in ("model_dump", "to_dict"):
        dump = getattr(value, method, None)
        if callable(dump) and not isinstance(value, type):
            # A field called `async`, say, has another name in Python.
            options = {"by_alias": True, "warnings": False} if method == "model_dump" else {}
            return _plain(_guarded(lambda: dump(**options), path), path)  # noqa: B023
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain({f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, path)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        # Iterables of pydantic are validated only now.
        items = _guarded(lambda: list(value), path)
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(items)]
    raise InvalidRequest(
        f"expected JSON data, got {type_name(value)}: {shortened(value)}", path=path
    )


def joined(path: str, key: str) -> str:
    """The path of the field ``key`` of what stands at ``path``."""
    return f"{path}.{key}" if path else key


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise InvalidRequest(f"expected names of fields, got {shortened(key)}", path=path)
    return key


def _guarded(read: Any, path: str) -> Any:
    try:
        return read()
    except (HarmonyError, RecursionError):
        raise
    except Exception as error:
        raise InvalidRequest(f"cannot be read: {error}", path=path) from error


class Node:
    """A value in a request, and where it stands there."""

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self.path = path

    def __bool__(self) -> bool:
        """Whether there is a value; an empty one is one."""
        return self.value is not None

    def __getitem__(self, key: str) -> Node:
        """The field ``key`` of an object; a missing one is None."""
        return Node(self.fields().get(key), joined(self.path, key))

    def fields(self) -> dict[str, Any]:
        """The fields of an object."""
        if not isinstance(self.value, dict):
            raise self.expected("an object")
        return self.value

    def items(self) -> Iterator[Node]:
        """The items of a list; none if there is no list."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.expected("a list")
        for index, item in enumerate(self.value):
            yield Node(item, f"{self.path}[{index}]")

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self.expected("a string")
        return self.value

    def text_or_none(self) -> str | None:
        """A string, if there is one."""
        return self.text() if self else None

    def flag(self, default: bool) -> bool:  # noqa: FBT001 (private to the room)
        """A boolean, or ``default`` if there is none."""
        if not self:
            return default
        if not isinstance(self.value, bool):
            raise self.expected("true or false")
        return self.value

    def expected(self, what: str) -> InvalidRequest:
        """The error for a value of another kind."""
        if self.value is None:
            return self.error(f"expected {what}, but it is missing")
        return self.error(f"expected {what}, got {type_name(self.value)}: {shortened(self.value)}")

    def error(self, message: str) -> InvalidRequest:
        """An error about this value."""
        return InvalidRequest(message, path=self.path)
