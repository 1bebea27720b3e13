"""The stream parser as a table of transitions, found by driving the parser itself.

Into each state the parser is brought by the beginnings of the dialects' examples; then it is
given each special token, ordinary text and the end of the input. What it does is the table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from harmony.docs.spelling import Spelling
from harmony.errors import ParseError
from harmony.stream import StreamableParser
from harmony.stream_surface import StreamState

if TYPE_CHECKING:
    from harmony.encoding import HarmonyEncoding

TEXT = "text"
END = "end of input"


@attrs.frozen
class Transition:
    """What one input does in one state."""

    state: str
    """The state before it."""
    given: str
    """The input: a special token as it is spelled, `TEXT` or `END`."""
    states: tuple[str, ...]
    """The states after it; several where it depends on the header so far."""
    errors: tuple[str, ...]
    """The errors that it can be instead: names of [[parse_errors]]."""


def transitions(enc: HarmonyEncoding) -> list[Transition]:
    """The table, state after state, each input in the order of the spec."""
    inputs: dict[str, int | None] = {
        token.text: token.id for token in enc.spec.special_tokens.values()
    }
    inputs[TEXT] = enc.encode("word")[0]
    inputs[END] = None
    known = _beginnings(enc, Spelling.of(enc.spec))
    return [
        _transition(enc, state, given, token, known[state])
        for state in known
        for given, token in inputs.items()
    ]


def _beginnings(enc: HarmonyEncoding, spelling: Spelling) -> dict[str, list[list[int]]]:
    """For each state, token lists that lead to it."""
    found: dict[str, list[list[int]]] = {state.value: [] for state in StreamState}
    for row in enc.spec.rows("dialects"):
        tokens = spelling.tokens(row, enc, "example") or []
        parser = StreamableParser(enc, None)
        found[parser.state.value].append([])
        for index, token in enumerate(tokens, 1):
            try:
                parser.process(token)
            except ParseError:
                break  # An overlay has made the example impossible.
            found[parser.state.value].append(tokens[:index])
    return found


def _transition(
    enc: HarmonyEncoding, state: str, given: str, token: int | None, beginnings: list[list[int]]
) -> Transition:
    states: dict[str, None] = {}
    errors: dict[str, None] = {}
    for tokens in beginnings:
        parser = StreamableParser(enc, None)
        for before in tokens:
            parser.process(before)
        try:
            if token is None:
                parser.process_eos()
            else:
                parser.process(token)
        except ParseError as error:
            errors[error_name(enc, error)] = None
        else:
            states[parser.state.value] = None
    return Transition(state, given, tuple(states), tuple(errors))


def error_name(enc: HarmonyEncoding, error: ParseError) -> str:
    """The row of [[parse_errors]] that an error comes from."""
    for row in enc.spec.rows("parse_errors"):
        pattern = "(?s:.*)".join(map(re.escape, re.split(r"\{\w+\}", row["sentence"])))
        if re.fullmatch(pattern, error.message):
            return str(row["name"])
    return type(error).__name__
