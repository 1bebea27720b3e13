"""Texts, messages, conversations, completions and token ids to draw."""

from __future__ import annotations

from hypothesis import strategies as st

from harmony import (
    Author,
    Conversation,
    DeveloperContent,
    Message,
    Role,
    SystemContent,
    TextContent,
    ToolDescription,
)
from harmony.contents import ChannelConfig, ReasoningEffort
from harmony.spec import load_spec

SPEC = load_spec()
SPECIAL_TEXTS = [token.text for token in SPEC.special_tokens.values()]
TERMINATORS = [token.text for token in SPEC.stop_set("any")]
#: Special tokens that read as their text in content.
LITERAL_TOKENS = [text for text in SPECIAL_TEXTS if text not in TERMINATORS] + [
    "<|reserved_200001|>",
    "<|reserved_201088|>",
]
NAMED_ROLES = [Role(row["name"]) for row in SPEC.rows("roles") if not row.get("spelled_by_name")]

# ---- texts ---------------------------------------------------------------------------------

#: No lone surrogates: JSON cannot carry them to the peer.
CHARACTERS = st.characters(exclude_categories=["Cs"])
#: What an attacker types, what a tokenizer merges, what a header is made of.
PIECES = st.sampled_from(
    [
        *SPECIAL_TEXTS,
        *["<|reserved_200001|>", "<|", "|>", "<", "assistant", "user", "system", "json", "code"],
        *["to=", " to=functions.f", "to=all", "functions.f", ":", " ", "  ", "\n", "\r\n", "\t"],
        *[
            "é",
            "e\u0301",
            "日本語",
            "👩‍👩‍👧",
            "\u2028",
            "\u0000",
            "\ufeff",
            "\ufffd",
            "ÿ",
            "\U0010ffff",
        ],
        *["def f(x):\n    return x\n", '{"a": 1}', "1234567", "don't", "'S", "\x0b\x0c\x85\xa0"],
    ]
)
TEXT = st.lists(PIECES | st.text(CHARACTERS, max_size=5), max_size=6).map("".join)

# ---- words of a header ---------------------------------------------------------------------

WHITE_SPACE = SPEC.table("header")["white_space"]


def is_plain_word(text: str) -> bool:
    """Whether ``text`` is a word that no implementation takes for anything else.

    `<` and white space of Unicode are left out: the peer cuts a channel there.
    """
    return (
        bool(text)
        and not any(c.isspace() or c in "<\x1c\x1d\x1e\x1f\x85" for c in text)
        and not text.startswith("to=")
        and text.split(":", maxsplit=1)[0] not in SPEC.role_names
        and text not in SPEC.content_types
    )


WORD = (
    st.sampled_from(["functions.f", "browser.search", "python", "all", "alice", "é", "日本", "x"])
    | st.text(CHARACTERS, min_size=1, max_size=6)
).filter(is_plain_word)
CHANNEL = st.sampled_from(SPEC.channel_names) | WORD
RECIPIENT = st.sampled_from(["functions.get_weather", "browser.open", "python", "assistant"]) | WORD
CONTENT_TYPE = st.sampled_from(SPEC.content_types) | WORD
CONSTRAIN = SPEC.token("constrain").text
ANY_CONTENT_TYPE = CONTENT_TYPE | CONTENT_TYPE.map(CONSTRAIN.__add__)

# ---- structured content ----------------------------------------------------------------------

_SCHEMA = st.sampled_from(
    [
        None,
        {"type": "object", "properties": {}},
        {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city, <|end|> and all"},
                "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
                "days": {"type": "array", "items": {"type": "number"}},
            },
            "required": ["city"],
        },
    ]
)
TOOL = st.builds(ToolDescription, name=WORD, description=TEXT, parameters=_SCHEMA)
SYSTEM_CONTENT = st.builds(
    lambda identity, effort, date, cutoff, channels, browser, python: _with_built_in(
        SystemContent(identity, effort, date, cutoff, channels), browser=browser, python=python
    ),
    st.text(CHARACTERS, max_size=5) | TEXT,
    st.sampled_from(ReasoningEffort),
    st.none() | st.just("2025-06-28") | TEXT,
    st.just("2024-06") | TEXT,
    st.builds(ChannelConfig, st.lists(CHANNEL, max_size=3), st.booleans()),
    st.booleans(),
    st.booleans(),
)


