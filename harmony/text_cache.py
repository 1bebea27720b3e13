"""Token ids of messages and texts that come again.

A server is sent the whole history, the same system prompt and the same tools at every turn,
and tokenising is nearly all the time that rendering takes.
"""

from __future__ import annotations

import threading
from typing import TypeAlias

DEFAULT_BYTES = 64 * 2**20
# What one id costs in a list: the pointer and, for ids above 256, the int itself.
BYTES_PER_ID = 36
BYTES_PER_ENTRY = 300

Key: TypeAlias = tuple[str | None, ...] | bytes
"""The fields of a message whose content is one text, or bytes that stand for a content."""


class TextCache:
    """Ids by what they were made from, in at most ``limit`` bytes, estimated.

    Two generations: what is new or used again is `recent`; once that takes half of the limit
    it becomes the older one, and what is still old then is forgotten. So a hit costs one
    look-up and no bookkeeping. A limit of 0 turns the cache off. Threads may share it.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        """The most bytes that keys and ids may take together; 0 for no cache."""
        self.recent: dict[Key, list[int]] = {}
        """The recent generation, to be read only. It is replaced when it has grown."""
        self._older: dict[Key, list[int]] = {}
        self._recent_bytes = 0
        self._older_bytes = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """The bytes that keys and ids take now, estimated."""
        return self._recent_bytes + self._older_bytes

    def get(self, key: Key) -> list[int] | None:
        """The ids for ``key``, if they are remembered. Not to be changed."""
        ids = self.recent.get(key)
        if ids is None and (ids := self._older.get(key)) is not None:
            self.put(key, ids)
        return ids

    def put(self, key: Key, ids: list[int]) -> None:
        """Remember ``ids`` for ``key``, if half of the limit has room for them at all."""
        cost = _cost(key, ids)
        if 2 * cost > self.limit:
            return
        with self._lock:
            if key in self.recent:
                return
            if 2 * (self._recent_bytes + cost) > self.limit:
                self._older, self._older_bytes = self.recent, self._recent_bytes
                self.recent, self._recent_bytes = {}, 0
            self.recent[key] = ids
            self._recent_bytes += cost

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.recent, self._older = {}, {}
            self._recent_bytes = self._older_bytes = 0


def _cost(key: Key, ids: list[int]) -> int:
    # A string takes up to four bytes a character; one is near enough for most text.
    size = len(key) if isinstance(key, bytes) else sum(len(part or "") for part in key)
    return size + BYTES_PER_ID * len(ids) + BYTES_PER_ENTRY
