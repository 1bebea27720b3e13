"""Recovery: the public vectors, our own, and the leniencies of the spec.

Each vector is read at once and as a stream, in pieces of several sizes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harmony import (
    HarmonyEncoding,
    Message,
    Role,
    ToolDescription,
    ToolNamespaceConfig,
    load_harmony_encoding,
)
from harmony.declared_tools import tool_names
from harmony.errors import InvalidMessage
from harmony.header_words import Lexicon
from harmony.lenient_stream import LenientStreamableParser
from harmony.recovery import Recovery
from harmony.spec import Spec, load_spec
from harmony.transcript import Diagnostic, Transcript

VECTORS = Path(__file__).parent / "vectors"


def vectors(name: str) -> list[dict]:
    lines = (VECTORS / name).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


PUBLIC = vectors("recovery.jsonl")
OWN = vectors("recovery_rules.jsonl")
LENIENCIES = load_spec().rows("leniencies")


def ids(enc: HarmonyEncoding, text: str) -> list[int]:
    """The ids of a vector's text; ``{9552}`` stands for the id 9552."""
    tokens: list[int] = []
    for index, part in enumerate(re.split(r"\{(\d+)\}", text)):
        tokens += [int(part)] if index % 2 else enc.encode(part, allowed_special="all")
    return tokens


def fields(message: Message) -> dict[str, str]:
    """The fields of a message that are set, as vectors list them."""
    form = message.to_dict()
    (content,) = form.pop("content")
    form["role"] = message.author.role.value
    return {k: v for k, v in form.items() if v is not None} | {"text": content["text"]}


def read(enc: HarmonyEncoding, row: dict, tokens: list[int]) -> Transcript:
    role = row.get("role")
    return enc.recovery.transcript(tokens, role and Role(role), row.get("tools") or ())


def streamed(enc: HarmonyEncoding, row: dict, tokens: list[int], size: int):
    role = row.get("role")
    parser = LenientStreamableParser(enc, role and Role(role), tools=row.get("tools") or ())
    for at in range(0, len(tokens), size):
        parser.feed(tokens[at : at + size])
    return parser.process_eos()


def check_stream(enc: HarmonyEncoding, row: dict, tokens: list[int], whole: Transcript) -> None:
    for size in (1, 2, 5, len(tokens) + 1):
        parser = streamed(enc, row, tokens, size)
        assert parser.messages == whole.messages
        assert parser.diagnostics == whole.diagnostics


def test_there_are_vectors():
    assert len(PUBLIC) == 47
    assert len(OWN) > 80
    assert len({row["id"] for row in OWN}) == len(OWN)


@pytest.mark.parametrize("row", PUBLIC, ids=lambda row: row["id"])
def test_public_vector(enc: HarmonyEncoding, row: dict):
    tokens = ids(enc, row["text"])
    whole = read(enc, row, tokens)
    if row["expected"] is not None:
        assert [fields(message) for message in whole.messages] == row["expected"]
    check_nothing_lost(enc, tokens, whole)
    check_stream(enc, row, tokens, whole)


@pytest.mark.parametrize("row", OWN, ids=lambda row: row["id"])
def test_own_vector(enc: HarmonyEncoding, row: dict):
    tokens = ids(enc, row["text"])
    whole = read(enc, row, tokens)
    assert [fields(message) for message in whole.messages] == row["expected"]
    assert sorted({found.code for found in whole.diagnostics}) == row["codes"]
    check_nothing_lost(enc, tokens, whole)
    check_stream(enc, row, tokens, whole)


@pytest.mark.parametrize("row", LENIENCIES, ids=lambda row: row["code"])
def test_leniency(enc: HarmonyEncoding, row: dict):
    """The bad example of each leniency needs it, and reads as the spec says."""
    tokens = row.get("tokens") or ids(enc, row["bad"])
    whole = read(enc, row, tokens)
    expected = [Message.from_dict(message) for message in json.loads(row["reading"])]
    assert whole.messages == expected
    (found,) = [found for found in whole.diagnostics if found.code == row["code"]]
    assert found.severity == row["severity"]
    assert found.message == row["sentence"].replace("{found}", repr(found.text))
    assert "{" not in found.message.replace(repr(found.text), "")
    check_stream(enc, row, tokens, whole)


def test_every_rule_has_a_leniency():
    assert {row["rule"] for row in LENIENCIES} == set(range(1, 11))
    assert {row["severity"] for row in LENIENCIES} <= {"info", "warning", "error"}


def test_every_vector_of_damage_is_diagnosed(enc: HarmonyEncoding):
    """What strict parsing refuses never reads without a diagnostic."""
    from harmony import HarmonyError

    for row in [*PUBLIC, *OWN]:
        tokens = ids(enc, row["text"])
        try:
            enc.parse(tokens, row["role"] and Role(row["role"]))
        except HarmonyError:
            assert read(enc, row, tokens).diagnostics or not tokens, row["id"]


def check_nothing_lost(enc: HarmonyEncoding, tokens: list[int], whole: Transcript) -> None:
    """Each ordinary token's text stands in a content, a field or a diagnostic's text."""
    kept = " ".join(
        [value for message in whole.messages for value in fields(message).values()]
        + [found.text for found in whole.diagnostics]
    )
    for token in tokens:
        if token < enc.vocabulary.first_special:
            text = enc.decode([token]).strip()
            assert text.replace("\ufffd", "") in kept or text in ("to", "=", ":"), text


# ---- where things stood --------------------------------------------------------------------


