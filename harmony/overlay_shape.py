"""Whether what a user laid over the spec has the shape of spec/harmony.toml.

A value that stands in our file has a type there; in an overlay it keeps that type. What our
file does not know is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.validation import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.spec import Spec

# What code reads of a row, where a row of a user's could lack it.
_NEEDED = {
    "roles": ("authority",),
    "fields": ("rules",),
    "namespaces": ("channel",),
    "rule_families": ("name", "prefix"),
}
# Tables of texts by the name of a terminal, to which overlays add.
_TEXTS = ("written", "terminals")
_KINDS = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def check_shape(spec: Spec, own: Spec) -> None:
    """Raise `GrammarError` if a value of ``spec`` has another type than in ``own``."""
    for table, value in spec.data.items():
        ours = own.data.get(table)
        if isinstance(ours, dict):
            _check_table(spec, table, spec.table(table), ours)
        elif isinstance(ours, list):
            _check_rows(spec, table, ours)
        elif ours is not None and type(value) is not type(ours):
            raise spec.fault(f"{table} of the spec should be {_KINDS[type(ours)]}", table)


def _check_table(spec: Spec, table: str, values: dict[str, Any], ours: dict[str, Any]) -> None:
    for key, value in values.items():
        examples = [ours[key]] if key in ours else ["" for _ in range(table in _TEXTS)]
        if reason := _departure(value, examples):
            raise spec.fault(f"[{table}] of the spec: {key} {reason}", table, key=key)


def _check_rows(spec: Spec, table: str, ours: list[dict[str, Any]]) -> None:
    # Who speaks on a channel is said by overlays only.
    examples: dict[str, list[Any]] = {"roles": [[""]]} if table == "channels" else {}
    for row in ours:
        for key, value in row.items():
            examples.setdefault(key, []).append(value)
    for row in spec.rows(table):
        name = row.get("name") or row.get("code") or ""
        for key in _NEEDED.get(table, ()):
            if key not in row:
                raise spec.fault(f"the row {name!r} of [[{table}]] lacks {key}", table, name)
        for key, value in row.items():
            if reason := _departure(value, examples.get(key, [])):
                raise spec.fault(f"{name!r} of [[{table}]]: {key} {reason}", table, name, key=key)


def _departure(value: Any, examples: list[Any]) -> str | None:
    """Why ``value`` is none such as ``examples``; None if it is, or if there are none."""
    kinds = list(dict.fromkeys(type(example) for example in examples))
    if not kinds or any(kind not in _KINDS for kind in kinds):
        return None
    # A table may be a mapping of any type, a list a tuple.
    kind = next((kind for kind in kinds if _is(value, kind)), None)
    if kind is None:
        expected = " or ".join(_KINDS[kind] for kind in kinds)
        return f"should be {expected}, not {shortened(value)}"
    if kind is list:
        items = {type(item) for item in _items(examples)}
        if items == {str} and not all(isinstance(item, str) for item in value):
            return f"should be a list of strings, not {shortened(value)}"
    return None


def _is(value: Any, kind: type) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, (list, tuple)) if kind is list else isinstance(value, kind)


def _items(lists: list[Any]) -> Iterator[Any]:
    for each in lists:
        if isinstance(each, list):
            yield from each
