"""The rules, read from the spec, and which of them are asked for.

Spec: [[rules]], [[rule_families]]; [[leniencies]] and [[text_leniencies]], each of which is a
rule by its `check`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.errors import GrammarError, InvalidMessage, UnknownName
from harmony.validation import type_name

if TYPE_CHECKING:
    from harmony.spec import Spec

Selectors: TypeAlias = "str | Iterable[str] | None"
# Codes (`HAR305`), beginnings of codes (`HAR3`), names of rules or families.

ALL = "ALL"
SEVERITIES = ("info", "warning", "error")
FIXES = ("always", "sometimes", "never")
_NEEDED = ("code", "name", "severity", "section", "fix", "text", "sentence", "good", "bad")


@attrs.frozen
class Example:
    """An input of a rule, and what it is checked with."""

    text: str | None = None
    """Tokens, with the special tokens spelled out."""
    tokens: list[int] | None = None
    """Token ids."""
    messages: list[dict[str, Any]] | None = None
    """A conversation: messages in their dict form."""
    role: str | None = None
    """The role that the prompt ended with."""
    tools: Any = None
    """The declared tools."""
    response_format: Any = None
    """The declared response format."""
    context: int | None = None
    """The context length."""
    limits: dict[str, int] | None = None
    """Limits of the spec that are others for this example."""
    stripped: bool = False
    """Whether the text lost its special tokens, so that `recover_text` has to read it."""

    @classmethod
    def read(cls, row: str | dict[str, Any]) -> Example:
        """The example that a row of the spec holds."""
        if isinstance(row, str):
            return cls(text=row)
        values = dict(row)
        for key in ("messages", "tools", "response_format"):
            if isinstance(values.get(key), str):
                values[key] = json.loads(values[key])
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """The fields that are set."""
        return {key: value for key, value in attrs.asdict(self).items() if value}


@attrs.frozen
class Rule:
    """What a conversation has to keep to. Spec: [[rules]]."""

    code: str
    """``"HAR305"``."""
    name: str
    """``"arguments-json"``."""
    severity: str
    """``"info"``, ``"warning"`` or ``"error"``."""
    section: str
    """The section of the spec that it enforces."""
    fix: str
    """Whether a finding says how it is fixed: ``"always"``, ``"sometimes"``, ``"never"``."""
    text: str
    """The rule, in one sentence."""
    sentence: str
    """What a finding says; ``{…}`` is filled in."""
    good: Example
    """An input without findings."""
    bad: Example
    """An input with this finding, and no other."""
    prose: str = ""
    """Why, and what to do."""
    implies: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    """Codes of rules that would say the same of the same message."""
    extra: str | None = None
    """The extra of the package that it needs, to validate against JSON Schemas."""
    leniency: bool = False
    """Whether a parser finds it: its `name` is the code of a leniency."""

    @property
    def can_fix(self) -> bool:
        """Whether a finding may say how it is fixed."""
        return self.fix != "never"


def load_rules(spec: Spec) -> dict[str, Rule]:
    """The rules by code, in the order of the codes.

    Raises:
        GrammarError: a row of the spec lacks something, or holds what it may not.
    """
    rules = [_rule(row) for row in spec.rows("rules")]
    rules += [_leniency(row, stripped=False) for row in spec.rows("leniencies")]
    rules += [_leniency(row, stripped=True) for row in spec.rows("text_leniencies")]
    return {rule.code: rule for rule in sorted(rules, key=lambda rule: rule.code)}


def _rule(row: dict[str, Any]) -> Rule:
    if missing := [key for key in _NEEDED if key not in row]:
        raise GrammarError(f"the rule {row.get('code')!r} of the spec lacks: {', '.join(missing)}")
    try:
        examples = {key: Example.read(row[key]) for key in ("good", "bad")}
        rule = Rule(**{**row, **examples})
    except (TypeError, ValueError) as error:
        raise GrammarError(f"the rule {row['code']!r} of the spec does not fit: {error}") from None
    if rule.severity not in SEVERITIES or rule.fix not in FIXES:
        raise GrammarError(
            f"the rule {rule.code!r} of the spec has the severity {rule.severity!r} and the fix "
            f"{rule.fix!r}; expected one of {', '.join(SEVERITIES)} and of {', '.join(FIXES)}"
        )
    return rule


def _leniency(row: dict[str, Any], *, stripped: bool) -> Rule:
    try:
        return Rule(
            code=row["check"],
            name=row["code"],
            severity=row["severity"],
            section="text_leniencies" if stripped else "leniencies",
            fix=row.get("fix", "always"),
            text=row["text"],
            sentence=row["sentence"],
            good=(
                Example(text=row["good"])
                if "good" in row
                else Example(messages=json.loads(row["reading"]), tools=row.get("tools"))
            ),
            bad=Example(
                text=row.get("bad"),
                tokens=row.get("tokens"),
                role=row.get("role"),
                tools=row.get("tools"),
                stripped=stripped,
            ),
            implies=row.get("implies", ()),
            leniency=True,
        )
    except (KeyError, ValueError) as error:
        raise GrammarError(f"the leniency {row.get('code')!r} does not fit: {error}") from None


def selected_rules(
    spec: Spec, rules: dict[str, Rule], select: Selectors = None, ignore: Selectors = None
) -> frozenset[str]:
    """The codes of the rules that ``select`` and ``ignore`` leave; all if both are None.

    A selector is a code, the beginning of codes, ``"ALL"``, or the name of a rule or family;
    a string may hold several, with commas between. Of two that contradict each other the
    narrower one holds, and `ignore` where they are equal.

    Raises:
        UnknownName: a selector names no rule.
        InvalidMessage: it is no string.
    """
    families = {row["name"]: row["prefix"] for row in spec.rows("rule_families")}
    names = {rule.name: rule.code for rule in rules.values()}
    chosen = _prefixes([ALL] if select is None else select, rules, families | names)
    left_out = _prefixes([] if ignore is None else ignore, rules, families | names)
    return frozenset(
        code for code in rules if _narrowest(code, chosen) > _narrowest(code, left_out)
    )


def _prefixes(
    selectors: str | Iterable[str], rules: dict[str, Rule], names: dict[str, str]
) -> list[str]:
    if isinstance(selectors, str):
        selectors = selectors.split(",")
    if not isinstance(selectors, Iterable):
        raise InvalidMessage(f"expected codes of rules, got {type_name(selectors)}")
    out = []
    for selector in selectors:
        if not isinstance(selector, str):
            raise InvalidMessage(f"expected codes of rules, got {type_name(selector)} among them")
        word = selector.strip()
        prefix = "" if word.upper() == ALL else names.get(word, word.upper())
        if not word or not any(code.startswith(prefix) for code in rules):
            raise UnknownName(
                f"no rule is called {selector!r}; `harmony rule` lists them: a code such as "
                f"{next(iter(rules))}, the beginning of one, a rule's name, a family's, or {ALL}"
            )
        out.append(prefix)
    return out


def _narrowest(code: str, prefixes: list[str]) -> int:
    """How long the longest of the prefixes is that ``code`` begins with; -1 if none."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)
