"""Each row of the spec's [[differences]] table, run against both implementations."""

from __future__ import annotations

import json

import openai_harmony as peer
import pytest

from harmony import HarmonyError, Message, Role, StreamableParser
from harmony.spec import load_spec
from tests.peer import plain, their_role

ROWS = load_spec().rows("differences")


def ids_and_role(enc, row) -> tuple[list[int], Role | None]:
    role = Role(row["role"]) if "role" in row else None
    if "tokens" in row:
        return row["tokens"], role
    return enc.encode(row["input"], allowed_special="all"), role


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
class TestDifferences:
    """Spec [[differences]]: "Where the reference is plainly wrong." """

    def test_ours(self, enc, row):
        tokens, role = ids_and_role(enc, row)
        if row["ours"].startswith("["):
            expected = [Message.from_dict(message) for message in json.loads(row["ours"])]
            assert enc.parse_messages_from_completion_tokens(tokens, role) == expected
            assert StreamableParser(enc, role).feed(tokens)[-1].message == expected[-1]
        else:
            with pytest.raises(HarmonyError) as raised:
                enc.parse_messages_from_completion_tokens(tokens, role)
            assert raised.value.message.startswith(row["ours"])
            with pytest.raises(HarmonyError) as raised:
                StreamableParser(enc, role).feed(tokens)
            assert raised.value.message.startswith(row["ours"])

    def test_theirs(self, enc, oracle, row):
        """As the table describes it: an error, or a message that says something else."""
        tokens, role = ids_and_role(enc, row)
        described = row["theirs"]
        try:
            (message,) = oracle.parse_messages_from_completion_tokens(tokens, their_role(role))
        except peer.HarmonyError as error:
            assert str(error).startswith(described)
            return
        if "U+FFFD" in described:
            assert message.content[0].text.endswith("\ufffd")
            return
        kind, _, value = described.partition(' "')
        value = value.removesuffix('"')
        found = {
            "a message to the recipient": message.recipient,
            "a message on the channel": message.channel,
            "a tool named": message.author.name,
        }
        assert found[kind] == value

    def test_they_differ(self, enc, oracle, row):
        tokens, role = ids_and_role(enc, row)
        assert answer(enc, tokens, role) != answer(oracle, tokens, their_role(role))


def answer(encoding, tokens, role):
    try:
        return plain(encoding.parse_messages_from_completion_tokens(tokens, role))
    except RuntimeError as error:
        return type(error)
