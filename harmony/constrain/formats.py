"""The formats of JSON Schema that are regular, each as a pattern.

Dates are exact: February 29th only in leap years. Where the standard leaves room, what is
written here is the part that every validator takes.
"""

from __future__ import annotations

_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])"
_DAYS = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
)
_LEAP_YEAR = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DATE = rf"(?:{_YEAR}-{_DAYS}|{_LEAP_YEAR}-02-29)"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_TIME = rf"{_CLOCK}:[0-5]\d(?:\.\d{{1,6}})?(?:Z|[+-]{_CLOCK})"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_GROUP = r"[0-9A-Fa-f]{1,4}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL}){{0,5}}"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,32}"
_HEX = r"[0-9A-Fa-f]"
_PERCENT = rf"%{_HEX}{{2}}"
_PATH_LETTER = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|{_PERCENT})"
_AUTHORITY = rf"//(?:[A-Za-z0-9._~-]+@)?{_HOST}(?::[0-9]{{1,5}})?"
_QUERY = rf"(?:\?(?:{_PATH_LETTER}|[/?])*)?(?:#(?:{_PATH_LETTER}|[/?])*)?"
_URI = rf"[A-Za-z][A-Za-z0-9+.-]*:(?:{_AUTHORITY}(?:/{_PATH_LETTER}*)*|/?{_PATH_LETTER}+(?:/{_PATH_LETTER}*)*){_QUERY}"  # noqa: E501
_RELATIVE = rf"(?:{_AUTHORITY})?(?:/{_PATH_LETTER}+)*/?{_QUERY}"
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"
_SECONDS, _MINUTES = r"\d+S", r"(?:\d+M(?:\d+S)?|\d+S)"
_DURATION_TIME = rf"T(?:\d+H{_MINUTES}?|{_MINUTES})"
_DURATION_DATE = rf"(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:{_DURATION_TIME})?"


def _ipv6() -> str:
    """Eight groups, or fewer with one `::` in the place of the zeros."""
    tail = rf"(?:{_GROUP}:{_GROUP}|{_IPV4})"
    forms = [rf"(?:{_GROUP}:){{6}}{tail}"]
    for before in range(7):
        head = rf"(?:{_GROUP}(?::{_GROUP}){{0,{before - 1}}})?" if before else ""
        after = 6 - before - 1
        rest = rf"(?:{_GROUP}:){{0,{after}}}{tail}|" if after >= 0 else ""
        forms.append(rf"{head}::(?:{rest}{_GROUP})?")
    return f"(?:{'|'.join(forms)})"


PATTERNS: dict[str, str] = {
    "date": _DATE,
    "time": _TIME,
    "date-time": rf"{_DATE}T{_TIME}",
    "duration": rf"P(?:{_DURATION_DATE}|{_DURATION_TIME}|\d+W)",
    "email": rf"{_ATOM}(?:\.{_ATOM})?@{_HOST}",
    "hostname": _HOST,
    "ipv4": _IPV4,
    "ipv6": _ipv6(),
    "uuid": rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "uri": _URI,
    "uri-reference": _RELATIVE,
    "json-pointer": _POINTER,
    "relative-json-pointer": rf"(?:0|[1-9]\d*)(?:#|{_POINTER})",
}
"""For each format a pattern of the whole text, without anchors."""


def pattern_of(name: str) -> str | None:
    """The pattern of a format, anchored; None for a format that is not known."""
    found = PATTERNS.get(name)
    return None if found is None else f"^(?:{found})$"
