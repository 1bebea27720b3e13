"""JSON texts of messages, and places in JSON values."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from harmony.errors import HarmonyError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class NotJson(HarmonyError, ValueError):
    """A text is not JSON; ``offset`` is the character at which that shows.

    It ``is_cut`` if more text may make it JSON.
    """

    def __init__(self, message: str, offset: int, *, is_cut: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.is_cut = is_cut


def read_json(text: str) -> Any:
    """The value of a JSON text, as RFC 8259 has it. Raises `NotJson`."""
    if not text.strip():
        raise NotJson("it is empty", 0, is_cut=True)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        # "Expecting value: line 1 column 7 (char 6)": the place is said otherwise.
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        reason = f"{error.msg} at character {error.pos}"
        raise NotJson(reason, error.pos, is_cut=is_cut) from None
    except RecursionError:
        raise NotJson("it is nested too deeply", 0) from None
    except ValueError as error:
        # An integer of more digits than Python reads; NaN.
        raise NotJson(str(error), 0) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def json_path(parts: Sequence[str | int]) -> str:
    """A JSON path, as in ``$.days[0]['a b']``."""
    out = "$"
    for part in parts:
        if isinstance(part, int):
            out += f"[{part}]"
        elif _NAME.fullmatch(part):
            out += f".{part}"
        else:
            quoted = part.replace("\\", "\\\\").replace("'", "\\'")
            out += f"['{quoted}']"
    return out
