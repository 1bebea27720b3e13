"""Write docs/format.md, docs/recovery.md and docs/rules.md: ``python -m tools.write_docs``.

They are made from spec/ and grammar/ and never edited by hand; a test compares them with what
this writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony import resources
from harmony.check.rules import load_rules
from harmony.spec import load_spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.check.rules import Example, Rule
    from harmony.spec import Spec

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTE = "<!-- Written by `python -m tools.write_docs` from spec/ and grammar/. Do not edit. -->"


def table(headings: list[str], rows: Iterable[list[object]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.replace("|", "\\|").replace("\n", "<br>")


def _code(text: object) -> str:
    shown = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    return f"`{shown}`" if shown else ""


def format_page(spec: Spec) -> str:
    """docs/format.md: the format, as the spec and the grammar have it."""
    data = spec.data
    sections = [
        f"# {data['format']['name']}\n\n{NOTE}\n\n{data['format']['summary']}",
        f"```\n{data['format']['message']}\n```\n\n{data['format']['prose'].strip()}",
        "## Special tokens\n\n"
        + table(
            ["token", "id", "purpose"],
            ([_code(t.text), t.id, t.purpose] for t in spec.special_tokens.values()),
        )
        + f"\n\n{data['vocabulary']['prose'].strip()} "
        f"The ids from {data['vocabulary']['first_special']} to "
        f"{data['vocabulary']['last_special']} that the table does not name are reserved.",
        "## Terminators\n\n"
        + table(
            ["stop set", "tokens"],
            (
                [_code(name), [_code(t.text) for t in spec.stop_set(name)]]
                for name in ("any", "assistant_actions")
            ),
        )
        + f"\n\n{data['stop']['prose'].strip()}",
        "## Roles\n\n"
        + table(
            ["authority", "role", "purpose"],
            ([r["authority"], _code(r["name"]), r["purpose"]] for r in data["roles"]),
        )
        + f"\n\n{data['authority']['prose']}",
        "## Channels\n\n"
        + table(
            ["channel", "shown to users", "purpose"],
            (
                [_code(r["name"]), "yes" if r["visible"] else "no", r["purpose"]]
                for r in data["channels"]
            ),
        ),
        f"## Headers\n\n{data['header']['prose'].strip()}\n\n"
        + table(["field", "purpose"], ([_code(r["name"]), r["purpose"]] for r in data["fields"]))
        + "\n\nThese content types are known without a recipient before them:\n\n"
        + table(
            ["content type", "purpose"],
            ([_code(r["name"]), r["purpose"]] for r in data["content_types"]),
        ),
        "## Encodings\n\n"
        + table(["name", "purpose"], ([_code(r["name"]), r["purpose"]] for r in data["encodings"])),
        f"## Contents\n\n{data['content']['prose'].strip()}",
        "## Dialects\n\n"
        + "\n\n".join(
            f"### `{d.name}`{' (the default)' if d.default else ''}\n\n{d.purpose} "
            f"Compared with {d.peer}.\n\n```\n{d.example}\n```"
            for d in spec.dialects.values()
        ),
        f"## System messages\n\n{data['system_message']['prose'].strip()}\n\n"
        + _templates(data["system_message"]),
        f"## Developer messages\n\n{data['developer_message']['prose'].strip()}\n\n"
        + _templates(data["developer_message"]),
        f"## Tools\n\n{data['tools_section']['prose'].strip()}\n\n"
        + _templates(data["tools_section"])
        + "\n\n"
        + table(
            ["namespace", "called on", "purpose"],
            ([_code(r["name"]), r["channel"], r["purpose"]] for r in data["namespaces"]),
        ),
        f"## Dropping analysis\n\n{data['analysis_dropping']['prose'].strip()}\n\n"
        + table(
            ["policy", "what it does", "example"],
            ([_code(r["name"]), r["purpose"], r["example"]] for r in data["analysis_policies"]),
        ),
        f"## Normal form\n\n{data['normal_form']['prose'].strip()}",
        f"## The two APIs\n\n{data['conversion']['prose'].strip()}\n\n"
        + table(
            ["in a request", "here"],
            (
                [_code(theirs), _code(ours)]
                for key in ("efforts", "built_in_tools")
                for theirs, ours in data["conversion"][key].items()
            ),
        ),
        f"## Limits\n\n{data['limits']['prose'].strip()}\n\n"
        + table(
            ["limit", "tokens"],
            ([k.replace("_", " "), f"{v:,}"] for k, v in data["limits"].items() if k != "prose"),
        ),
        "## Errors\n\nWhat a strict parser says, and what to do about it.\n\n"
        + table(
            ["error", "sentence", "remedy"],
            ([_code(r["name"]), r["sentence"], r["remedy"]] for r in data["parse_errors"]),
        ),
        "## Differences from openai-harmony\n\nWhere the reference is plainly wrong.\n\n"
        + table(
            ["input", "openai-harmony 0.0.8", "ours", "why"],
            (
                [
                    _code(r.get("input") or r.get("tokens")),
                    r["theirs"],
                    _code(r["ours"]),
                    r["reason"],
                ]
                for r in data["differences"]
            ),
        ),
        f"## Check rules\n\n{data['check']['prose'].strip()} [All rules](rules.md).",
        f"## Grammar\n\n```lark\n{resources.read_text('grammar', 'message.lark').strip()}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _templates(facts: dict[str, Any]) -> str:
    lines = [(k, v) for k, v in facts.items() if isinstance(v, str) and k != "prose"]
    return table(["part", "text"], ([k.replace("_", " "), _code(repr(v)[1:-1])] for k, v in lines))


CODES = (
    "A transcript's `diagnostics` name what was made good by these codes. Each has an example "
    "of what it is about and the reading that it gets, and the rule by which a check reports it."
)


TEXT_RECOVERY = (
    "`recover_text(text, role)` reads text from which special tokens were stripped, or in which "
    "they are spelled out, by the same rules. It has two leniencies of its own."
)


def recovery_page(spec: Spec) -> str:
    """docs/recovery.md: what a lenient parser makes good."""
    data = spec.data
    rows = data["leniencies"]
    sections = [
        f"# Recovery\n\n{NOTE}\n\n{data['recovery']['prose'].strip()}",
        CODES,
    ]
    for rule in sorted({row["rule"] for row in rows}):
        entries = [_leniency(row) for row in rows if row["rule"] == rule]
        sections += [f"## Rule {rule}", *entries]
    sections += ["## Text without special tokens\n\n" + TEXT_RECOVERY]
    sections += [_leniency(row) for row in data["text_leniencies"]]
    sections.append(
        "## Structured content\n\nWhy a system or developer message stays text when "
        "structured content is asked for.\n\n"
        + table(
            ["code", "what it says", "example"],
            (
                [_code(r["code"]), r["text"], _code(repr(r["bad"])[1:-1])]
                for r in data["departures"]
            ),
        )
    )
    return "\n\n".join(sections) + "\n"


def rules_page(spec: Spec) -> str:
    """docs/rules.md: the rules, as `harmony rule` prints them too."""
    rules = load_rules(spec).values()
    fixes = {"always": "yes", "sometimes": "sometimes", "never": ""}
    sections = [f"# Rules\n\n{NOTE}\n\n{spec.data['check']['prose'].strip()}"]
    for family in spec.rows("rule_families"):
        members = [rule for rule in rules if rule.code.startswith(family["prefix"])]
        sections.append(
            f"## {family['prefix']}: {family['name']}\n\n{family['purpose']}\n\n"
            + table(
                ["rule", "name", "severity", "fix", "what it says"],
                ([r.code, _code(r.name), r.severity, fixes[r.fix], r.text] for r in members),
            )
        )
        if all(rule.leniency for rule in members):
            sections.append("What each is about and how it is read: [recovery.md](recovery.md).")
            continue
        sections += [_rule(rule) for rule in members]
    return "\n\n".join(sections) + "\n"


def _rule(rule: Rule) -> str:
    lines = [
        f"### {rule.code} `{rule.name}`",
        f"{rule.text} {rule.prose.strip()}",
        f"Enforces: `[{rule.section}]` of the spec."
        + (f" Needs the extra `{rule.extra}`." if rule.extra else ""),
    ]
    lines += [
        f"{label}:\n\n{_example(each)}" for label, each in (("Bad", rule.bad), ("Good", rule.good))
    ]
    return "\n\n".join(lines)


def _example(example: Example) -> str:
    facts = example.to_dict()
    text = facts.pop("text", None)
    shown = [] if text is None else [f"```\n{text}\n```"]
    if facts:
        rows = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items()]
        shown.append("```\n" + "\n".join(rows) + "\n```")
    return "\n\n".join(shown)


def _leniency(row: dict[str, Any]) -> str:
    given = [f"role {_code(row['role'])}"] if row.get("role") else []
    if row.get("tools"):
        given.append("tools " + ", ".join(_code(tool) for tool in row["tools"]))
    lines = [f"### `{row['code']}` ({row['severity']}, {row['check']})", row["text"]]
    bad = row.get("bad") or row.get("tokens")
    shown = f"```\n{bad}\n```"
    if given:
        shown += f"\n\nRead with {' and '.join(given)}:"
    lines += [shown, f"```json\n{row['reading']}\n```"]
    return "\n\n".join(lines)


def pages() -> dict[str, str]:
    """The pages by file name."""
    spec = load_spec()
    return {
        "format.md": format_page(spec),
        "recovery.md": recovery_page(spec),
        "rules.md": rules_page(spec),
    }


def main() -> None:
    """Write the files."""
    DOCS.mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
