"""Every rule of the spec: its bad example raises exactly that rule, its good example none."""

from __future__ import annotations

from typing import Any

import pytest

import harmony
from harmony import (
    Conversation,
    HarmonyEncoding,
    RenderConversationConfig,
    Role,
    apply_fixes,
    recover_text,
)
from harmony.check import Example, Rule, load_rules
from harmony.spec import load_spec

SPEC = load_spec()
RULES = load_rules(SPEC)
each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)


def encoding_for(example: Example) -> HarmonyEncoding:
    overlay = None if example.limits is None else {"limits": example.limits}
    return harmony.load_harmony_encoding("HarmonyGptOss", spec=overlay)


def conversation_of(example: Example, enc: HarmonyEncoding) -> Any:
    if example.messages is not None:
        return Conversation.from_dict({"messages": example.messages})
    if example.tokens is not None:
        return example.tokens
    assert example.text is not None
    if example.stripped:
        return recover_text(example.text, role=example.role, encoding=enc)
    return enc.encode(example.text, allowed_special="all")


def options(example: Example) -> dict[str, Any]:
    return {
        "tools": example.tools,
        "response_format": example.response_format,
        "context": example.context,
        "role": None if example.role is None else Role(example.role),
    }


@each_rule
def test_the_bad_example_raises_that_rule(rule: Rule):
    enc = encoding_for(rule.bad)
    found = enc.check(conversation_of(rule.bad, enc), **options(rule.bad))
    assert {diagnostic.code for diagnostic in found} == {rule.code}, found
    for diagnostic in found:
        assert (diagnostic.name, diagnostic.severity) == (rule.name, rule.severity)
        assert diagnostic.message
        assert "{" not in diagnostic.message.replace("{}", "")
    if rule.can_fix:
        assert all(diagnostic.fix for diagnostic in found)
    else:
        assert not any(diagnostic.fix for diagnostic in found)


@each_rule
def test_the_good_example_raises_none(rule: Rule):
    enc = encoding_for(rule.good)
    assert enc.check(conversation_of(rule.good, enc), **options(rule.good)) == []


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.can_fix], ids=lambda rule: rule.code
)
def test_the_fixed_bad_example_is_clean(rule: Rule):
    """Issue: "fixed conversations check clean"."""
    enc = encoding_for(rule.bad)
    bad = conversation_of(rule.bad, enc)
    found = enc.check(bad, **options(rule.bad))
    if isinstance(bad, list):
        bad = enc.parse(bad, first_role(rule.bad, enc), strict=False, tools=rule.bad.tools)
    fixed = apply_fixes(bad, found)
    tools = rule.bad.tools
    assert enc.check(fixed, tools=tools) == []
    keep = RenderConversationConfig(auto_drop_analysis=False)
    assert enc.check(enc.render_conversation(fixed, keep), tools=tools) == []


def first_role(example: Example, enc: HarmonyEncoding) -> Role | None:
    if example.role is not None:
        return Role(example.role)
    text = example.text or ""
    return None if not text or text.startswith("<|start|>") else Role.ASSISTANT
