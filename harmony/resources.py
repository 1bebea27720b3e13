"""Where the files are that the library is derived from: spec/, grammar/ and harmony/data/.

In a wheel they lie inside the package; in a checkout, and so in an editable install, spec/,
grammar/ and docs/ stand beside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def path(folder: str, name: str) -> Path:
    """The file ``name`` in ``folder`` (``"spec"``, ``"grammar"``, ``"docs"`` or ``"data"``).

    The packaged file comes first, so that an installed wheel never reads a stray folder
    that happens to stand beside site-packages/harmony.
    """
    data = _PACKAGE / "data"
    if folder == "data":
        return data / name
    packaged = data / folder / name
    return packaged if packaged.exists() else _PACKAGE.parent / folder / name


def read_text(folder: str, name: str) -> str:
    """The text of ``name`` in ``folder``."""
    return path(folder, name).read_text(encoding="utf-8")


def read_bytes(folder: str, name: str) -> bytes:
    """The bytes of ``name`` in ``folder``."""
    return path(folder, name).read_bytes()
