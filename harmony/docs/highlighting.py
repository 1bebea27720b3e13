"""Colours for code: Harmony, with its special tokens, as the spec has them; EBNF; Lark.

The lexers are Pygments' own kind, made from the spec, so a token that an overlay adds is
coloured too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harmony.docs.extra import needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.spec import Spec


def lexers(spec: Spec) -> dict[str, Any]:
    """Pygments lexers by the language of a fence. Raises `MissingExtra`."""
    return {"harmony": _harmony(spec), "ebnf": _ebnf(), "lark": _lark()}


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)) or "(?!)"


def _lexer(name: str, tokens: dict[str, list[Any]]) -> Any:
    base = needs("pygments.lexer").RegexLexer
    return type(name, (base,), {"name": name, "aliases": [], "tokens": tokens, "flags": re.DOTALL})


def _harmony(spec: Spec) -> Any:
    """Messages: special tokens, and the words of a header by what they are."""
    kind = needs("pygments.token")
    words = spec.table("recovery")
    space = re.escape(spec.table("header")["white_space"])
    special = _any_of(token.text for token in spec.special_tokens.values())
    word = f"(?:(?!{special})[^{space}])+"
    named = {token.name: re.escape(token.text) for token in spec.special_tokens.values()}
    stops = _any_of(token.text for token in spec.stop_set("any"))
    mark, name_mark = re.escape(words["recipient_mark"]), re.escape(words["name_mark"])
    roles = _any_of(spec.role_names)
    # A completion may begin inside a header, where the prompt ended.
    header_ahead = f"(?=(?:(?!{named['start']}).)*?{named['message']})"
    return _lexer(
        "Harmony",
        {
            "root": [
                (f"{header_ahead}(?!{named['start']})", kind.Text, ("content", "header")),
                ("", kind.Text, "content"),
            ],
            "content": [
                (named["start"], kind.Keyword, ("header", "author")),
                # Where `<|start|>` is missing, as in what recovery reads.
                (named["channel"], kind.Keyword, ("header", "channel")),
                (special, kind.Keyword),
                (f"(?:(?!{special}).)+", kind.Text),
            ],
            "author": [
                (f"({roles})({name_mark})({word})", _groups("Name.Class", "Operator", "Name")),
                (f"(?:{roles})", kind.Name.Class, "#pop"),
                (f"(?!{mark}){word}", kind.Name.Function, "#pop"),
                ("", kind.Text, "#pop"),
            ],
            "header": [
                (named["message"], kind.Keyword, "#pop"),
                (stops, kind.Keyword, "#pop"),
                (named["channel"], kind.Keyword, "channel"),
                (named["constrain"], kind.Keyword, "content-type"),
                (named["start"], kind.Keyword, "author"),
                (f"({mark})({word})", _groups("Operator", "Name.Function")),
                (special, kind.Keyword),
                (f"(?:{roles})", kind.Name.Class),
                (f"[{space}]+", kind.Text),
                (word, kind.Name.Label),
            ],
            "channel": [(word, kind.Name.Namespace, "#pop"), ("", kind.Text, "#pop")],
            "content-type": [(word, kind.Name.Label, "#pop"), ("", kind.Text, "#pop")],
        },
    )


def _groups(*names: str) -> Any:
    kinds = needs("pygments.token")
    return needs("pygments.lexer").bygroups(*(kinds.string_to_tokentype(name) for name in names))


def _ebnf() -> Any:
    """The W3C's notation, as `harmony.docs.ebnf` prints it."""
    kind = needs("pygments.token")
    return _lexer(
        "EBNF",
        {
            "root": [
                (r"/\*.*?\*/", kind.Comment),
                (r"(\w+)(\s*)(::=)", _groups("Name.Class", "Text", "Operator")),
                (r'"<\|[^"]*\|>"', kind.Keyword),
                (r'"[^"]*"|\'[^\']*\'', kind.String),
                (r"_?[A-Z][A-Z_0-9]*\b", kind.Name.Constant),
                (r"\w+", kind.Name),
                (r"[|()?*+]", kind.Operator),
                (r"\s+|.", kind.Text),
            ]
        },
    )


def _lark() -> Any:
    """Lark's own language."""
    kind = needs("pygments.token")
    return _lexer(
        "Lark",
        {
            "root": [
                (r"//[^\n]*", kind.Comment),
                (r"%\w+", kind.Keyword),
                (r"->\s*\w+", kind.Name.Decorator),
                (r'"(?:\\.|[^"\\])*"i?', kind.String),
                (r"/(?:\\.|[^/\\\n])+/[a-z]*", kind.String.Regex),
                (r"_?[A-Z][A-Z_0-9]*\b", kind.Name.Constant),
                (r"(\w+)(\s*)(:)", _groups("Name.Class", "Text", "Operator")),
                (r"\w+", kind.Name),
                (r"[|()?*+~:]", kind.Operator),
                (r"\s+|.", kind.Text),
            ]
        },
    )
