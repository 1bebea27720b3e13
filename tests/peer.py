"""Our objects as openai_harmony's, and its answers as plain data to compare."""

from __future__ import annotations

import functools
import os
import tempfile
from typing import TYPE_CHECKING
from unittest import mock

import openai_harmony as peer

from harmony.spec import load_spec
from harmony.vocabulary import export

if TYPE_CHECKING:
    import harmony


@functools.cache
def peer_encoding() -> peer.HarmonyEncoding:
    """openai_harmony's encoding, of a vocabulary file of ours: nothing is ever fetched."""
    spec = load_spec()
    with tempfile.TemporaryDirectory() as folder:
        export(folder, spec)
        variable = spec.table("vocabulary")["environment"]
        with mock.patch.dict(os.environ, {variable: folder}):
            return peer.load_harmony_encoding(peer.HarmonyEncodingName.HARMONY_GPT_OSS)


#: What is read after every token of a stream.
PROPERTIES = [
    "current_content",
    "current_role",
    "current_channel",
    "current_recipient",
    "current_content_type",
    "last_content_delta",
    "tokens",
]


def their_message(message: harmony.Message) -> peer.Message:
    return peer.Message.from_dict(message.to_dict())


def their_conversation(conversation: harmony.Conversation) -> peer.Conversation:
    return peer.Conversation.from_json(conversation.to_json())


def their_role(role: harmony.Role | None) -> peer.Role | None:
    return None if role is None else peer.Role(role.value)


def plain(messages) -> list[dict]:
    """Messages of either library as data."""
    return [message.to_dict() for message in messages]


def snapshot(parser) -> dict[str, object]:
    """Everything that a stream parser of either library says of itself."""
    state = parser.state_data
    header = state.get("header")
    if header is not None:
        author = {"name": None, **header["author"]}
        header = {"recipient": None, "channel": None, "content_type": None, **header}
        header["author"] = author
    return {
        **{name: getattr(parser, name) for name in PROPERTIES},
        "state": parser.state.value,
        "header_tokens": state.get("header_tokens"),
        "header": header,
        "messages": plain(parser.messages),
    }
