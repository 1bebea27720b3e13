"""Schemas that only the complete style can say, each with instances of it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies_schemas import PROSE, SCALARS

# Not "constructor": to TypeScript every object has a property of that name already.
KEYS = ["city", "x-y", "from", "a b", "é", "0", 'q"', "$ref", "_a"]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([1.5, "", "a", 'q"\\\n\u2028'])
)
DEFINITIONS = {
    "Node": {
        "type": "object",
        "description": "A node\n*/ of a tree",
        "properties": {
            "value": {"type": "integer"},
            "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            "all": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        },
        "required": ["value"],
    },
    "a-b": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/a-b"}}, {"type": "number"}]},
    "class": {"prefixItems": [{"$ref": "#/$defs/Even"}], "items": False},
    "Even": {"type": "object", "additionalProperties": {"$ref": "#/$defs/class"}},
    "Flat": {"type": "string", "format": "date", "description": "A day"},
    "a_b": {"enum": ["x", 1, None]},
}
REMARKS = st.fixed_dictionaries(
    {},
    optional={
        "title": PROSE.filter(bool),
        "description": PROSE | st.sampled_from(["a\r\n\u2028b", "x\n\n*/ y", "minimum: 1"]),
        "examples": st.lists(SCALARS, min_size=1, max_size=2),
        "default": SCALARS,
        "pattern": st.just("^\\d/*\u2029$"),
        "format": st.just("date-time"),
        "minimum": st.just(0),
        "deprecated": st.just(True),
        "not": st.just({"const": "z"}),
        "nullable": st.booleans(),
    },
)
LEAVES = st.one_of(
    st.sampled_from(
        [{}, True, {"type": "array"}, {"type": "object"}, {"additionalProperties": True}]
    ),
    st.sampled_from(["string", "number", "integer", "boolean", "null"]).map(lambda t: {"type": t}),
    st.lists(
        st.sampled_from(["string", "integer", "boolean", "null", "object", "array"]),
        min_size=1,
        max_size=3,
        unique=True,
    ).map(lambda types: {"type": types}),
    st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values}),
    (VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.sampled_from(KEYS), VALUES)).map(
        lambda value: {"const": value}
    ),
    st.sampled_from(list(DEFINITIONS)).map(lambda name: {"$ref": f"#/$defs/{name}"}),
)


def _object(inner: st.SearchStrategy, keys: list[str], *, open_: bool) -> st.SearchStrategy:
    others = {"additionalProperties": inner | st.booleans()} if open_ else {}
    return st.builds(
        lambda properties, required, more: {
            "type": "object",
            "properties": properties,
            "required": sorted(required),
            **more,
        },
        st.dictionaries(st.sampled_from(keys), inner, max_size=3),
        st.sets(st.sampled_from(keys), max_size=2),
        st.fixed_dictionaries({}, optional=others),
    )


def _branch(inner: st.SearchStrategy) -> st.SearchStrategy:
    objects = _object(inner, KEYS, open_=True)
    arrays = inner.map(lambda items: {"type": "array", "items": items})
    tuples = st.builds(
        lambda prefix, least, more: (
            {"type": "array", "prefixItems": prefix, "minItems": least} | more
        ),
        st.lists(inner, min_size=1, max_size=3),
        st.integers(0, 3),
        st.fixed_dictionaries(
            {}, optional={"items": inner | st.booleans(), "maxItems": st.just(3)}
        ),
    )
    unions = st.builds(
        lambda keyword, variants: {keyword: variants},
        st.sampled_from(["anyOf", "oneOf"]),
        st.lists(inner, min_size=1, max_size=3),
    )
    # The keys are others in each part, so that an instance of each makes one of all.
    every = st.tuples(
        _object(inner, KEYS[:4], open_=False), _object(inner, KEYS[4:], open_=False)
    ).map(lambda parts: {"allOf": list(parts)})
    both = st.builds(
        lambda base, more: {**base, "anyOf": more},
        _object(inner, KEYS[:4], open_=False),
        st.lists(_object(inner, KEYS[4:], open_=False), min_size=1, max_size=2),
    )
    found = objects | arrays | tuples | unions | every | both
    return st.builds(
        lambda schema, notes: {**schema, **notes} if isinstance(schema, dict) else schema,
        found,
        REMARKS,
    )


#: Each refers to `DEFINITIONS` only.
COMPLETE_SCHEMAS = st.recursive(
    st.builds(lambda s, notes: {**s, **notes} if isinstance(s, dict) else s, LEAVES, REMARKS),
    _branch,
    max_leaves=8,
).map(lambda s: {"$defs": DEFINITIONS, **(s if isinstance(s, dict) else {})})


def instances(schema: Any) -> st.SearchStrategy:
    """Instances of one of `COMPLETE_SCHEMAS`."""
    return st.deferred(lambda: _instances(schema, 3))


def _instances(schema: Any, depth: int) -> st.SearchStrategy:
    if isinstance(schema, bool):
        return VALUES
    found = _core(schema, depth)
    return found | st.none() if schema.get("nullable") else found


def _core(schema: dict, depth: int) -> st.SearchStrategy:
    if "$ref" in schema:
        return _instances(DEFINITIONS[schema["$ref"].removeprefix("#/$defs/")], depth)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        # A recursive variant comes to an end at the bottom.
        variants = variants if depth > 0 else variants[-1:]
        picked = st.sampled_from(variants).flatmap(lambda v: _instances(v, depth - 1))
        if "properties" not in schema:
            return picked
        return st.tuples(_typed("object", schema, depth), picked).map(_merged)
    if "allOf" in schema:
        return st.tuples(*(_instances(part, depth - 1) for part in schema["allOf"])).map(_merged)
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    if not types and "prefixItems" in schema:
        types = ["array"]
    if not types and "additionalProperties" in schema:
        types = ["object"]
    if not types:
        return VALUES
    return st.sampled_from(types).flatmap(lambda name: _typed(name, schema, depth))


def _merged(parts: tuple) -> Any:
    # A nullable part is drawn as an object, or the whole is null.
    if any(part is None for part in parts):
        return {} if all(part is None for part in parts) else None
    return {key: value for part in parts for key, value in part.items()}


def _typed(name: str, schema: dict, depth: int) -> st.SearchStrategy:
    simple = {
        "string": st.text(max_size=3),
        "integer": st.integers(-5, 5),
        "number": st.integers(-5, 5) | st.just(1.5),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    if name in simple:
        return simple[name]
    if name == "array":
        prefix = [_instances(item, depth - 1) for item in schema.get("prefixItems", [])]
        items = schema.get("items", True)
        least = min(schema.get("minItems", 0), len(prefix))
        full = st.tuples(*prefix).map(list)
        if items is False or depth <= 0:
            return full.flatmap(lambda f: st.integers(least, len(f)).map(lambda n: f[:n]))
        rest = st.lists(_instances(items, depth - 1), max_size=3 - len(prefix))
        return st.tuples(full, rest).map(lambda pair: pair[0] + pair[1])
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    needed = {key: _instances(properties.get(key, True), depth - 1) for key in required}
    optional = {key: _instances(value, depth - 1) for key, value in properties.items()}
    named = st.fixed_dictionaries(
        needed, optional={k: v for k, v in optional.items() if k not in needed} if depth > 0 else {}
    )
    others = schema.get("additionalProperties", False)
    if others is False or depth <= 0:
        return named
    more = st.dictionaries(
        st.sampled_from(["more", "x1"]), _instances(others, depth - 1), max_size=2
    )
    return st.tuples(more, named).map(lambda pair: {**pair[0], **pair[1]})
