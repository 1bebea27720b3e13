"""The text that openai-harmony itself writes for structured content."""

from __future__ import annotations

import openai_harmony as peer

from tests.peer import peer_encoding


def peer_text(role: str, content: dict, *, function_tools: bool = False) -> str:
    """The content of a message of ``role`` as the peer renders it."""
    message = peer.Message.from_dict({"role": role, "content": [content]})
    options = peer.RenderOptions(conversation_has_function_tools=function_tools)
    encoding = peer_encoding()
    text = encoding.decode(encoding.render(message, options))
    return text.removeprefix(f"<|start|>{role}<|message|>").removesuffix("<|end|>")


def peer_type(schema: dict) -> str:
    """The type that the peer writes for ``schema``."""
    tool = {"name": "f", "description": "", "parameters": schema}
    namespace = {"name": "functions", "tools": [tool]}
    text = peer_text("developer", {"type": "developer_content", "tools": {"functions": namespace}})
    _, _, rest = text.partition("type f = (_: ")
    return rest.rpartition(") => any;")[0]
