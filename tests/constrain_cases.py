"""What the tests of constrained decoding share: ten requests, and a judge of completions."""

from __future__ import annotations

import json
import re

import attrs
from jsonschema import Draft202012Validator

from harmony import Role, ToolDescription

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1, "maxLength": 40},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
    },
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTIONS = [
    ToolDescription.new("get_location", "Where the user is."),
    ToolDescription.new("get_weather", "The weather.", WEATHER),
]
ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
        "amount": {"type": "number", "minimum": -2.5, "exclusiveMaximum": 100},
        "count": {"type": "integer", "multipleOf": 5, "minimum": -20, "maximum": 1000},
        "when": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"enum": ["a", "b\n", '"', 7, None]}, "maxItems": 3},
        "note": {"type": ["string", "null"], "maxLength": 12},
        "either": {"anyOf": [{"type": "boolean"}, {"const": {"x": [1, 2]}}]},
        "pair": {
            "type": "array",
            "prefixItems": [{"type": "string", "format": "uuid"}, {"type": "boolean"}],
            "items": False,
            "minItems": 2,
        },
    },
    "required": ["id", "amount", "pair"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 8},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2},
            },
            "required": ["name", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}


def deep(levels: int) -> dict:
    """Objects in objects."""
    if not levels:
        return {"type": "integer"}
    return {
        "type": "object",
        "properties": {f"level_{levels}": deep(levels - 1), "end": {"type": "boolean"}},
        "required": [f"level_{levels}"],
        "additionalProperties": False,
    }


