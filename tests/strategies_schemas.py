"""Schemas, tools and structured content to draw, from the sensible to the absurd."""

from __future__ import annotations

from hypothesis import strategies as st

from harmony.contents import (
    ChannelConfig,
    DeveloperContent,
    ReasoningEffort,
    ResponseFormat,
    SystemContent,
    ToolDescription,
    ToolNamespaceConfig,
)
from harmony.typescript import schema_to_typescript, typescript_to_schema

# No lone surrogates: JSON cannot carry them to the peer.
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=8)
LINES = st.text(st.sampled_from(list("ab/:,?{}|[]\"' \t\r\n\u2028é#")), max_size=12)
WORDS = st.sampled_from(["city", "a b", "null", "x-y", "", "type", "é", "note: string", "n\nm"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    # Beyond 64 bits serde_json reads floats, so what is said below holds of them too: it reads
    # 36490496007125248001 a last digit off.
    st.builds(lambda n, e: n * 10**e, st.integers(-(10**15), 10**15), st.integers(5, 20)),
    # At most 15 digits: serde_json reads longer ones a last digit off (1.0013580322265625e-05).
    st.builds(lambda n, e: float(f"{n}e{e}"), st.integers(-(10**15), 10**15), st.integers(-22, 22)),
    st.sampled_from([1e22, 1.0, 1e16, 1e15, 1e-5, 1.5e-5, 1e-6, 1e300, -0.0, 0]),
    TEXT,
    WORDS,
)
VALUES = st.recursive(
    SCALARS,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXT, v, max_size=3),
    max_leaves=4,
)
TYPES = st.sampled_from(
    ["object", "array", "string", "number", "integer", "boolean", "null", "foo", ""]
)


def _sometimes(sensible: st.SearchStrategy) -> st.SearchStrategy:
    """``sensible``, and once in a while any value at all."""
    return st.integers(0, 9).flatmap(lambda n: VALUES if n == 0 else sensible)


def _schema(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": _sometimes(TYPES | st.lists(_sometimes(TYPES), max_size=3)),
            "description": _sometimes(LINES | TEXT | st.just("same")),
            "title": _sometimes(LINES | WORDS),
            "examples": _sometimes(st.lists(SCALARS, max_size=3)),
            "default": SCALARS,
            "enum": _sometimes(st.lists(_sometimes(WORDS | TEXT), max_size=3)),
            "nullable": _sometimes(st.booleans()),
            "required": _sometimes(st.lists(WORDS, max_size=3)),
            "items": inner,
            "properties": _sometimes(st.dictionaries(WORDS | TEXT, inner, max_size=3)),
            "oneOf": _sometimes(st.lists(inner, max_size=3)),
        },
    )


def _object(inner: st.SearchStrategy) -> st.SearchStrategy:
    """Schemas of objects whose members are likely to be written at length."""
    return st.builds(
        lambda properties, extra: {"type": "object", "properties": properties, **extra},
        st.dictionaries(WORDS, inner, max_size=3),
        st.fixed_dictionaries({}, optional={"required": st.lists(WORDS, max_size=3)}),
    )


def _union(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(
        lambda variants, extra: {"oneOf": variants, **extra},
        st.lists(inner, min_size=1, max_size=3),
        st.fixed_dictionaries(
            {}, optional={"description": st.sampled_from(["same", "other"]), "default": SCALARS}
        ),
    )


def _branch(inner: st.SearchStrategy) -> st.SearchStrategy:
    inner = _sometimes(inner)
    return _schema(inner) | _object(inner) | _union(inner)


#: Anything that may stand where a schema is expected.
WILD_SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "description": st.sampled_from(["same", "other", "two\nlines", "é*/"]),
            "enum": st.lists(WORDS, max_size=2),
            "default": SCALARS,
            "nullable": st.booleans(),
        },
    ),
    _branch,
    max_leaves=8,
)

