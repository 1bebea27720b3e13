"""The grammars of texts, bound to a spec: sections and types. Reads grammar/*.lark.

Their `%import .spec (…)` is answered with terminals made from the templates of the spec: a
template is its literal text, with a pattern in the place of each field.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony import resources
from harmony.errors import GrammarError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lark import Lark, UnexpectedInput


@functools.lru_cache(maxsize=16)
def text_grammar(name: str, bound: str, starts: tuple[str, ...]) -> Lark:
    """The LALR parser of ``grammar/{name}.lark``, with the terminals ``bound`` to it.

    Raises:
        GrammarError: the grammar does not hold together with these terminals.
    """
    from lark import Lark
    from lark.exceptions import LarkError

    def imported(_: object, path: str) -> tuple[str, str]:
        if Path(path).name == "spec.lark":
            return "<spec>", bound
        raise OSError(f"the grammar imports {path!r}; only `.spec` can be imported")

    try:
        return Lark(
            resources.read_text("grammar", f"{name}.lark"),
            parser="lalr",
            lexer="contextual",
            start=list(starts),
            import_paths=[imported],
            propagate_positions=True,
            maybe_placeholders=False,
        )
    except (LarkError, OSError) as error:
        raise GrammarError(f"grammar/{name}.lark does not fit the spec: {error}") from error


def template_pattern(template: str, fields: Mapping[str, str]) -> str:
    r"""A regular expression of the texts that ``template`` gives.

    Args:
        template: as in the spec, for `str.format`: ``"## {name}"``.
        fields: the pattern of each field, such as ``{"name": "[^\n]*"}``.
    """
    parts = re.split(r"(\{\{|\}\}|\{\w+\})", template)
    return "".join(_part(part, fields) for part in parts)


def _part(part: str, fields: Mapping[str, str]) -> str:
    if part in {"{{", "}}"}:
        return re.escape(part[0])
    if re.fullmatch(r"\{\w+\}", part):
        return fields[part[1:-1]]
    return re.escape(part)


def terminals(patterns: Mapping[str, str]) -> str:
    """Definitions in Lark's language of terminals with these regular expressions."""
    return "".join(f"{name}: /{_slashed(pattern)}/\n" for name, pattern in patterns.items())


def _slashed(pattern: str) -> str:
    # Lark ends a pattern at the first slash that is not escaped, and a line at a line feed.
    pattern = re.sub(r"(?<!\\)/", r"\\/", pattern)
    return pattern.replace("\\\n", "\\n").replace("\n", "\\n")


def fault(error: UnexpectedInput, text: str) -> tuple[int, str]:
    """Where and how a text departs from its grammar: the offset, and a sentence."""
    from lark import UnexpectedCharacters, UnexpectedToken

    offset, expected = len(text), set[Any]()
    if isinstance(error, UnexpectedCharacters):
        offset, expected = error.pos_in_stream or 0, set(error.allowed or ())
    elif isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        if error.token.type != "$END":
            offset = error.token.start_pos or 0
    found = repr(text[offset : offset + 20]) if offset < len(text) else "the end of the text"
    named = (str(name).strip("_").lower().replace("_", " ") for name in expected)
    wanted = ", ".join(sorted("its end" if name == "$end" else name for name in named))
    return offset, f"{found} where the template has {wanted or 'its end'}"


def first_difference(one: str, other: str) -> int:
    """The offset of the first character in which two texts differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
