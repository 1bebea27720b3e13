"""The packages of the extra ``docs``, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from harmony.errors import MissingExtra

PACKAGES = {
    "docutils": "docutils",
    "furo": "furo",
    "myst_parser": "myst-parser",
    "pygments": "Pygments",
    "railroad": "railroad-diagrams",
    "sphinx": "Sphinx",
}
"""The package that brings a module."""


def needs(module: str) -> Any:
    """The module, imported.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = PACKAGES[module.partition(".")[0]]
        raise MissingExtra(
            f"this needs the package {package}, which is not installed: "
            "pip install 'harmony-format[docs]'"
        ) from error