TOOLS = st.builds(
    ToolDescription,
    name=st.sampled_from(["get_weather", "f", "a.b", "x y"]),
    description=LINES | TEXT,
    parameters=st.none() | WILD_SCHEMAS,
)
NAMESPACES = st.builds(
    ToolNamespaceConfig,
    name=st.sampled_from(["functions", "mcp", "a"]),
    description=st.none() | LINES | TEXT,
    tools=st.lists(TOOLS, max_size=3),
)
BUILT_IN = st.sampled_from(["browser", "python"]).map(ToolNamespaceConfig.built_in)
# The keys need not be the names; the order is that of the keys.
NAMESPACES_BY_KEY = st.dictionaries(
    st.sampled_from(["functions", "mcp", "é", "Z", "browser"]), NAMESPACES | BUILT_IN, max_size=3
)
WILD_SYSTEM = st.builds(
    SystemContent,
    model_identity=st.none() | TEXT | LINES,
    reasoning_effort=st.none() | st.sampled_from(ReasoningEffort),
    conversation_start_date=st.none() | TEXT,
    knowledge_cutoff=st.none() | TEXT,
    channel_config=st.none() | st.builds(ChannelConfig, st.lists(TEXT, max_size=3), st.booleans()),
    tools=st.none() | NAMESPACES_BY_KEY,
)
WILD_DEVELOPER = st.builds(
    DeveloperContent,
    instructions=st.none() | TEXT | LINES,
    tools=st.none() | NAMESPACES_BY_KEY,
)

# ---- schemas as people write them --------------------------------------------------------

KEYS = st.sampled_from(["city", "unit", "max_results", "x-y", "from", "a b", "é", "$ref", "n1"])
PROSE = st.sampled_from(
    [
        "The city.",
        "Two\nlines",
        "note: see below\nand: more",
        "a list:\n- one\n- two\n\nend",
        'It\'s "quoted", with {braces}: and | pipes; https://example.com/?q=1',
        "default: 3",
        "é // slashes */",
        "",
    ]
)
_NOTES = {"title": PROSE.filter(bool), "description": PROSE, "nullable": st.just(True)}
_LEAVES = st.one_of(
    st.sampled_from([{}, {"type": "array"}]),
    st.builds(
        lambda kind, notes: {"type": kind, **notes},
        st.sampled_from(["string", "number", "boolean"]),
        st.fixed_dictionaries({}, optional=_NOTES),
    ),
    st.builds(
        lambda values: {"type": "string", "enum": values},
        st.lists(
            st.sampled_from(["celsius", "a b", "a, b", "x|y", "", "it's", "a/b", "é"]),
            min_size=1,
            max_size=3,
            unique=True,
        ),
    ),
    st.builds(
        lambda types: {"type": types},
        st.lists(
            st.sampled_from(["string", "number", "boolean", "null", "object"]),
            min_size=2,
            max_size=3,
            unique=True,
        ),
    ),
)
_DEFAULTS = st.sampled_from([1, 1.5, True, None, "a", "\n", "two\nlines", [], [1], {}, {"a": "b"}])


def _annotated(schema: dict, notes: dict) -> dict:
    # The default of an enum is one of its values; the reference writes it without quotes.
    if "enum" in schema and "default" in notes:
        notes = {**notes, "default": schema["enum"][0]}
    return {**schema, **notes}


