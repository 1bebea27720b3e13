"""Token ids of texts that come again.

A server is sent the whole history, the same system prompt and the same tools at every turn,
and tokenising is nearly all the time that rendering takes.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_BYTES = 64 * 2**20
# What one id costs in a list: the pointer and, for ids above 256, the int itself.
BYTES_PER_ID = 36
BYTES_PER_ENTRY = 200


class TextCache:
    """Ids by text, the least recently used dropped once all take more than ``limit`` bytes.

    Keys are texts, or bytes that stand for a content. A limit of 0 turns the cache off.
    Threads may share it.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        """The most bytes that texts and ids may take together."""
        self.size = 0
        """The bytes that they take now, estimated."""
        self._ids: OrderedDict[str | bytes, list[int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str | bytes) -> list[int] | None:
        """The ids for ``key``, if they are remembered. Not to be changed."""
        ids = self._ids.get(key)
        if ids is not None:
            # Another thread may have dropped it since.
            with contextlib.suppress(KeyError):
                self._ids.move_to_end(key)
        return ids

    def put(self, key: str | bytes, ids: list[int]) -> None:
        """Remember ``ids`` for ``key``, if there is room for them at all."""
        cost = _cost(key, ids)
        if cost > self.limit:
            return
        with self._lock:
            if key not in self._ids:
                self._ids[key] = ids
                self.size += cost
            while self.size > self.limit:
                self.size -= _cost(*self._ids.popitem(last=False))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._ids.clear()
            self.size = 0


def _cost(key: str | bytes, ids: Sequence[int]) -> int:
    # A string takes up to four bytes a character; one is near enough for most text.
    return len(key) + BYTES_PER_ID * len(ids) + BYTES_PER_ENTRY
