"""Sentences of a grammar, drawn by walking its productions."""

from __future__ import annotations

from hypothesis import strategies as st

from harmony.syntax import Choice, Node, Repeat, Rule, Sequence, Syntax, Terminal
from tests.strategies import LITERAL_TOKENS, SPEC, TERMINATORS, TEXT, WHITE_SPACE, WORD

_SPECIAL = {t.terminal: t.text for t in SPEC.special_tokens.values() if t.terminal}
_SPACES = st.text(st.sampled_from(WHITE_SPACE), min_size=1, max_size=2) | st.just(" ")
_NAMED = [row["name"] for row in SPEC.rows("roles") if not row.get("spelled_by_name")]

Part = tuple[str, object]


def _text(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[Part]:
    return strategy.map(lambda text: ("text", text))


def _special(texts: list[str]) -> st.SearchStrategy[Part]:
    return st.sampled_from(texts).map(lambda text: ("special", text))


#: What each terminal of grammar/message.lark may spell. Words have nothing in them that the
#: terminals beside them could take.
TERMINALS: dict[str, st.SearchStrategy[Part]] = {
    **{name: _special([text]) for name, text in _SPECIAL.items()},
    "TERMINATOR": _special(TERMINATORS),
    "LITERAL_MARKER": _special(LITERAL_TOKENS) | st.just(("ids", [187])),
    "ROLE": _text(st.sampled_from(_NAMED)),
    "TOOL_NAME": _text(WORD),
    "WORD": _text(WORD | st.sampled_from(["assistant", "json", "user:a", "a<|end|>b"])),
    "BARE_RECIPIENT": _text(WORD),
    "KNOWN_CONTENT_TYPE": _text(st.sampled_from(SPEC.content_types)),
    "TEXT": _text(TEXT.filter(bool)),
    "_SPACE": _text(_SPACES),
    "_PADDING": _text(_SPACES),
    "_TO": _text(_SPACES.map(lambda spaces: spaces + "to=")),
    "_NAME_MARK": _text(st.just(":")),
}


@st.composite
def sentences(draw: st.DrawFn, syntax: Syntax, rule: str) -> list[Part]:
    """A sentence of ``rule``, as the parts of which `tokens_of` makes ids."""
    parts: list[Part] = []

    def walk(node: Node) -> None:
        match node:
            case Terminal(name):
                parts.append(draw(TERMINALS[name]))
            case Rule(name):
                walk(syntax.rule(name))
            case Sequence(children):
                for child in children:
                    walk(child)
            case Choice(alternatives, _):
                walk(draw(st.sampled_from(alternatives)))
            case Repeat(child, least, most):
                for _ in range(draw(st.integers(least, least + 2 if most is None else most))):
                    walk(child)

    walk(syntax.rule(rule))
    return parts


# ---- a grammar as text again ---------------------------------------------------------------


def written(node: Node) -> str:
    """The production ``node`` in Lark's language."""
    match node:
        case Terminal(name) | Rule(name):
            return name
        case Sequence(parts):
            return " ".join(written(part) for part in parts)
        case Choice(alternatives, aliases):
            choices = [
                written(a) + (f" -> {alias}" if alias else "")
                for a, alias in zip(alternatives, aliases, strict=True)
            ]
            return " | ".join(choices) if any(aliases) else f"({' | '.join(choices)})"
        case Repeat(part, least, most):
            mark = {(0, 1): "?", (0, None): "*", (1, None): "+"}[least, most]
            return f"({written(part)}){mark}"


def grammar_text(rules: dict[str, Node], original: str) -> str:
    """A grammar of these rules, with the imports and terminals of ``original``."""
    kept = [
        line
        for line in original.splitlines()
        if line.startswith("%import") or line.split(":")[0].lstrip("_").isupper()
    ]
    return "\n".join([*kept, *(f"{name}: {written(node)}" for name, node in rules.items())]) + "\n"


def variants(node: Node):
    """``node`` with one alternative, or one optional part, taken out; and what it was."""
    match node:
        case Choice(alternatives, aliases):
            for i, alternative in enumerate(alternatives):
                left = alternatives[:i] + alternatives[i + 1 :]
                yield Choice(left, aliases[:i] + aliases[i + 1 :]), written(alternative)
                for changed, what in variants(alternative):
                    yield (
                        Choice((*alternatives[:i], changed, *alternatives[i + 1 :]), aliases),
                        what,
                    )
        case Sequence(parts):
            for i, part in enumerate(parts):
                if isinstance(part, Repeat) and part.least == 0:
                    yield Sequence(parts[:i] + parts[i + 1 :]), written(part)
                for changed, what in variants(part):
                    yield Sequence((*parts[:i], changed, *parts[i + 1 :])), what
        case Repeat(part, least, most):
            for changed, what in variants(part):
                yield Repeat(changed, least, most), what
        case _:
            return
