"""Whatever is handed in, it is converted or refused in words."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony import Conversation, HarmonyError, InvalidToken, load_harmony_encoding
from harmony.convert import (
    ResponsesStream,
    from_chat_request,
    from_harmony,
    from_responses_request,
    to_chat_completion,
    to_chat_request,
    to_response,
    to_responses_request,
)
from tests.strategies import CONVERSATION, JUNK_ID
from tests.strategies_convert import chat_messages, response_items

ENC = load_harmony_encoding("HarmonyGptOss")
NAMES = "role content type name id function tool_calls text user assistant tool system message"
WORDS = st.sampled_from([*NAMES.split(), "functions.f", "a b", "", "<|end|>", "\ud800", "é"])
SETTINGS = (
    "tools tool_choice response_format text reasoning_effort reasoning builtin_tools instructions "
    "functions function_call model_identity parallel_tool_calls chat_template_kwargs "
    "web_search_options stream_options"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(SETTINGS.split()), JSON, max_size=2)


@st.composite
def damaged(draw, messages):
    """``messages`` with other values in some places."""
    found = copy.deepcopy(draw(messages))
    for _ in range(draw(st.integers(0, 2))):
        place = found
        for _ in range(draw(st.integers(1, 4))):
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or draw(st.integers(0, 3)) == 0:
                place[key] = draw(JSON)
                break
            place = place[key]
    return found


def convert(read, request):
    """Read and render; the prompts that were made, if it is not refused."""
    try:
        prompt = read(request, date="2025-06-28")
    except HarmonyError as error:
        assert str(error)
        return
    try:
        prompt.render()
    except HarmonyError:
        # A schema that cannot be written, say; the format of a request does not hold it up.
        return
    json.dumps(to_chat_request(prompt), default=str)
    json.dumps(to_responses_request(prompt), default=str)
    to_response([], prompt)


class TestRequests:
    @given(damaged(chat_messages()), FIELDS)
    def test_chat(self, messages, fields):
        convert(from_chat_request, {"messages": messages, **fields})

    @given(damaged(response_items()), FIELDS)
    def test_responses(self, items, fields):
        convert(from_responses_request, {"input": items, **fields})

    @given(JSON)
    def test_anything(self, value):
        convert(from_chat_request, value)
        convert(from_responses_request, value)


class TestConversations:
    @given(CONVERSATION)
    def test_requests(self, conversation):
        for write in (to_chat_request, to_responses_request):
            request = write(conversation)
            assert isinstance(request.dropped, list)

    @given(CONVERSATION)
    def test_answers(self, conversation):
        assert to_chat_completion(conversation.messages).typed()
        assert to_response(Conversation(conversation.messages)).typed()

    @given(
        st.lists(
            JUNK_ID | st.sampled_from([200005, 200006, 200008, 200007, 17196, 3686]), max_size=8
        ).map(lambda ids: [0, *ids])
    )
    def test_ids(self, ids):
        if all(isinstance(id, int) for id in ids):
            assert to_chat_completion(ids).typed()
            assert to_response(ids).typed()
            assert to_chat_request(from_harmony(ids)).dropped is not None
            assert ResponsesStream().feed(ids)
            return
        for convert_ids in (to_response, from_harmony, ResponsesStream().feed):
            with pytest.raises(InvalidToken):
                convert_ids(ids)