def many(count: int) -> list[dict]:
    """Tools of ten properties each, as Chat Completions has them."""
    kinds = [
        {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "number"},
        {"type": "boolean"}, {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        {"type": "string", "enum": ["a", "b"]}, {"type": "string", "maxLength": 20},
        {"type": ["string", "null"]}, {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"type": "object", "properties": {"x": {"type": "number"}}, "additionalProperties": False},
    ]  # fmt: skip
    properties = {f"p{index}": kind for index, kind in enumerate(kinds)}
    schema = {"type": "object", "properties": properties, "required": ["p0", "p5"],
              "additionalProperties": False}  # fmt: skip
    return [
        {"type": "function", "function": {"name": f"tool_{index}", "parameters": schema}}
        for index in range(count)
    ]


CONFIGURATIONS: dict[str, dict] = {
    "free": {},
    "schema-final": {"response_format": {"type": "json_schema", "schema": ORDER}},
    "loose-final": {"response_format": {"type": "json_object"}, "tools": FUNCTIONS},
    "required": {"tools": FUNCTIONS, "tool_choice": "required"},
    "forced": {
        "tools": [ToolDescription.new("order", "Buys.", ORDER)],
        "tool_choice": "order",
        "content_type": "constrain",
    },
    "no-reasoning": {
        "tools": FUNCTIONS,
        "reasoning": "off",
        "preambles": False,
        "recipient_in": ("channel",),
        "whitespace": 0,
    },
    "built-in": {
        "builtin_tools": ["python", "browser"],
        "reasoning": "required",
        "tool_choice": "required",
    },
    "deep": {"response_format": deep(12), "start": "start"},
    "recursive": {
        "response_format": TREE,
        "tool_choice": "none",
        "tools": FUNCTIONS,
        "start": "none",
    },
    "many-tools": {"tools": many(64), "tool_choice": "required", "content_type": "json"},
}
"""The keyword arguments of `completion_grammar`, for each of ten requests."""

PROMPTS = {"assistant": "", "start": "<|start|>", "none": ""}


@attrs.frozen
class Judge:
    """Says what is wrong with a completion that a configuration should allow."""

    enc: object
    grammar: object
    options: dict

    def schema_of(self, recipient: str) -> object:
        return self.grammar.schemas.documents[recipient].root.schema

    def faults(self, tokens: list[int]) -> list[str]:
        """All that is wrong; nothing, if the completion is as it should be."""
        start = self.options.get("start", "assistant")
        prompt = self.enc.encode(PROMPTS[start], allowed_special="all")
        role = Role.ASSISTANT if start == "assistant" else None
        transcript = self.enc.parse([*prompt, *tokens], role)
        messages = transcript.messages
        found = [f"diagnostic {d.code}" for d in transcript.diagnostics]
        found += self.checked(tokens, role)
        last = tokens[-1]
        channels = set(self.enc.spec.channel_names)
        for index, message in enumerate(messages):
            is_last = index == len(messages) - 1
            text = message.content[0].text
            found += [] if message.channel in channels else [f"channel {message.channel}"]
            found += [] if message.author.role is Role.ASSISTANT else ["role"]
            found += [] if text.strip() else ["empty content"]
            if not is_last and (message.recipient or message.channel == "final"):
                found.append("something follows an action")
            if message.recipient is None and message.content_type is not None:
                found.append("a content type without a recipient")
        found += self._last(messages[-1], last)
        if self.options.get("reasoning") == "required" and messages[0].channel != "analysis":
            found.append("no reasoning")
        if self.options.get("reasoning") == "off":
            found += ["reasoning"] * any(
                m.channel == "analysis" and not m.recipient for m in messages
            )
        if self.options.get("preambles") is False:
            found += ["preamble"] * any(
                m.channel == "commentary" and not m.recipient for m in messages
            )
        return found

    def checked(self, tokens: list[int], role: Role | None) -> list[str]:
        """What `enc.check` finds, told of the request."""
        start = self.options.get("start", "assistant")
        opened = self.enc.encode(PROMPTS[start], allowed_special="all")
        tools = [t for t in self.options.get("tools", ()) if not isinstance(t, dict)]
        tools += [
            ToolDescription.new(t["function"]["name"], "d", t["function"]["parameters"])
            for t in self.options.get("tools", ())
            if isinstance(t, dict)
        ]
        documents = self.grammar.schemas.documents
        answer = (
            documents["response_format"].root.schema if "response_format" in documents else None
        )
        findings = self.enc.check(
            [*opened, *tokens], tools=tools or None, response_format=answer, role=role
        )
        return [f"{finding.code}: {finding.message}" for finding in findings]

    def _last(self, message, last: int) -> list[str]:
        text = message.content[0].text
        choice = self.options.get("tool_choice", "auto")
        if message.recipient is None:
            found = [] if message.channel == "final" and last == 200002 else ["no final answer"]
            found += ["an answer"] if choice not in ("auto", "none") else []
            if "response_format" in self.grammar.schemas.documents:
                found += self._invalid("response_format", text)
            return found
        found = [] if last == 200012 else ["a call without <|call|>"]
        found += ["a call"] if choice == "none" else []
        namespace = message.recipient.partition(".")[0]
        channel = "commentary" if namespace == "functions" else "analysis"
        found += [] if message.channel == channel else [f"a call on {message.channel}"]
        if message.recipient != "python":
            known = message.recipient in self.grammar.schemas.documents
            found += self._invalid(message.recipient, text) if known else ["an unknown recipient"]
        return found

    def _invalid(self, key: str, text: str) -> list[str]:
        try:
            value = json.loads(text)
        except ValueError as error:
            return [f"not JSON: {error}: {text!r}"]
        checker = Draft202012Validator.FORMAT_CHECKER
        validator = Draft202012Validator(self.schema_of(key), format_checker=checker)
        found = [error.message for error in validator.iter_errors(value)]
        whitespace = self.options.get("whitespace", 24)
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "s", text)
        if re.search(rf"\s{{{whitespace + 1}}}", outside):
            found.append("too much white space")
        return found


def chat(schema: dict) -> dict:
    """A tool object of Chat Completions with these parameters."""
    return {"type": "function", "function": {"name": "f", "parameters": schema}}
