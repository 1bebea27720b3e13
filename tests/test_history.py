"""Which messages of a history are rendered. Spec: [[analysis_policies]]."""

from __future__ import annotations

import re

import pytest

from harmony import (
    Conversation,
    HarmonyError,
    Message,
    RenderConversationConfig,
    Role,
    UnknownName,
)

NAMES = ["auto", "before_last_final", "keep_all", "drop_all", "keep_open_call"]


def conversation(words: list[str]) -> Conversation:
    """A conversation of the words that the spec's examples are written in."""
    say = Message.from_role_and_content
    messages = []
    for word in words:
        kind = word.split()[0]
        if kind == "user":
            messages.append(say(Role.USER, word))
        elif kind == "call":
            call = say(Role.ASSISTANT, word).with_channel("commentary")
            messages.append(call.with_recipient("functions.f"))
        elif kind == "search":
            messages.append(
                say(Role.ASSISTANT, word).with_channel("analysis").with_recipient("browser.search")
            )
        elif kind == "tool":
            tool = Message.from_dict({"role": "tool", "name": "functions.f", "content": word})
            messages.append(tool.with_recipient("assistant").with_channel("commentary"))
        else:
            messages.append(say(Role.ASSISTANT, word).with_channel(kind))
    return Conversation.from_messages(messages)


def kept(enc, words: list[str], policy: str) -> list[str]:
    config = RenderConversationConfig(analysis_policy=policy)
    tokens = enc.render_conversation(conversation(words), config)
    indices = enc.render_tokens(conversation(words), config=config).messages
    texts = [m.content[0].text for m in enc.parse_messages_from_completion_tokens(tokens)]
    assert texts == [words[index] for index in indices]
    return texts


def test_the_spec_has_these_policies(spec):
    assert [row["name"] for row in spec.rows("analysis_policies")] == NAMES
    assert [row["name"] for row in spec.rows("analysis_policies") if row.get("default")] == ["auto"]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_the_spec(enc, spec, name):
    before, after = spec.row("analysis_policies", name)["example"].split(" → ")
    assert kept(enc, before.split(", "), name) == after.split(", ")


A, F = "analysis", "final"
CASES = [
    ("auto", [A, "user"], [A, "user"]),
    ("auto", ["user", A, F, "user", A], ["user", A, F, "user", A]),
    ("auto", ["user", A, "call", "tool", A, F], ["user", "call", "tool", F]),
    ("before_last_final", ["user", A, F, "user", A], ["user", F, "user", A]),
    ("before_last_final", ["user", A, "call"], ["user", A, "call"]),
    ("drop_all", ["user", A, "search", "tool", A, F], ["user", "search", "tool", F]),
    ("keep_open_call", ["user", A, F, "user", A, F], ["user", F, "user", F]),
    ("keep_open_call", ["user", A, "call", "tool", A], ["user", A, "call", "tool", A]),
    ("keep_open_call", ["user", A], ["user"]),
    ("keep_all", [], []),
]


@pytest.mark.parametrize(("policy", "before", "after"), CASES)
def test_more(enc, policy, before, after):
    assert kept(enc, before, policy) == after


def test_the_switch_of_openai_harmony_is_kept(enc):
    words = ["user", A, F]
    default = enc.render_conversation(conversation(words))
    for config, policy in (
        (RenderConversationConfig(), "auto"),
        (RenderConversationConfig(auto_drop_analysis=True), "auto"),
        (RenderConversationConfig(auto_drop_analysis=False), "keep_all"),
        (RenderConversationConfig(False, "drop_all"), "drop_all"),
    ):
        assert config.policy == policy
        rendered = enc.render_conversation(conversation(words), config)
        assert (rendered == default) == (policy != "keep_all")


def test_an_unknown_policy_is_named(enc):
    config = RenderConversationConfig(analysis_policy="sometimes")
    with pytest.raises(UnknownName, match=re.escape("'sometimes' in [[analysis_policies]]")):
        enc.render_conversation(conversation(["user"]), config)


def test_the_role_and_channels_are_facts_of_the_spec():
    from harmony import load_harmony_encoding

    spec = {"analysis_dropping": {"channel": "thought", "until_channel": "answer"}}
    enc = load_harmony_encoding("HarmonyGptOss", spec=spec)
    words = ["user", "thought", "answer"]
    assert kept(enc, words, "auto") == ["user", "answer"]


@pytest.mark.parametrize("junk", [None, 5, "message"])
def test_junk_among_the_messages_is_refused_in_words(enc, junk):
    broken = conversation(["user", A, F])
    broken.messages[1] = junk
    for policy in NAMES:
        config = RenderConversationConfig(analysis_policy=policy)
        with pytest.raises(HarmonyError, match="expected a Message"):
            enc.render_conversation(broken, config)
