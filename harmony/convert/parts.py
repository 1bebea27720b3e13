"""The content of a message in a request: a string, or parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harmony.convert.plain import Dropped, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

# Types of parts, in both APIs, and the field that holds their text.
TEXTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "reasoning_text": "text",
    "summary_text": "text",
    "refusal": "refusal",
}
MEDIA = {
    "image": "an image",
    "image_url": "an image",
    "input_image": "an image",
    "computer_screenshot": "an image",
    "image_file": "an image",
    "input_audio": "audio",
    "output_audio": "audio",
    "audio": "audio",
    "video_url": "a video",
    "file": "a file",
    "input_file": "a file",
}
# What a part may hold that changes nothing about its text.
PLAIN_FIELDS = {"type", "text", "refusal", "prompt_cache_breakpoint", "cache_control"}


def content_text(content: Node, dropped: list[Dropped]) -> str | None:
    """The text of a content; None for a missing one. Parts follow one another at once.

    Raises:
        InvalidRequest: it is no text: an image, say, which the format cannot hold.
    """
    if not content:
        return None
    if isinstance(content.value, str):
        return content.value
    if not isinstance(content.value, list):
        raise content.expected("a string or a list of parts")
    return "".join(part_text(part, dropped) for part in content.items())


def part_text(part: Node, dropped: list[Dropped]) -> str:
    """The text of a part. Raises as `content_text` does."""
    if isinstance(part.value, str):
        return part.value
    kind = part["type"].text()
    if kind in MEDIA:
        raise part.error(f"{MEDIA[kind]} ({kind!r}); Harmony holds text only. Leave the part out")
    if kind not in TEXTS:
        raise part["type"].expected(f"the type of a part of text ({', '.join(map(repr, TEXTS))})")
    if kind == "refusal":
        dropped.append(Dropped(part.path, "a refusal is plain text to the model"))
    dropped += [Dropped(f"{part.path}.{f}", "Harmony holds the text only") for f in _extras(part)]
    return part[TEXTS[kind]].text()


def _extras(part: Node) -> Iterator[str]:
    return (name for name, value in part.fields().items() if name not in PLAIN_FIELDS and value)


def result_text(content: Node, dropped: list[Dropped]) -> str:
    """What a tool answered: text as it is, parts of text, and any other value as JSON.

    Raises as `content_text` does.
    """
    value = content.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        for part in content.items():
            if _kind(part.value) in MEDIA:
                # Not to be told as the JSON of its bytes, whatever stands beside it.
                part_text(part, dropped)
        if all(_kind(item) in TEXTS for item in value):
            return content_text(content, dropped) or ""
    return as_json(content)


def _kind(item: Any) -> str:
    """The type of a part; empty for what is none."""
    kind = item.get("type") if isinstance(item, dict) else None
    return kind if isinstance(kind, str) else ""


def as_json(node: Node) -> str:
    """A value as JSON text, as Python writes it. Raises `InvalidRequest`."""
    try:
        return json.dumps(node.value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise node.error(f"not to be written as JSON: {error}") from None
