"""The pages of the API reference, for Sphinx, which reads the docstrings."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import harmony
from harmony.errors import MissingExtra

FOLDER = "api"
BUILT_IN = "Exception, str, dict, list, tuple, RuntimeError, ValueError"
"""Classes whose members are Python's own."""
NOT_PYTHON = {"cli"}
"""Rooms that are used from the command line only."""


def api_pages() -> dict[str, str]:
    """The pages by path: one a module that has public names, and one a room.

    A room whose extra is not installed has no page.
    """
    rooms = [
        f"harmony.{room.name}"
        for room in pkgutil.iter_modules(harmony.__path__)
        if room.ispkg and room.name not in NOT_PYTHON
    ]
    homes: dict[str, dict[str, None]] = {}
    for name in harmony.__all__:
        found = getattr(harmony, name)
        if callable(found):  # Else a type alias, which stands in the signatures.
            module = found.__module__
            room = next((room for room in rooms if module.startswith(f"{room}.")), module)
            homes.setdefault(room, {})[name] = None
    for room in rooms:
        try:
            names = getattr(importlib.import_module(room), "__all__", ())
        except MissingExtra:
            continue
        homes.setdefault(room, {}).update(dict.fromkeys(names))
    return {
        f"{FOLDER}/{_file(home)}": _page(home, sorted(names))
        for home, names in sorted(homes.items())
    }


def _file(module: str) -> str:
    return f"{module.removeprefix('harmony.').replace('.', '-')}.rst"


def _page(module: str, names: list[str]) -> str:
    where = importlib.import_module(module)
    summary = inspect.getdoc(where) or ""
    lines = [module, "=" * len(module), "", summary.partition("\n\n")[0], ""]
    for name in names:
        found = getattr(where, name, None) or getattr(harmony, name, None)
        full = f"{getattr(found, '__module__', module)}.{name}"
        if isinstance(found, type):
            kind = "autoexception" if issubclass(found, BaseException) else "autoclass"
            lines += [f".. {kind}:: {full}", "   :members:"]
            lines += [f"   :inherited-members: {BUILT_IN}", ""]
        elif callable(found):
            lines += [f".. autofunction:: {full}", ""]
    return "\n".join(lines)
