"""The packages of the extra ``docs``, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from harmony.errors import MissingExtra

PACKAGES = {
    "railroad": "railroad-diagrams",
    "sphinx": "Sphinx",
    "furo": "furo",
    "myst_parser": "myst-parser",
}


def needs(module: str) -> Any:
    """The module, imported.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"this needs the package {PACKAGES[module]}, which is not installed: "
            "pip install 'harmony-format[docs]'"
        ) from error
