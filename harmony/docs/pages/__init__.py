"""The pages of the reference, in their order."""

from __future__ import annotations

from harmony.docs.book import Page
from harmony.docs.pages import (
    checks,
    faults,
    format_facts,
    grammar_rules,
    headers,
    history,
    recovery,
    sections,
    stream,
    tokens,
    variants,
)

FORMAT = "The format"
CONTENTS = "System and developer messages"
READING = "Reading"
FAULTS = "When something is wrong"

PAGES = (
    Page("format", "The format", FORMAT, "Messages, roles, channels, examples.", format_facts.page),
    Page("tokens", "Special tokens", FORMAT, "Their ids, the stop sets.", tokens.page),
    Page("headers", "Headers", FORMAT, "Every form, and how it is read.", headers.page),
    Page(
        "history",
        "History",
        FORMAT,
        "Which reasoning a prompt leaves out; normal form.",
        history.page,
    ),
    Page("dialects", "Dialects", FORMAT, "Side by side.", variants.dialects),
    Page(
        "system-messages",
        "System messages",
        CONTENTS,
        "The template, rendered.",
        sections.system,
    ),
    Page(
        "developer-messages",
        "Developer messages",
        CONTENTS,
        "The template, rendered.",
        sections.developer,
    ),
    Page("tools", "Tools", CONTENTS, "Namespaces, and types for JSON Schemas.", sections.tools),
    Page(
        "response-formats",
        "Response formats",
        CONTENTS,
        "Answers that keep to a schema.",
        sections.response_formats,
    ),
    Page(
        "grammar",
        "The grammar of messages",
        READING,
        "Each rule as EBNF and as a railroad diagram.",
        grammar_rules.messages,
    ),
    Page(
        "section-grammars",
        "The grammars of contents",
        READING,
        "Those of system and developer messages and of tools' types.",
        grammar_rules.contents,
    ),
    Page("stream", "The stream parser", READING, "Its states, drawn from itself.", stream.page),
    Page("recovery", "Recovery", FAULTS, "What a lenient parser makes good.", recovery.page),
    Page("rules", "Check rules", FAULTS, "What a conversation keeps to.", checks.page),
    Page("errors", "Errors", FAULTS, "What they say, and what to do.", faults.page),
    Page(
        "differences",
        "Differences from openai-harmony",
        FAULTS,
        "Each deliberate one.",
        variants.differences,
    ),
)
"""All pages of the reference; the contents list has the groups in this order."""
