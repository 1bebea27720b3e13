"""The `channel-first` dialect, live against oss-harmony: equal tokens, whatever is rendered."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

import harmony
from harmony import Conversation
from tests.oss_harmony import OssHarmony, environment, rendered
from tests.strategies import CONVERSATION, DIALOGUE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def oss_harmony(pytestconfig, vocabulary_folder):
    python = environment(pytestconfig.cache.mkdir("oss-harmony"))
    process = OssHarmony(python, vocabulary_folder)
    yield process
    process.close()


def ours(enc, conversation: Conversation) -> list[dict[str, list]]:
    return [rendered(enc, harmony, conversation, keep) for keep in (False, True)]


class TestDialect:
    """Spec [[dialects]]: "on commentary the recipient follows the channel, and a content type
    is always marked with `<|constrain|>`." """

    @given(CONVERSATION)
    def test_anything(self, channel_first, oss_harmony, conversation):
        theirs = oss_harmony.rendered(conversation.to_json())
        assert ours(channel_first, conversation) == theirs

    @settings(max_examples=200)
    @given(DIALOGUE)
    def test_dialogues(self, channel_first, oss_harmony, conversation):
        theirs = oss_harmony.rendered(conversation.to_json())
        assert ours(channel_first, conversation) == theirs

    def test_every_header(self, channel_first, oss_harmony):
        """All combinations of a role, a recipient, a channel and a content type."""
        messages = [
            {"role": role, "name": name, "content": "x", "channel": channel,
             "recipient": recipient, "content_type": content_type}
            for role, name in [("assistant", None), ("assistant", "bob"), ("user", None),
                               ("tool", "functions.f"), ("tool", "python"), ("system", None)]
            for channel in [None, "analysis", "commentary", "final", "x"]
            for recipient in [None, "functions.f", "assistant", "all", "python", ""]
            for content_type in [None, "json", "code", "<|constrain|>json", "<|constrain|>", ""]
        ]  # fmt: skip
        conversation = Conversation.from_dict({"messages": messages})
        theirs = oss_harmony.rendered(json.dumps({"messages": messages}))
        decode = channel_first.decode
        for ids, their_ids in zip(
            ours(channel_first, conversation)[1]["messages"], theirs[1]["messages"], strict=True
        ):
            assert decode(ids) == decode(their_ids)
            assert ids == their_ids