def test_spans(enc: HarmonyEncoding):
    """Spans cover the messages; a token that is half header, half content is content."""
    tokens = ids(enc, "Hm. <|channel|>finalx y<|end|>!<|start|>user<|message|>Hi<|end|>")
    whole = enc.recovery.transcript(tokens, Role.ASSISTANT)
    parts = [
        [enc.decode(tokens[part.start : part.stop]) for part in (s.header, s.content, s.terminator)]
        for s in whole.spans
    ]
    assert parts == [
        ["", "Hm. ", ""],
        ["<|channel|>final", "x y", "<|end|>"],
        ["<|start|>user<|message|>", "Hi", "<|end|>"],
    ]
    (stray,) = [found for found in whole.diagnostics if found.code == "stray-text"]
    assert enc.decode(tokens[stray.tokens.start : stray.tokens.stop]) == stray.text == "!"


def test_diagnostics_stand_in_the_order_of_the_tokens(enc: HarmonyEncoding):
    tokens = ids(enc, "x<|start|>bsh<|channel|>finalx<|message|>Hi<|endoftext|> y <|end|>")
    found = enc.recovery.transcript(tokens).diagnostics
    assert [d.tokens for d in found] == sorted(d.tokens for d in found)
    assert {type(d) for d in found} == {Diagnostic}


def test_the_spec_teaches_recovery_a_channel():
    """A channel that is declared in the spec is known to recovery, with no line of code."""
    enc = load_harmony_encoding(
        "HarmonyGptOss", spec={"channels": [{"name": "musing", "purpose": "", "visible": False}]}
    )
    recovery = Recovery(enc.grammar, enc.matcher, enc.vocabulary)
    for text in (
        "<|start|>musing<|message|>a<|end|>",
        "<|start|>assistant<|channel|>musinga<|end|>",
    ):
        (message,) = recovery.transcript(ids(enc, text)).messages
        assert (message.channel, message.content[0].text) == ("musing", "a")


def test_numbers_of_other_kinds_are_ids(enc: HarmonyEncoding):
    tokens = tuple(ids(enc, "<|start|>user<|message|>Hi<|end|>"))
    assert enc.recovery.transcript(tokens).messages == enc.parse(list(tokens)).messages


def test_a_new_tool_set_does_not_see_the_headers_of_another(enc: HarmonyEncoding):
    tokens = ids(enc, "<|start|>bash to=x.y<|message|>1<|end|><|start|>mcp.bash<|message|>1<|end|>")
    plain = enc.recovery.transcript(tokens).messages
    assert [m.author.role for m in plain] == [Role.TOOL, Role.TOOL]
    declared = enc.recovery.transcript(tokens, tools=["mcp.bash"]).messages
    assert [m.recipient for m in declared] == ["x.y", "mcp.bash"]


def test_many_tool_sets(enc: HarmonyEncoding):
    recovery = Recovery(enc.grammar, enc.matcher, enc.vocabulary)
    for n in range(200):
        assert recovery.openings([f"functions.f{n}"]).lexicon.tools == (f"functions.f{n}",)


# ---- declared tools ------------------------------------------------------------------------


BASH = ToolDescription.new("bash", "Runs a command.")


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        (None, ()),
        ([], ()),
        ("functions.bash", ("functions.bash",)),
        (["functions.bash", "python", "python"], ("functions.bash", "python")),
        ([BASH], ("functions.bash",)),
        (BASH, ("functions.bash",)),
        (ToolNamespaceConfig(name="shell", description=None, tools=[BASH]), ("shell.bash",)),
        ([ToolNamespaceConfig(name="python", description="", tools=[])], ("python",)),
        ([BASH.to_dict()], ("functions.bash",)),
        ([{"type": "function", "function": BASH.to_dict()}], ("functions.bash",)),
        ({"name": "shell", "tools": [BASH.to_dict()]}, ("shell.bash",)),
        ({"shell": ToolNamespaceConfig(name="shell", tools=[BASH])}, ("shell.bash",)),
        ({"shell": {"name": "shell", "tools": [{"name": "sh"}]}}, ("shell.sh",)),
        ({"name": "python", "tools": []}, ("python",)),
        ([BASH, "", "x"], ("functions.bash", "x")),
    ],
)
def test_tool_names(spec: Spec, tools: object, names: tuple[str, ...]):
    assert tool_names(tools, spec) == names


@pytest.mark.parametrize("tools", [[1], [None], [{"tools": 1}], [["functions.bash"]]])
def test_tool_names_refuses(spec: Spec, tools: object):
    with pytest.raises(InvalidMessage, match="tools: expected tools"):
        tool_names(tools, spec)


def test_a_declared_tool_goes_by_several_names(spec: Spec):
    lexicon = Lexicon(spec, ("functions.bash", "search", "mcp.final"))
    assert lexicon.declared("bash") == lexicon.declared("functions.bash") == "functions.bash"
    assert lexicon.declared("functions.search") == "functions.search"
    assert lexicon.declared("search") == "search"
    # A channel's name is the channel, whatever tools are called.
    assert lexicon.declared("final") is None
    assert lexicon.declared("mcp.final") == "mcp.final"


@pytest.mark.parametrize("answers", [1, 2, 12])
def test_answers_to_open_calls(enc: HarmonyEncoding, answers: int):
    """A declared tool's name alone answers a call that waits, and else is a call itself."""
    call = "<|start|>assistant to=functions.bash<|channel|>commentary json<|message|>{}<|call|>"
    answer = "<|start|>functions.bash<|channel|>commentary<|message|>1<|end|>"
    tokens = ids(enc, call * answers + answer * (answers + 1))
    whole = enc.recovery.transcript(tokens, tools=["functions.bash"])
    roles = [message.author.role for message in whole.messages]
    assert roles == [Role.ASSISTANT] * answers + [Role.TOOL] * answers + [Role.ASSISTANT]
    assert [found.code for found in whole.diagnostics] == ["tool-as-role"]
