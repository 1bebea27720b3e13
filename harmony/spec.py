"""The facts of the format, read from spec/harmony.toml.

`Spec` is the only way by which other modules learn a token id, a name, a template or a
sentence. `load_spec` reads the library's own file; an overlay (a dict, or a path to a TOML
file) is laid over it, so a user can add a channel or rename a token without a line of code.
"""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import attrs

from harmony import resources
from harmony.errors import GrammarError, UnknownName
from harmony.overlay import Source, merged, read_overlay, repeated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import tiktoken

    from harmony.messages import Role

# A TOML file, its text as a mapping, a whole spec, or nothing.
Overlay: TypeAlias = "Spec | Mapping[str, Any] | str | os.PathLike[str] | None"

SPEC_FILE = "harmony.toml"
# What a message is made of: each needs a rule of the grammar that holds it.
FIELDS = {"role", "name", "recipient", "channel", "content_type", "content", "terminator"}


@attrs.frozen
class SpecialToken:
    """A token that is structure. Spec: [[special_tokens]]."""

    name: str
    """What the spec calls it: ``"start"``."""
    text: str
    """How it is spelled: ``"<|start|>"``."""
    id: int
    purpose: str
    terminal: str | None = None
    """The terminal of the grammar that it is bound to, if it has one of its own."""


@attrs.frozen
class Dialect:
    """How headers are written. Spec: [[dialects]]."""

    name: str
    peer: str
    """The implementation that writes so."""
    recipient_after_channel: tuple[str, ...] = attrs.field(converter=tuple)
    """The channels on which the recipient follows the channel."""
    constrain_content_type: bool
    """Whether a content type is always marked with the constrain token."""
    purpose: str
    example: str
    default: bool = False