def _usual_branch(inner: st.SearchStrategy, *, unions: bool = True) -> st.SearchStrategy:
    annotated = st.builds(
        _annotated,
        inner,
        st.fixed_dictionaries(
            {},
            optional={
                "title": PROSE.filter(bool),
                "description": PROSE,
                "examples": st.lists(st.sampled_from(["a", "b c", 'q"']), min_size=1, max_size=2),
                "default": _DEFAULTS,
            },
        ),
    )
    members = st.dictionaries(KEYS, annotated, max_size=3)
    objects = st.builds(
        lambda properties, required, notes: {
            "type": "object",
            "properties": properties,
            "required": [key for key in properties if key in required],
            **notes,
        },
        members,
        st.sets(KEYS, max_size=3),
        st.fixed_dictionaries({}, optional=_NOTES),
    )
    arrays = st.builds(lambda items: {"type": "array", "items": items}, inner)
    variants = st.builds(
        _annotated,
        inner,
        st.fixed_dictionaries(
            {}, optional={"description": st.sampled_from(["One.", "é: x"]), "default": _DEFAULTS}
        ),
    )
    union = st.builds(lambda v: {"oneOf": v}, st.lists(variants, min_size=1, max_size=3))
    return objects | arrays | union if unions else objects | arrays


#: What a tool's parameters look like.
USUAL_SCHEMAS = st.recursive(_LEAVES, _usual_branch, max_leaves=8)

#: The same without `oneOf`, whose comments can leave two readings.
PLAIN_SCHEMAS = st.recursive(_LEAVES, lambda s: _usual_branch(s, unions=False), max_leaves=8)

# ---- content as people write it ----------------------------------------------------------

#: Text that is also a template's, and text that only looks like it.
HOSTILE_PROSE = st.sampled_from(
    [
        "You are helpful.",
        "Be brief.\n\nBe kind.\n",
        "# Tools\n\n## search\n\nUse it with care.",
        "x\n\n# Tools\n\nnone",
        "x\n\n# Response Formats\n\n## a\n\nno JSON",
        "Reasoning: high as ever",
        "Knowledge cutoff: never\nwhat",
        "x\n\n# Valid channels: some, but not all",
        "# Instructions\n\nagain",
        "namespace a {\n\n} // namespace a",
        " \r\n\t",
        "",
    ]
)
_LINE = st.sampled_from(["2024-06", "", "é", "a: b", "x."])


def _canonical(schema: dict) -> dict:
    return typescript_to_schema(schema_to_typescript(schema))


CANONICAL_TOOLS = st.builds(
    ToolDescription,
    name=st.sampled_from(["get_weather", "f", "a.b", "x-y"]),
    description=PROSE | st.sampled_from(["a\nb\r\r\nc", "type f = () => any;", "} // namespace x"]),
    parameters=st.none() | PLAIN_SCHEMAS.map(_canonical),
)


def _namespaces(names: list[str]) -> st.SearchStrategy:
    namespaces = st.builds(
        ToolNamespaceConfig,
        name=st.sampled_from(names),
        description=st.none() | PROSE.filter(bool),
        tools=st.lists(CANONICAL_TOOLS, min_size=1, max_size=3),
    )
    return st.lists(namespaces | BUILT_IN, max_size=3).map(
        lambda found: {namespace.name: namespace for namespace in found} or None
    )


CANONICAL_SYSTEM = st.builds(
    SystemContent,
    model_identity=st.none() | HOSTILE_PROSE,
    reasoning_effort=st.none() | st.sampled_from(ReasoningEffort),
    conversation_start_date=st.none() | _LINE,
    knowledge_cutoff=st.none() | _LINE,
    channel_config=st.none()
    | st.builds(
        ChannelConfig,
        st.lists(st.sampled_from(["analysis", "final", "a.b", "é"]), min_size=1, max_size=3),
        st.booleans(),
    ),
    tools=_namespaces(["functions", "mcp"]),
)
CANONICAL_DEVELOPER = st.builds(
    DeveloperContent,
    instructions=st.none() | HOSTILE_PROSE,
    tools=_namespaces(["functions", "mcp"]),
    response_formats=st.none()
    | st.lists(
        st.builds(
            ResponseFormat,
            name=st.sampled_from(["shopping_list", "a b", "é"]),
            schema=st.dictionaries(TEXT, VALUES, max_size=2),
            description=st.none() | PROSE.filter(bool),
        ),
        min_size=1,
        max_size=2,
    ),
)
