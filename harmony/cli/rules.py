"""What the rules say: ``rule``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from harmony.cli.documents import as_json
from harmony.cli.options import example
from harmony.cli.options import spec as spec_in_use
from harmony.cli.terminal import write_line

if TYPE_CHECKING:
    from harmony.check.rules import Example, Rule
    from harmony.spec import Spec


@click.command("rule", epilog=example("harmony rule HAR305", "harmony rule calls"))
@click.argument("rules", nargs=-1, metavar="RULE…")
@click.option("--json", "in_json", is_flag=True, help="Write the rules as JSON.")
def rule(*, rules: tuple[str, ...], in_json: bool) -> None:
    """Explain rules: what each says, why, and an example.

    A RULE is a code (HAR305), the beginning of codes (HAR3), or the name of a rule or family.
    Without one, all are listed.
    """
    from harmony.check.rules import load_rules, selected_rules

    spec = spec_in_use()
    known = load_rules(spec)
    chosen = selected_rules(spec, known, rules or None)
    wanted = [rule for code, rule in known.items() if code in chosen]
    if in_json:
        write_line(as_json([_as_dict(rule, spec) for rule in wanted]))
    elif rules:
        write_line("\n\n".join(_explained(rule, spec) for rule in wanted))
    else:
        for row in spec.rows("rule_families"):
            write_line(f"{row['name']}: {row['purpose']}")
            for rule in wanted:
                if rule.code.startswith(row["prefix"]):
                    write_line(f"  {rule.code} {rule.name} ({rule.severity}): {rule.text}")


def _family(rule: Rule, spec: Spec) -> str:
    families = spec.rows("rule_families")
    return next((r["name"] for r in families if rule.code.startswith(r["prefix"])), "")


def _as_dict(rule: Rule, spec: Spec) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "family": _family(rule, spec),
        "severity": rule.severity,
        "section": rule.section,
        "fix": rule.fix,
        "extra": rule.extra,
        "text": rule.text,
        "prose": rule.prose,
        "bad": rule.bad.to_dict(),
        "good": rule.good.to_dict(),
    }


def _explained(rule: Rule, spec: Spec) -> str:
    fixes = {"always": "yes", "sometimes": "sometimes", "never": "no"}
    lines = [
        f"{rule.code} {rule.name} ({rule.severity})",
        f"family: {_family(rule, spec)}; section of the format: {rule.section}",
        f"can be fixed: {fixes[rule.fix]}",
        *([f"needs the extra: {rule.extra}"] if rule.extra else []),
        "",
        rule.text,
    ]
    if rule.prose:
        lines.append(rule.prose.strip())
    for label, each in (("bad", rule.bad), ("good", rule.good)):
        lines += ["", f"{label}:", *(f"    {line}" for line in _shown(each))]
    return "\n".join(lines)


def _shown(example: Example) -> list[str]:
    facts = example.to_dict()
    out = []
    text = facts.pop("text", None)
    if text is not None:
        out += text.splitlines()
    for key, value in facts.items():
        out.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return out
