"""The facts of the format, read from spec/harmony.toml.

`Spec` is the only way by which other modules learn a token id, a name, a template or a
sentence. `load_spec` reads the library's own file; an overlay (a dict, or a path to a TOML
file) is laid over it, so a user can add a channel or rename a token without a line of code.
"""

from __future__ import annotations

import functools
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony import resources
from harmony.errors import GrammarError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

# A TOML file, its text as a mapping, or nothing.
Overlay: TypeAlias = "Mapping[str, Any] | str | os.PathLike[str] | None"

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

    def table(self, name: str) -> dict[str, Any]:
        """The table ``name``. Raises `GrammarError` where the spec lacks it."""
        try:
            table = self.data[name]
        except KeyError:
            raise GrammarError(f"the spec has no table [{name}]") from None
        if not isinstance(table, dict):
            raise GrammarError(f"[{name}] of the spec should be a table, not {table!r}")
        return table

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of the array of tables ``name``, in the order of the file."""
        rows = self.data.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise GrammarError(f"[[{name}]] of the spec should be an array of tables, not {rows!r}")
        return rows

    @functools.cached_property
    def special_tokens(self) -> dict[str, SpecialToken]:
        """The tokens with a purpose, by name."""
        facts = self.table("vocabulary")
        ids = range(facts["first_special"], facts["last_special"] + 1)
        tokens: dict[str, SpecialToken] = {}
        for row in self.rows("special_tokens"):
            try:
                token = SpecialToken(**row)
            except TypeError as error:
                raise GrammarError(f"a row of [[special_tokens]] does not fit: {error}") from None
            taken = {other.id for other in tokens.values()}
            if token.id not in ids or token.id in taken:
                raise GrammarError(
                    f"the special token {token.name!r} cannot have the id {token.id!r}: each has "
                    f"one of its own, from {ids[0]} to {ids[-1]}"
                )
            tokens[token.name] = token
        return tokens

    def token(self, name: str) -> SpecialToken:
        """The special token of that name. Raises `GrammarError` where there is none."""
        try:
            return self.special_tokens[name]
        except KeyError:
            raise GrammarError(f"the spec names no special token {name!r}") from None

    @functools.cached_property
    def special_texts(self) -> dict[int, str]:
        """Every id from the first special token to the last, and how it is spelled."""
        vocabulary = self.table("vocabulary")
        named = {token.id: token.text for token in self.special_tokens.values()}
        first, last = vocabulary["first_special"], vocabulary["last_special"]
        reserved = vocabulary["reserved_text"]
        return {i: named.get(i) or reserved.format(id=i) for i in range(first, last + 1)}

    def stop_set(self, name: str) -> list[SpecialToken]:
        """The tokens of the stop set ``name``: ``"any"`` or ``"assistant_actions"``."""
        return [self.token(token) for token in self.table("stop")[name]]

    @functools.cached_property
    def dialects(self) -> dict[str, Dialect]:
        """The dialects, by name."""
        return {row["name"]: Dialect(**row) for row in self.rows("dialects")}

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
        return [row["name"] for row in sorted(self.rows("roles"), key=lambda r: r["authority"])]

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
            raise GrammarError(f"[[fields]] of the spec lacks: {', '.join(sorted(missing))}")
        return rules

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
    same ``name`` (or ``code``), or is added at the end.

    Raises:
        GrammarError: the overlay is not to be found, or is not TOML.
    """
    if overlay is None:
        return _own_spec()
    if isinstance(overlay, (str, os.PathLike)):
        try:
            overlay = tomllib.loads(Path(overlay).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise GrammarError(f"cannot read the spec {str(overlay)!r}: {error}") from error
    return Spec(_merged(_own_spec().data, overlay))


@functools.cache
def _own_spec() -> Spec:
    return Spec(tomllib.loads(resources.read_text("spec", SPEC_FILE)))


def _merged(base: Any, overlay: Any) -> Any:
    if isinstance(base, dict) and isinstance(overlay, dict):
        merged = dict(base)
        for key, value in overlay.items():
            merged[key] = _merged(base[key], value) if key in base else value
        return merged
    if _is_rows(base) and _is_rows(overlay):
        rows = {_row_key(row): row for row in base}
        for row in overlay:
            key = _row_key(row)
            rows[key] = _merged(rows[key], row) if key in rows else row
        return list(rows.values())
    return overlay


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(r, dict) for r in value)


def _row_key(row: dict[str, Any]) -> Any:
    return row.get("code") or row.get("name") or row.get("prefix") or id(row)