def _with_built_in(content: SystemContent, *, browser: bool, python: bool) -> SystemContent:
    if browser:
        content.with_browser_tool()
    if python:
        content.with_python_tool()
    return content


DEVELOPER_CONTENT = st.builds(
    lambda instructions, tools: (
        DeveloperContent(instructions)
        if tools is None
        else DeveloperContent(instructions).with_function_tools(tools)
    ),
    st.none() | TEXT,
    st.none() | st.lists(TOOL, max_size=2),
)

# ---- messages --------------------------------------------------------------------------------


def _contents(role: Role) -> st.SearchStrategy:
    text = st.builds(TextContent, TEXT)
    if role is Role.SYSTEM:
        return text | SYSTEM_CONTENT
    if role is Role.DEVELOPER:
        return text | DEVELOPER_CONTENT
    return text


def _message(role: Role) -> st.SearchStrategy[Message]:
    """Any message that can be rendered, whatever its header's fields hold."""
    name = TEXT | WORD
    return st.builds(
        Message,
        author=st.builds(Author, st.just(role), name if role is Role.TOOL else st.none() | name),
        content=st.lists(_contents(role), max_size=3),
        channel=st.none() | CHANNEL | TEXT,
        recipient=st.none() | RECIPIENT | TEXT | st.just("all"),
        content_type=st.none() | ANY_CONTENT_TYPE | TEXT | TEXT.map(CONSTRAIN.__add__),
    )


#: Anything that can be rendered.
MESSAGE = st.sampled_from(Role).flatmap(_message)
CONVERSATION = st.builds(Conversation, st.lists(MESSAGE, max_size=4))


def _usual(role: Role) -> st.SearchStrategy[Message]:
    return st.builds(
        Message,
        author=st.builds(Author, st.just(role), WORD if role is Role.TOOL else st.none()),
        content=st.lists(st.builds(TextContent, TEXT), min_size=1, max_size=1),
        channel=st.none() | st.sampled_from(SPEC.channel_names),
        recipient=st.none() | RECIPIENT.filter("all".__ne__),
        content_type=st.none() | ANY_CONTENT_TYPE,
    )


#: Turns on the declared channels, so that analysis is there to drop.
DIALOGUE = st.lists(
    st.sampled_from([Role.USER, Role.ASSISTANT, Role.ASSISTANT, Role.TOOL]).flatmap(_usual),
    max_size=8,
).map(Conversation)


def _representable(role: Role) -> st.SearchStrategy[Message]:
    name = WORD if role is Role.TOOL else st.none() | WORD
    return st.builds(
        Message,
        author=st.builds(Author, st.just(role), name),
        content=st.builds(TextContent, TEXT).map(lambda content: [content]),
        channel=st.none() | CHANNEL,
        recipient=st.none() | RECIPIENT.filter("all".__ne__),
        content_type=st.none() | ANY_CONTENT_TYPE,
    ).filter(
        # Without a recipient only a content type that the spec knows is one.
        lambda m: (
            m.recipient is not None
            or m.content_type is None
            or m.content_type.startswith(CONSTRAIN)
            or m.content_type in SPEC.content_types
        )
    )


#: Messages that a header can hold in full: what is rendered can be read back.
REPRESENTABLE = st.sampled_from(Role).flatmap(_representable)

# ---- completions -----------------------------------------------------------------------------

_SPACES = st.text(st.sampled_from(WHITE_SPACE), min_size=1, max_size=3) | st.just(" ")
_GAP = st.just("") | _SPACES


