"""A schema as llguidance takes it: what it cannot express is found first, with its path.

llguidance reads JSON Schema itself. Formats are handed to it as patterns, since its own dates
know no leap years; a `oneOf` whose alternatives exclude each other becomes `anyOf`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from harmony.constrain.formats import pattern_of
from harmony.constrain.regex import Irregular, parsed
from harmony.constrain.schema_flat import UNSUPPORTED, Flattener, harmless
from harmony.constrain.schema_places import TYPES, Document, Place
from harmony.json_text import below

if TYPE_CHECKING:
    from harmony.constrain.schema_flat import Problems

UNICODE_CLASSES = "classes of Unicode properties"


def rewritten(document: Document, problem: Problems) -> Any:
    """The schema of ``document`` for llguidance; what it cannot express goes to ``problem``.

    If that returns, the keyword is left out.
    """
    root = copy.deepcopy(document.root.schema)
    # What lies deepest comes first: a schema that moves (`oneOf` to `anyOf`) is done by then.
    for place in sorted(document.places, key=lambda place: -place.path.count("/")):
        if isinstance(place.schema, dict):
            _rewrite(_at(root, place.path), place, document, problem)
    return root


def _at(root: Any, path: str) -> Any:
    found = root
    for name in path.split("/")[1:]:
        key = name.replace("~1", "/").replace("~0", "~")
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def _rewrite(schema: Any, place: Place, document: Document, problem: Problems) -> None:
    for keyword in UNSUPPORTED & set(schema):
        if not harmless(keyword, schema):
            problem(keyword, below(place.path, keyword), "llguidance cannot express it")
        del schema[keyword]
    for keyword in ("then", "else", "minContains", "maxContains", "x-guidance"):
        schema.pop(keyword, None)
    _count_properties(schema, place, problem)
    if "pattern" in schema and (reason := _irregular(schema["pattern"])):
        problem("pattern", below(place.path, "pattern"), reason)
        del schema["pattern"]
    if "format" in schema:
        _rewrite_format(schema, place, problem)
    if "oneOf" in schema:
        quiet = Flattener(document, lambda *_: None)
        if not quiet.check_one_of(place):
            reason = "its alternatives may overlap; use anyOf"
            problem("oneOf", below(place.path, "oneOf"), reason)
        options = schema.pop("oneOf")
        _also(schema, {"allOf": [{"anyOf": options}]} if "anyOf" in schema else {"anyOf": options})


def _count_properties(schema: Any, place: Place, problem: Problems) -> None:
    """Llguidance counts properties only where all that are declared are required."""
    declared, required = set(schema.get("properties", ())), set(schema.get("required", ()))
    if schema.get("minProperties", len(required) + 1) <= len(required):
        del schema["minProperties"]
    for keyword in ("minProperties", "maxProperties"):
        if keyword in schema and declared - required:
            reason = "llguidance counts properties only where all of them are required"
            problem(keyword, below(place.path, keyword), reason)
            del schema[keyword]


def _also(schema: Any, more: dict[str, Any]) -> None:
    for keyword, value in more.items():
        if keyword == "allOf":
            schema["allOf"] = [*schema.get("allOf", ()), *value]
        else:
            schema[keyword] = value


def _irregular(pattern: str) -> str:
    try:
        parsed(pattern)
    except Irregular as error:
        return "" if UNICODE_CLASSES in str(error) else str(error)
    return ""


def _rewrite_format(schema: Any, place: Place, problem: Problems) -> None:
    name = schema.pop("format")
    types = schema.get("type", list(TYPES))
    if "string" not in ([types] if isinstance(types, str) else types):
        return  # `{"type": "integer", "format": "int32"}`: formats are of strings.
    pattern = pattern_of(name)
    if pattern is None:
        problem("format", below(place.path, "format"), f"the format {name!r} is not known")
    elif "pattern" in schema:
        _also(schema, {"allOf": [{"pattern": pattern}]})
    else:
        schema["pattern"] = pattern
