"""The ids of items and calls, which a stream and a conversion at once must give alike."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harmony.messages import Role


class Identifiers:
    """Ids that follow from what came before: the prompt, and the messages of the completion.

    So the calls of a conversation have ids of their own, and the same completion has the
    same ids however it is read.
    """

    def __init__(self, seed: bytes = b"") -> None:
        self._hash = hashlib.blake2b(seed, digest_size=12)

    @classmethod
    def of(cls, text: str) -> Identifiers:
        """Ids that follow from a text."""
        return cls(hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest())

    def copy(self) -> Identifiers:
        """The ids of the message that comes next, which stay its own."""
        made = Identifiers()
        made._hash = self._hash.copy()
        return made

    def make(self, prefix: str) -> str:
        """An id of the message that comes next: ``call_`` and 24 hexadecimal digits."""
        own = self._hash.copy()
        own.update(prefix.encode())
        return prefix + own.hexdigest()

    def pass_over(self, role: Role, routing: tuple[str | None, ...], text: str) -> None:
        """Go on behind a message: its role, its routing and its text."""
        for part in (role.value, *routing, text):
            data = b"-" if part is None else part.encode("utf-8", "surrogatepass")
            self._hash.update(b"%d:%s" % (len(data), data))


def fresh(prefix: str) -> str:
    """An id that nothing else has."""
    return prefix + uuid.uuid4().hex
