"""The references of a JSON Schema: where they point, and which come back to themselves."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import attrs

from harmony.errors import InvalidSchema
from harmony.json_text import below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.json_text import Json

_DEFINITION = re.compile(r"/(?:\$defs|definitions)/([^/]+)")
# What stands under these is a value, and no schema: a "$ref" in it refers to nothing.
_VALUES = frozenset({"const", "enum", "default", "examples"})


@attrs.frozen(eq=False)
class References:
    """The references within one schema. A place is named by its JSON pointer."""

    root: Json
    """The whole schema; holds nothing but JSON."""
    reserved: frozenset[str]
    """What no definition may be called as a type."""

    def target(self, reference: Json, path: str) -> str:
        """The place that ``reference``, found at ``path``, points to.

        Raises:
            InvalidSchema: it points outside the schema, or to nothing.
        """
        if not isinstance(reference, str):
            raise InvalidSchema("a reference is a string", path=path)
        if not reference.startswith("#"):
            raise InvalidSchema(f"the reference {reference!r} points outside", path=path)
        target = unquote(reference[1:])
        try:
            self.at(target)
        except (LookupError, ValueError):
            raise InvalidSchema(
                f"the reference {reference!r} points to nothing", path=path
            ) from None
        return target

    def at(self, path: str) -> Json:
        """What stands at ``path``. Raises LookupError or ValueError where nothing does."""
        found: Any = self.root
        first, *names = path.split("/")
        if first:
            raise LookupError(path)
        for name in names:
            name = name.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found  # type: ignore[no-any-return]

    def is_named(self, path: str) -> bool:
        """Whether ``path`` is a definition, and what stands there comes back to itself."""
        return _DEFINITION.fullmatch(path) is not None and path in self._reached(path)

    @functools.cached_property
    def type_names(self) -> dict[str, str]:
        """For each definition what its type is called: an identifier, each another."""
        names: dict[str, str] = {}
        for holder in ("$defs", "definitions"):
            found = self.root.get(holder) if isinstance(self.root, dict) else None
            for key in found if isinstance(found, dict) else ():
                name = re.sub(r"[^\w$]", "_", key, flags=re.ASCII)
                if not name or name[0].isdigit() or name in self.reserved:
                    name = f"_{name}"
                while name in names.values():
                    name += "_"
                names[below("", holder, key)] = name
        return names

    def _reached(self, path: str) -> set[str]:
        """The places that are reached from ``path`` over references."""
        reached: set[str] = set()
        waiting = [path]
        while waiting:
            for target in self._targets(waiting.pop()):
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return reached

    def _targets(self, path: str) -> Iterator[str]:
        waiting: list[tuple[Json, str]] = [(self.at(path), path)]
        while waiting:
            value, place = waiting.pop()
            if isinstance(value, list):
                waiting += [(item, below(place, str(index))) for index, item in enumerate(value)]
            elif isinstance(value, dict):
                if isinstance(value.get("$ref"), str):
                    yield self.target(value["$ref"], below(place, "$ref"))
                # The definitions inside a schema are reached over references only.
                passed = _VALUES | {"$defs", "definitions"}
                waiting += [(v, below(place, k)) for k, v in value.items() if k not in passed]