@attrs.frozen
class Spec:
    """The whole spec: typed where code reads it, as plain data (`data`) where docs do."""

    data: dict[str, Any] = attrs.field(repr=False)
    """The file as it was read, overlay included."""
    source: Source | None = attrs.field(default=None, repr=False, eq=False)
    """The file of the overlay, where there was one."""

    # ---- changed --------------------------------------------------------------------------

    def overlaid(self, overlay: Mapping[str, Any] | str | os.PathLike[str]) -> Self:
        """The spec with ``overlay``, a mapping or the path of a TOML file, laid over it.

        Raises:
            GrammarError: the overlay is not to be found, is not TOML, or has two rows of one
                name in an array of tables.
        """
        source, data = self.source, overlay
        if isinstance(overlay, (str, os.PathLike)):
            data, source = read_overlay(overlay)
        if not isinstance(data, Mapping):
            raise GrammarError(f"expected a mapping or a path as a spec, got {overlay!r}")
        laid = attrs.evolve(self, data=merged(self.data, data), source=source)
        for table, name in repeated(data):
            raise laid.fault(f"[[{table}]] has two rows called {name!r}", table, name)
        return laid

    def _with_row(self, table: str, **row: object) -> Self:
        return self.overlaid({table: [{k: v for k, v in row.items() if v is not None}]})

    def with_channel(
        self, name: str, purpose: str, *, visible: bool = False, roles: Iterable[str] | None = None
    ) -> Self:
        """With another channel. Spec: [[channels]].

        Args:
            name: how a header spells it.
            purpose: what it is for, for the documentation.
            visible: whether users see what is said on it.
            roles: who may speak on it; None for whoever may on the others.
        """
        speakers = None if roles is None else list(roles)
        return self._with_row(
            "channels", name=name, purpose=purpose, visible=visible, roles=speakers
        )

    def with_role(self, name: str, purpose: str, *, authority: int | None = None) -> Self:
        """With another role; `Role(name)` is then one. Spec: [[roles]], [authority].

        ``authority`` is its place in the order, 1 the first; by default it comes last.
        """
        last = max(row["authority"] for row in self.rows("roles")) + 1
        place = last if authority is None else authority
        return self._with_row("roles", name=name, purpose=purpose, authority=place)

    def with_content_type(self, name: str, purpose: str) -> Self:
        """With another content type that needs no recipient before it. Spec: [[content_types]]."""
        return self._with_row("content_types", name=name, purpose=purpose)

    def with_special_token(
        self,
        name: str,
        *,
        id: int | None = None,
        text: str | None = None,
        purpose: str | None = None,
        terminal: str | None = None,
    ) -> Self:
        """With another special token, or other facts about one. Spec: [[special_tokens]].

        ``terminal`` is the name by which a grammar imports it from `.spec`.
        """
        facts = {"id": id, "text": text, "purpose": purpose, "terminal": terminal}
        return self._with_row("special_tokens", name=name, **facts)

    def with_field(self, name: str, rules: Sequence[str], purpose: str) -> Self:
        """With another field of a header, in `Message.extra`. Spec: [[fields]].

        ``rules`` are the productions of the grammar that hold it.
        """
        return self._with_row("fields", name=name, rules=list(rules), purpose=purpose)

    def with_dialect(
        self,
        name: str,
        purpose: str,
        *,
        recipient_after_channel: Iterable[str] = (),
        constrain_content_type: bool = False,
    ) -> Self:
        """With another dialect. Spec: [[dialects]].

        Args:
            name: what `load_harmony_encoding` calls it.
            purpose: who writes so, for the documentation.
            recipient_after_channel: the channels on which the recipient follows the channel.
            constrain_content_type: whether a content type always is marked.
        """
        return self._with_row(
            "dialects",
            name=name,
            purpose=purpose,
            peer="",
            example="",
            recipient_after_channel=list(recipient_after_channel),
            constrain_content_type=constrain_content_type,
        )

    def with_vocabulary(self, encoding: tiktoken.Encoding, tokens: Mapping[str, str]) -> Self:
        """On another tiktoken encoding, for a model with ids of its own. Spec: [vocabulary].

        ``tokens`` says for names of [[special_tokens]] (``"start"``) which special token of
        ``encoding`` it is (``"<|im_start|>"``). Raises `GrammarError` where there is none.
        """
        from harmony.vocabulary import vocabulary_of

        return self.overlaid(vocabulary_of(encoding, tokens))

    # ---- read ------------------------------------------------------------------------------

    def fault(self, reason: str, table: str, *rows: object, key: str | None = None) -> GrammarError:
        """The error that says ``reason``, with the file and line where it stands if known.

        It is about ``key`` in the table, or in the rows of that array of tables.
        """
        place = "" if self.source is None else self.source.where(table, rows, key)
        return GrammarError(f"{place}{reason}")

    def table(self, name: str) -> dict[str, Any]:
        """The table ``name``. Raises `GrammarError` where the spec lacks it."""
        try:
            table = self.data[name]
        except KeyError:
            raise GrammarError(f"the spec has no table [{name}]") from None
        if not isinstance(table, dict):
            raise self.fault(f"[{name}] of the spec should be a table, not {table!r}", name)
        return table

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of the array of tables ``name``, in the order of the file."""
        rows = self.data.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            reason = f"[[{name}]] of the spec should be an array of tables, not {rows!r}"
            raise self.fault(reason, name)
        return rows

    @functools.cached_property
    def special_ids(self) -> range:
        """The ids that are special tokens or reserved for them."""
        facts = self.table("vocabulary")
        try:
            return range(facts["first_special"], facts["last_special"] + 1)
        except (KeyError, TypeError):
            reason = "[vocabulary] of the spec should say first_special and last_special"
            raise self.fault(reason, "vocabulary") from None

    @functools.cached_property
    def special_tokens(self) -> dict[str, SpecialToken]:
        """The tokens with a purpose, by name."""
        ids = self.special_ids
        tokens: dict[str, SpecialToken] = {}
        for row in self.rows("special_tokens"):
            name = row.get("name")
            try:
                token = SpecialToken(**row)
            except TypeError as error:
                reason = f"a row of [[special_tokens]] does not fit: {error}"
                raise self.fault(reason, "special_tokens", name) from None
            if token.id not in ids and not self._has_part(token):
                continue  # Of our vocabulary, where a user brought another.
            taken = [other.name for other in tokens.values() if other.id == token.id]
            if taken:
                reason = f"the special tokens {taken[0]!r} and {name!r} have one id: {token.id}"
                raise self.fault(reason, "special_tokens", taken[0], name, key="id")
            if token.id not in ids:
                reason = (
                    f"the special token {name!r} cannot have the id {token.id!r}: they have ids "
                    f"from {ids[0]} to {ids[-1]}"
                )
                raise self.fault(reason, "special_tokens", name, key="id")
            tokens[token.name] = token
        return tokens

    def _has_part(self, token: SpecialToken) -> bool:
        """Whether the format needs ``token``; `<|startoftext|>` it does not."""
        if not {"tokens", "folder"} & self.table("vocabulary").keys():
            return True
        named = [*self.table("terminators").values(), *self.table("stop").values()]
        return token.terminal is not None or any(
            token.name == value or (isinstance(value, list) and token.name in value)
            for value in named
        )

    def token(self, name: str) -> SpecialToken:
        """The special token of that name. Raises `GrammarError` where there is none."""
        try:
            return self.special_tokens[name]
        except KeyError:
            raise GrammarError(f"the spec names no special token {name!r}") from None

    @functools.cached_property
    def special_texts(self) -> dict[int, str]:
        """Every id from the first special token to the last, and how it is spelled."""
        named = {token.id: token.text for token in self.special_tokens.values()}
        reserved = self.table("vocabulary")["reserved_text"]
        return {i: named.get(i) or reserved.format(id=i) for i in self.special_ids}

    def stop_set(self, name: str) -> list[SpecialToken]:
        """The tokens of the stop set ``name``: ``"any"`` or ``"assistant_actions"``."""
        tokens = self.table("stop")[name]
        for token in tokens:
            if token not in self.special_tokens:
                raise self.fault(f"the spec names no special token {token!r}", "stop", key=name)
        return [self.token(token) for token in tokens]

    @functools.cached_property
    def dialects(self) -> dict[str, Dialect]:
        """The dialects, by name."""
        dialects: dict[str, Dialect] = {}
        for row in self.rows("dialects"):
            try:
                dialects[row["name"]] = Dialect(**row)
            except TypeError as error:
                reason = f"a row of [[dialects]] does not fit: {error}"
                raise self.fault(reason, "dialects", row["name"]) from None
        return dialects

    def dialect(self, name: str | None) -> Dialect:
        """The dialect of that name; the default one for None. Raises `UnknownName`."""
        if name is None:
            return next(dialect for dialect in self.dialects.values() if dialect.default)
        try:
            return self.dialects[name]
        except KeyError:
            raise UnknownName(
                f"unknown dialect {name!r}; there are: {', '.join(self.dialects)}"
            ) from None

    @functools.cached_property
    def role_names(self) -> list[str]:
        """The roles, in the order of their authority."""
        rows = sorted(self.rows("roles"), key=lambda row: row["authority"])
        return [row["name"] for row in rows]

    @functools.cached_property
    def roles(self) -> list[Role]:
        """The same as `Role`s; those that an overlay adds become known by this."""
        from harmony.messages import Role

        return [Role.added(name) for name in self.role_names]

    @functools.cached_property
    def channel_names(self) -> list[str]:
        """The declared channels."""
        return [row["name"] for row in self.rows("channels")]

    @functools.cached_property
    def content_types(self) -> list[str]:
        """The content types that need no recipient before them to be known as such."""
        return [row["name"] for row in self.rows("content_types")]

    @functools.cached_property
    def field_of_rule(self) -> dict[str, str]:
        """For each rule of the grammar that holds a field of a message, that field."""
        rules = {rule: row["name"] for row in self.rows("fields") for rule in row["rules"]}
        if missing := FIELDS - set(rules.values()):
            reason = f"[[fields]] of the spec lacks: {', '.join(sorted(missing))}"
            raise self.fault(reason, "fields")
        return rules

    @functools.cached_property
    def extra_fields(self) -> dict[str, tuple[str, ...]]:
        """The fields beyond those that every message has, and the rules that hold each."""
        rows = [row for row in self.rows("fields") if row["name"] not in FIELDS]
        return {row["name"]: tuple(row["rules"]) for row in rows}

    def row(self, table: str, name: str) -> dict[str, Any]:
        """The row called ``name`` in the array of tables ``table``. Raises `UnknownName`."""
        for row in self.rows(table):
            if row["name"] == name:
                return row
        known = ", ".join(repr(row["name"]) for row in self.rows(table))
        raise UnknownName(f"the spec has no {name!r} in [[{table}]]; it has: {known}")


def load_spec(overlay: Overlay = None) -> Spec:
    """The library's spec, with ``overlay`` laid over it.

    In an overlay, tables are merged; a row of an array of tables replaces the row of the
    same ``name`` (or ``code``), or is added at the end. A `Spec` is taken as it is.

    Raises:
        GrammarError: the overlay is not to be found, or is not TOML.
    """
    if overlay is None:
        return _own_spec()
    if isinstance(overlay, Spec):
        return overlay
    return _own_spec().overlaid(overlay)


@functools.cache
def _own_spec() -> Spec:
    return Spec(tomllib.loads(resources.read_text("spec", SPEC_FILE)))
