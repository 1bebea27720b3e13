"""Requests of Chat Completions and Responses to Harmony, and completions back, streams too.

In: `from_chat_request`, `from_responses_request` → `Prompt`. Out: `to_chat_message`,
`to_chat_completion`, `to_response_items`, `to_response`; as streams `ChatStream` and
`ResponsesStream`. Plain dicts throughout; `.typed()` gives the `openai` package's objects.
"""

from harmony.convert.accumulate import accumulate_chat, accumulate_response
from harmony.convert.answer_stream import AnswerStream
from harmony.convert.appending import append_completion, append_message, append_tool_result
from harmony.convert.chat_answer import to_chat_completion, to_chat_message
from harmony.convert.chat_stream import ChatStream
from harmony.convert.converted import Converted, ConvertedItems, typed
from harmony.convert.from_chat import from_chat_request
from harmony.convert.from_harmony import from_harmony
from harmony.convert.from_responses import from_responses_request
from harmony.convert.plain import Dropped
from harmony.convert.prompt import Prompt
from harmony.convert.response_answer import to_response, to_response_items
from harmony.convert.responses_stream import ResponsesStream
from harmony.convert.to_chat_request import to_chat_request
from harmony.convert.to_responses_request import to_responses_request

__all__ = [
    "AnswerStream",
    "ChatStream",
    "Converted",
    "ConvertedItems",
    "Dropped",
    "Prompt",
    "ResponsesStream",
    "accumulate_chat",
    "accumulate_response",
    "append_completion",
    "append_message",
    "append_tool_result",
    "from_chat_request",
    "from_harmony",
    "from_responses_request",
    "to_chat_completion",
    "to_chat_message",
    "to_chat_request",
    "to_response",
    "to_response_items",
    "to_responses_request",
    "typed",
]
