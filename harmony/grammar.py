"""A grammar file bound to a spec: its syntax, and the LALR parser that is the authority.

The file is `grammar/message.lark` or a user's own. Its `%import .spec (…)` is answered with
terminals made from the spec, so that no marker, role or content type is written twice.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from harmony import resources
from harmony.errors import GrammarError
from harmony.grammar_source import GrammarSource, read_grammar
from harmony.syntax import Syntax, read_syntax
from harmony.vocabulary import MARK

if TYPE_CHECKING:
    import os

    from lark import Lark

    from harmony.spec import Spec

MESSAGE_GRAMMAR = "message.lark"
SYNTAX_CACHE = "syntax.json"
STARTS = ("completion", "continuation")


def bound_terminals(spec: Spec) -> str:
    """The terminals that a grammar imports from `.spec`, in Lark's language."""
    lines = [
        f"{token.terminal}: {_quoted(MARK.decode('latin-1') + token.text)}"
        for token in spec.special_tokens.values()
        if token.terminal
    ]
    stops = [token.text for token in spec.stop_set("any")]
    marker = MARK.decode("latin-1")
    lines.append("TERMINATOR: " + " | ".join(_quoted(marker + text) for text in stops))
    lines.append(f"LITERAL_MARKER: /\\xff(?!{_any_of(stops)})/")

    white_space = "".join(f"\\x{ord(c):02x}" for c in spec.table("header")["white_space"])
    # Atomic: `SPACES /(?=[^\xff])/` must not match one space less to please the look-ahead.
    lines.append(f"SPACES: /(?>[{white_space}]+)/")
    lines.append(f"WORD: /[^{white_space}\\xff]+/")

    named = [row["name"] for row in spec.rows("roles") if not row.get("spelled_by_name")]
    roles = f"{_any_of(named)}(?=[:{white_space}\\xff]|\\Z)"
    lines += [f"ROLE: /{roles}/", f"NO_ROLE: /(?!{roles})/"]
    types = f"{_any_of(spec.content_types)}(?=[{white_space}\\xff]|\\Z)"
    lines += [f"KNOWN_CONTENT_TYPE: /{types}/", f"NO_KNOWN_CONTENT_TYPE: /(?!{types})/"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\x{ord(c):02x}" if c == "\xff" else c for c in text) + '"'


def _any_of(texts: list[str]) -> str:
    escaped = [re.escape(text.encode().decode("latin-1")).replace("/", "\\/") for text in texts]
    return f"(?:{'|'.join(escaped)})" if escaped else "(?!)"


@attrs.frozen
class Grammar:
    """A grammar of messages, bound to a spec."""

    spec: Spec = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    """The grammar, in Lark's language."""
    source: GrammarSource | None = attrs.field(default=None, repr=False, eq=False)
    """Where a user's grammar came from; None for the library's own."""

    def fault(self, reason: str) -> GrammarError:
        """The error that says ``reason``, with the file and line where it stands if known."""
        return GrammarError(reason if self.source is None else self.source.located(reason))

    @functools.cached_property
    def bound(self) -> str:
        """The terminals that the grammar imports from the spec."""
        return bound_terminals(self.spec)

    def imported(self, _base_path: object, path: str) -> tuple[str, str]:
        """What Lark asks for at an `%import`: the path and text of the imported grammar."""
        if Path(path).name == "spec.lark":
            return "<spec>", self.bound
        import lark

        if (Path(lark.__file__).parent / "grammars" / path).exists():
            raise OSError(path)  # So Lark looks for it among its own: `%import common.DIGIT`.
        raise GrammarError(
            f"the grammar imports {path!r}; only `.spec` and Lark's own can be imported"
        )

    @property
    def digest(self) -> str:
        """What the syntax is made from, as one SHA-256."""
        return hashlib.sha256(f"{self.text}\0{self.bound}".encode()).hexdigest()

    @functools.cached_property
    def syntax(self) -> Syntax:
        """The productions.

        Those of the library's own grammar are kept in harmony/data, so that reading a
        message does not first import Lark; they are used only while the digest of grammar
        and spec is the one that they were made from.
        """
        cached = _cached_syntax()
        if cached is not None and cached["digest"] == self.digest:
            return syntax_from_json(cached["syntax"])
        try:
            return read_syntax(self.text, self.imported)
        except GrammarError as error:
            raise self.fault(error.message) from error

    @functools.cached_property
    def lalr(self) -> Lark:
        """Lark's parser of the same text, over lexed bytes. Raises `GrammarError`."""
        from lark import Lark
        from lark.exceptions import LarkError

        try:
            return Lark(
                self.text,
                parser="lalr",
                lexer="contextual",
                use_bytes=True,
                start=list(STARTS),
                import_paths=[self.imported],
                propagate_positions=True,
                maybe_placeholders=False,
            )
        except (LarkError, OSError) as error:
            reason = f"the grammar is not LALR(1), or cannot be read: {error}"
            raise self.fault(reason) from error


def load_grammar(spec: Spec, grammar: str | os.PathLike[str] | None = None) -> Grammar:
    """The grammar of messages: the library's own, or with a user's file or text laid over it.

    A string is a grammar's text if it has more than one line, and else a path. A grammar that
    defines the rule `completion` takes the place of ours; any other extends it.

    Raises:
        GrammarError: the file cannot be read.
    """
    own = resources.read_text("grammar", MESSAGE_GRAMMAR)
    if grammar is None:
        return Grammar(spec, own)
    text, source = read_grammar(grammar, own)
    return Grammar(spec, text, source)


# ---- the syntax as JSON --------------------------------------------------------------------


@functools.cache
def _cached_syntax() -> dict[str, Any] | None:
    try:
        cached = json.loads(resources.read_text("data", SYNTAX_CACHE))
    except (OSError, ValueError):
        return None
    return cached if isinstance(cached, dict) else None


def syntax_to_json(syntax: Syntax) -> dict[str, Any]:
    """A syntax as plain data; `syntax_from_json` reads it back."""
    return {
        "rules": {name: _node_to_json(node) for name, node in syntax.rules.items()},
        "terminals": syntax.terminals,
        "literals": syntax.literals,
    }


def syntax_from_json(data: dict[str, Any]) -> Syntax:
    """The syntax that `syntax_to_json` made ``data`` of."""
    rules = {name: _node_from_json(node) for name, node in data["rules"].items()}
    return Syntax(rules, data["terminals"], data["literals"])


def _node_to_json(node: Any) -> Any:
    from harmony.syntax import Choice, Repeat, Rule, Sequence, Terminal

    match node:
        case Rule(name):
            return {"rule": name}
        case Terminal(name):
            return {"terminal": name}
        case Sequence(parts):
            return {"sequence": [_node_to_json(part) for part in parts]}
        case Repeat(part, least, most):
            return {"repeat": _node_to_json(part), "bounds": [least, most]}
        case Choice(alternatives, aliases):
            return {"choice": [_node_to_json(a) for a in alternatives], "aliases": list(aliases)}


def _node_from_json(data: dict[str, Any]) -> Any:
    from harmony.syntax import Choice, Repeat, Rule, Sequence, Terminal

    if "rule" in data:
        return Rule(data["rule"])
    if "terminal" in data:
        return Terminal(data["terminal"])
    if "sequence" in data:
        return Sequence(tuple(_node_from_json(part) for part in data["sequence"]))
    if "repeat" in data:
        return Repeat(_node_from_json(data["repeat"]), *data["bounds"])
    alternatives = tuple(_node_from_json(alternative) for alternative in data["choice"])
    return Choice(alternatives, tuple(data["aliases"]))
