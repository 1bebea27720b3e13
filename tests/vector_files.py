"""The vectors: files that any language can read. See tests/vectors/README.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "vectors"


def vectors(kind: str) -> dict[str, dict]:
    """The vectors in ``valid`` or ``invalid``, by name. There is no suite without any."""
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((FOLDER / kind).glob("*.json"))
    }
    if not found:
        raise FileNotFoundError(f"no vectors in {FOLDER / kind}")
    return found


def ids_of_text(enc, text: str) -> list[int]:
    """Ids of a vector's text: special tokens spelled out, ``{9552}`` for the raw id 9552."""
    ids: list[int] = []
    for part in re.split(r"(\{\d+\})", text):
        if re.fullmatch(r"\{\d+\}", part):
            ids.append(int(part[1:-1]))
        else:
            ids += enc.encode(part, allowed_special="all")
    return ids


def is_raw(text: str) -> bool:
    """Whether the text holds raw ids, which no renderer writes."""
    return re.search(r"\{\d+\}", text) is not None
