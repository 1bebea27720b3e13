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
    homes: dict[str, list[str]] = {}
    for name in harmony.__all__:
        home = getattr(getattr(harmony, name), "__module__", "harmony")
        if not isinstance(getattr(harmony, name), type) and not callable(getattr(harmony, name)):
            continue  # A type alias, which its module's text names.
        homes.setdefault(home, []).append(name)
    pages = {f"{FOLDER}/{_file(home)}": _page(home, names) for home, names in sorted(homes.items())}
    for room in pkgutil.iter_modules(harmony.__path__):
        if room.ispkg and room.name not in NOT_PYTHON:
            module = f"harmony.{room.name}"
            try:
                names = list(getattr(importlib.import_module(module), "__all__", ()))
            except MissingExtra:
                continue
            if names:
                pages[f"{FOLDER}/{_file(module)}"] = _page(module, names)
    return pages


def _file(module: str) -> str:
    return f"{module.removeprefix('harmony.').replace('.', '-')}.rst"


def _page(module: str, names: list[str]) -> str:
    summary = inspect.getdoc(importlib.import_module(module)) or ""
    title = module
    lines = [title, "=" * len(title), "", summary.partition("\n\n")[0], ""]
    for name in sorted(names):
        found = getattr(importlib.import_module(module), name, None)
        where = getattr(found, "__module__", module)
        if isinstance(found, type):
            kind = "autoexception" if issubclass(found, BaseException) else "autoclass"
            lines += [
                f".. {kind}:: {where}.{name}",
                "   :members:",
                f"   :inherited-members: {BUILT_IN}",
                "",
            ]
        elif callable(found):
            lines += [f".. autofunction:: {where}.{name}", ""]
    return "\n".join(lines)