@st.composite
def routes(draw: st.DrawFn) -> str:
    """What follows the author in a header, in every spelling that both implementations read.

    Content types without a recipient, and special tokens elsewhere than they belong, are
    left out: there the two differ (spec, [[differences]]).
    """
    recipient = draw(st.none() | RECIPIENT)
    channel = draw(st.none() | CHANNEL)
    out = ""
    marked = "" if channel is None else f"{draw(_GAP)}<|channel|>{channel}"
    if recipient is None:
        return marked + draw(_GAP)
    bare = draw(st.booleans()) and is_plain_word(recipient)
    to = f"{draw(_SPACES)}{'' if bare else 'to='}{recipient}"
    kind = draw(st.none() | CONTENT_TYPE)
    typed = ""
    if kind is not None:
        constrained = draw(st.booleans())
        typed = f"{draw(_GAP)}<|constrain|>{kind}" if constrained else f"{draw(_SPACES)}{kind}"
    order = draw(st.sampled_from([0, 1, 2] if channel is not None else [0]))
    out = [to + marked + typed, marked + to + typed, to + typed + marked][order]
    return out + draw(_GAP)


_BODY = st.lists(TEXT.map(lambda t: ("text", t)) | st.sampled_from(LITERAL_TOKENS).map(lambda t: ("special", t)) | st.lists(st.integers(0, 199997), min_size=1, max_size=3).map(lambda i: ("ids", i)) | st.sampled_from([[9552], [9552, 235], [255], [187], [48, 188], [9552, 9552, 235, 235]]).map(lambda i: ("ids", i)), max_size=4)  # fmt: skip


@st.composite
def completions(draw: st.DrawFn, role: Role | None) -> list[tuple[str, object]]:
    """A completion as parts: ``("special", text with special tokens)``, ``("text", text)``,
    ``("ids", ids)``; `tokens_of` makes ids of them. ``role`` is what the prompt ended with.
    """
    parts: list[tuple[str, object]] = []
    count = draw(st.integers(1 if role is not None else 0, 3))
    for index in range(count):
        if index == 0 and role is not None:
            repeated = draw(st.booleans()) and role is not Role.TOOL
            header = (draw(_GAP) + role.value if repeated else "") + draw(routes())
        else:
            speaker = draw(st.sampled_from([*NAMED_ROLES, Role.TOOL]))
            if speaker is Role.TOOL:
                # A tool's name alone is one of the differences; so it gets a recipient.
                route = f"{draw(_SPACES)}to={draw(RECIPIENT)}"
                channel = draw(st.none() | CHANNEL)
                route += "" if channel is None else f"{draw(_GAP)}<|channel|>{channel}"
                header = "<|start|>" + draw(_GAP) + draw(WORD) + route + draw(_GAP)
            else:
                header = "<|start|>" + draw(_GAP) + speaker.value + draw(routes())
        parts.append(("special", header + "<|message|>"))
        parts += draw(_BODY)
        if index < count - 1 or draw(st.booleans()):
            parts.append(("special", draw(st.sampled_from(TERMINATORS))))
    return parts


def tokens_of(encoding, parts) -> list[int]:
    """The ids of a drawn completion."""
    ids: list[int] = []
    for kind, value in parts:
        if kind == "ids":
            ids += value
        elif kind == "special":
            ids += encoding.encode(value, allowed_special="all")
        else:
            ids += encoding.encode(value, disallowed_special=())
    return ids


#: Roles that a prompt may end with, and none.
PROMPT_ROLE = st.none() | st.sampled_from(Role)
COMPLETION = PROMPT_ROLE.flatmap(lambda role: st.tuples(st.just(role), completions(role)))

# ---- ids -------------------------------------------------------------------------------------

STRUCTURE = [token.id for token in SPEC.special_tokens.values()]
_WORD_IDS = [173781, 1428, 3686, 220, 316, 28, 12606, 815, 17196, 35644, 4108, 9552, 235, 255, 187]
#: Ids of the vocabulary, mostly those that a header is made of.
VALID_IDS = st.lists(
    st.sampled_from(STRUCTURE) | st.sampled_from(_WORD_IDS) | st.integers(0, 201088), max_size=25
)
#: Anything that somebody could pass for an id.
JUNK_ID = (
    st.integers(-(2**70), 2**70)
    | st.sampled_from([-1, 201089, 2**31, 2**32, 2**64, True, 1.0, float("nan"), None, "1", b"1"])
    | st.just([])
)
