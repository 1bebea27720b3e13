"""What stands in comments above a type, in the complete style: written and read.

In this order: the title and an empty comment, the description, examples, and the keywords
that no type can say. Every remark is one line, so that nothing in it can end the comment.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harmony.json_text import compact
from harmony.text_grammar import template_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.json_text import Json

# To TypeScript these end a line too, and so a comment.
_LINE_ENDS = {"\r": "\\r", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_BLANK = "//"


def written_json(value: Json) -> str:
    """``value`` as JSON that is also TypeScript."""
    text = compact(value)
    for end in "\u2028\u2029":
        text = text.replace(end, _LINE_ENDS[end])
    return text


def remarks(schema: Mapping[str, Json], words: Mapping[str, Any], said: set[str]) -> list[str]:
    """The comments above the type of ``schema``.

    Args:
        schema: the schema.
        words: the table [typescript].
        said: the keywords that the type itself says.
    """
    lines: list[str] = []
    title, description, examples = map(schema.get, ("title", "description", "examples"))
    if isinstance(title, str):
        lines += [*_comments(title), _BLANK]
    if isinstance(description, str):
        lines += _comments(description)
    if isinstance(examples, list) and examples:
        lines += _comments(words["examples_comment"])
        for example in examples:
            lines += _comments(words["remark_example"].format(value=written_json(example)))
    for keyword in words["remarks"]:
        if keyword in schema and keyword not in said:
            value = written_json(schema[keyword])
            lines += _comments(words["remark"].format(keyword=keyword, value=value))
    return lines


def _comments(text: str) -> list[str]:
    for end, escaped in _LINE_ENDS.items():
        text = text.replace(end, escaped)
    return [f"// {line}" for line in text.split("\n")]


def read_remarks(
    comments: list[str], words: Mapping[str, Any], default: str | None = None
) -> dict[str, Any]:
    """The keywords that the ``comments`` above a type stand for; the inverse of `remarks`.

    Args:
        comments: a line each.
        words: the table [typescript].
        default: the comment behind a member, ``""`` if there is none. None where a default
            would be the last of ``comments``.
    """
    schema: dict[str, Any] = {}
    lines = list(comments)
    if _BLANK in lines:
        place = lines.index(_BLANK)
        schema["title"] = _text(lines[:place])
        lines = lines[place + 1 :]
    last = default if default is not None else "".join(lines[-1:])
    pattern = template_pattern(words["default_comment"], {"value": "(.*)"})
    if (found := re.fullmatch(f"// {pattern}", last)) and _is_json(found[1]):
        schema["default"] = json.loads(found[1])
        lines = lines if default is not None else lines[:-1]
    lines = _without_keywords(lines, words, schema)
    lines = _without_examples(lines, words, schema)
    if lines:
        schema["description"] = _text(lines)
    return schema


def _without_keywords(
    lines: list[str], words: Mapping[str, Any], schema: dict[str, Any]
) -> list[str]:
    fields = {"keyword": r"(\w+)", "value": "(.*)"}
    pattern = re.compile("// " + template_pattern(words["remark"], fields))
    order = words["remarks"]
    last = len(order)
    while lines and (found := pattern.fullmatch(lines[-1])):
        keyword, value = found.groups()
        if keyword not in order[:last] or not _is_json(value):
            break
        last = order.index(keyword)
        schema[keyword] = json.loads(value)
        lines = lines[:-1]
    return lines


def _without_examples(
    lines: list[str], words: Mapping[str, Any], schema: dict[str, Any]
) -> list[str]:
    pattern = re.compile("// " + template_pattern(words["remark_example"], {"value": "(.*)"}))
    examples: list[Any] = []
    for index in range(len(lines) - 1, -1, -1):
        found = pattern.fullmatch(lines[index])
        if found and _is_json(found[1]):
            examples.insert(0, json.loads(found[1]))
        elif examples and lines[index] == f"// {words['examples_comment']}":
            schema["examples"] = examples
            return lines[:index]
        else:
            break
    return lines


def _is_json(text: str) -> bool:
    try:
        return written_json(json.loads(text)) == text
    except (ValueError, RecursionError):
        return False


def _text(comments: list[str]) -> str:
    return "\n".join(comment.removeprefix("// ") for comment in comments)
