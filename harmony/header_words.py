"""What the words of a header can be: roles, channels, content types, tools. For recovery.

A strict parser needs no such list beyond the grammar. A lenient one must tell a header that
was damaged from text that never was one, and for that it asks what a single word could be.
"""

from __future__ import annotations

import functools
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from harmony.messages import Role
from harmony.vocabulary import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.spec import Spec

# Of `functions.f{"a":1}` in a header without <|message|>, `functions.f` is the name.
NO_NAME = re.compile(rb'[{\["]')
NAME_LIKE = re.compile(r"[a-z_][a-z0-9_.-]*")


class Word(NamedTuple):
    """A word of a header, and where it stood in the lexed bytes."""

    start: int
    stop: int
    data: bytes

    @property
    def text(self) -> str:
        """The word as text."""
        return text_of(self.data)

    def cut(self, at: int) -> tuple[Word, Word]:
        """The word's first ``at`` bytes, and the rest."""
        middle = self.start + at
        return Word(self.start, middle, self.data[:at]), Word(middle, self.stop, self.data[at:])


class Lexicon:
    """What words mean in a header, with these tools declared.

    Spec: [header], [[roles]], [[channels]], [[content_types]], [[namespaces]], [recovery].
    """

    def __init__(
        self,
        spec: Spec,
        tools: tuple[str, ...] = (),
        introducers: Mapping[bytes, str] = MappingProxyType({}),
    ) -> None:
        facts = spec.table("recovery")
        self.spec = spec
        self.introducers = introducers
        """What stands before a field that only a user's grammar has: ``{b"mime=": "mime"}``."""
        self.tools = tools
        self.roles = [
            r["name"].encode() for r in spec.rows("roles") if not r.get("spelled_by_name")
        ]
        """The roles that a header spells."""
        by_name = [row["name"] for row in spec.rows("roles") if row.get("spelled_by_name")]
        self.tool_role: str = by_name[0] if by_name else facts["default_role"]
        self.default_role = Role(facts["default_role"])
        self.channels = sorted((c.encode() for c in spec.channel_names), key=len, reverse=True)
        self.types = sorted((t.encode() for t in spec.content_types), key=len, reverse=True)
        self.namespaces = {row["name"] for row in spec.rows("namespaces")}
        self.to: bytes = facts["recipient_mark"].encode()
        self.name_mark: bytes = facts["name_mark"].encode()
        self.to_speaker: str = spec.table("recipients")["tool_results"]
        self.most_words: int = facts["header_words"]
        self.most_bytes: int = facts["header_bytes"]
        self.terminators = {token.id for token in spec.stop_set("any")}
        self.one_space: bytes = facts["separator"].encode()
        self.constrain = spec.token("constrain").text
        space = re.escape(spec.table("header")["white_space"].encode())
        self.word = re.compile(rb"[^" + space + rb"]+")
        """One word."""

    # ---- splitting -----------------------------------------------------------------------

    def words(self, data: bytes, offset: int = 0) -> list[Word]:
        """The words of ``data``, which stands at the byte ``offset`` of the input."""
        return [Word(offset + m.start(), offset + m.end(), m[0]) for m in self.word.finditer(data)]

    # ---- single words --------------------------------------------------------------------

    def role_prefix(self, word: bytes) -> bytes:
        """The role that ``word`` begins with, or nothing."""
        return next((role for role in self.roles if word.startswith(role)), b"")

    def channel_prefix(self, word: bytes) -> bytes:
        """The longest declared channel that ``word`` begins with, or nothing."""
        return next((channel for channel in self.channels if word.startswith(channel)), b"")

    def type_prefix(self, word: bytes) -> bytes:
        """The known content type glued to what cannot be part of a name: ``json{"a":1}``."""
        for known in self.types:
            if word.startswith(known) and NO_NAME.match(word, len(known)):
                return known
        return b""

    def unglued(self, word: bytes) -> tuple[bytes, bytes, bytes]:
        """What ``assistantassistantfinalx`` is made of: a role, a channel, the rest.

        A role that is repeated counts once. ``(b"", b"", word)`` if no role comes first.
        """
        role = self.role_prefix(word)
        rest = word
        while role and rest.startswith(role):
            rest = rest[len(role) :]
        channel = self.channel_prefix(rest) if role else b""
        return role, channel, rest[len(channel) :]

    def is_glued(self, word: bytes) -> bool:
        """Whether ``word`` is just a role, repeated or not, and perhaps a declared channel."""
        role, _, rest = self.unglued(word)
        return bool(role) and not rest

    def is_role(self, word: bytes) -> bool:
        """Whether ``word`` is just a role, repeated or not."""
        role, channel, rest = self.unglued(word)
        return bool(role) and not channel and not rest

    def is_addressed(self, data: bytes) -> bool:
        """Whether a word of ``data`` begins with ``to=``."""
        return any(word.data.startswith(self.to) for word in self.words(data))

    # ---- fields that a user's grammar adds -----------------------------------------------

    def introducer(self, word: bytes) -> bytes:
        """What introduces an added field at the beginning of ``word``, or nothing."""
        return next((mark for mark in self.introducers if word.startswith(mark)), b"")

    def _marked(self, word: bytes) -> bool:
        return word.startswith(self.to) or bool(self.introducers and self.introducer(word))

    # ---- tools ---------------------------------------------------------------------------

    @functools.cached_property
    def _declared(self) -> dict[str, str]:
        """Every way to write a declared tool, and the recipient that it means."""
        written: dict[str, str] = {}
        for name in self.tools:
            if "." in name:
                written.setdefault(name.partition(".")[2], name)
            else:
                for namespace in self.namespaces - {name}:
                    written.setdefault(f"{namespace}.{name}", f"{namespace}.{name}")
        # A channel's name is the channel, whatever tools are called.
        for channel in self.spec.channel_names:
            written.pop(channel, None)
        return {**written, **{name: name for name in self.tools}}

    @functools.cached_property
    def declared_by_length(self) -> list[tuple[bytes, str]]:
        """Every way to write a declared tool, longest first, and the recipient it means."""
        written = [(text.encode("utf-8", "replace"), name) for text, name in self._declared.items()]
        return sorted(written, key=lambda pair: len(pair[0]), reverse=True)

    def declared(self, word: str) -> str | None:
        """The recipient of the declared tool that ``word`` names, with or without namespace."""
        return self._declared.get(word)

    def is_namespaced(self, word: str) -> bool:
        """Whether ``word`` names a tool for certain: declared, or in a namespace of the spec."""
        namespace, dot, name = word.partition(".")
        known = namespace in self.namespaces
        return word in self._declared or (known and bool(name or not dot))

    def speaks_as_tool(self, word: str) -> bool:
        """Whether ``word`` names a tool for certain in the place of the role."""
        return word == self.tool_role or self.is_namespaced(word)

    def names_tool(self, word: str) -> bool:
        """Whether ``word`` shows any sign of a tool; a dot is one."""
        return self.is_namespaced(word) or "." in word.strip(".")

    # ---- whole texts ---------------------------------------------------------------------

    def _belongs(self, word: bytes) -> bool:
        """Whether ``word`` can follow an author in a header that is not damaged."""
        return self._marked(word) or word in self.types or self.names_tool(text_of(word))

    def _is_author(self, word: bytes) -> bool:
        role, mark, name = word.partition(self.name_mark)
        if self.is_glued(word) or (role in self.roles and mark and name):
            return True
        return word in self.channels or self.speaks_as_tool(text_of(word))

    def opens(self, data: bytes, *, complete: bool, prose: bool) -> bool:
        """Whether ``data``, between text and a special token, can be a header's beginning.

        ``complete`` says that a special token follows; without it, more of the last word
        may follow, and False means that no continuation could make it a header. ``prose``
        says that ``data`` stands after ``<|start|>`` (rule 3), where junk is borne after an
        author, and so is an author of one unknown word; without, it must be beyond doubt
        (rule 4, where ``<|start|>`` itself is missing).
        """
        words = [word.data for word in self.words(data)]
        if not complete and words and not data[-1:].isspace():
            words.pop()
        if len(data) > self.most_bytes or len(words) > self.most_words:
            return False
        if not words:
            return prose or complete
        first, rest = words[0], words[1:]
        if self._marked(first):
            return True
        belong = all(self._belongs(word) for word in rest)
        if self._is_author(first):
            return prose or belong
        # `Write <|start|> and <|message|>` speaks about tokens; `<|start|>asistant<|channel|>`
        # is a header. White space around an unknown word tells the two apart.
        if not belong or not text_of(first)[0].isalnum() or data[:1].isspace():
            return False
        addressed = any(word.startswith(self.to) for word in rest)
        return not complete or addressed or (prose and not data[-1:].isspace())

    def continues(self, data: bytes, *, complete: bool) -> bool:
        """Whether ``data`` can go on the header that the prompt began with ``<|start|>{role}``.

        If not, it is text (rule 5). ``complete`` as for `opens`.
        """
        words = self.words(data)
        for index, (start, stop, word) in enumerate(words):
            if start + len(self.to) <= self.most_bytes and self._marked(word):
                return True
            if index >= self.most_words or stop > self.most_bytes:
                return False
            if stop == len(data) and not complete:
                return True
            named = self.names_tool(text_of(word))
            if start == 0:
                named = self.declared(text_of(word)) is not None
            first = index == 0 and (self.is_glued(word) or word in self.channels)
            if not (first or named or word in self.types):
                return False
        return len(data) <= self.most_bytes
