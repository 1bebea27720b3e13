"""The examples of the spec in the special tokens of another spec.

The rows of spec/harmony.toml spell special tokens as gpt-oss does. Where an overlay gives a
token another text, examples and prose are shown, and read, with that text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from harmony.spec import load_spec

if TYPE_CHECKING:
    from harmony.encoding import HarmonyEncoding
    from harmony.spec import Spec


@attrs.frozen
class Spelling:
    """How one spec spells what the library's own spells otherwise."""

    texts: dict[str, str]
    """For each text of the library's own that is another here, that one."""
    same_ids: bool
    """Whether token ids mean what they mean in the library's own spec."""

    @classmethod
    def of(cls, spec: Spec) -> Spelling:
        """The spelling of ``spec``."""
        own, tokens = load_spec(), spec.special_tokens
        texts = {
            token.text: tokens[name].text
            for name, token in own.special_tokens.items()
            if name in tokens and tokens[name].text != token.text
        }
        facts = ("file", "sha256", "tokens")
        same = all(own.table("vocabulary").get(f) == spec.table("vocabulary").get(f) for f in facts)
        ids = {name: token.id for name, token in own.special_tokens.items()}
        return cls(texts, same and all(tokens[n].id == ids[n] for n in ids if n in tokens))

    def text(self, text: str) -> str:
        """``text``, respelled."""
        return _replaced(text, self.texts)

    def page(self, text: str) -> str:
        """A page of Markdown, respelled; in tables bars are escaped."""
        escaped = {a.replace("|", "\\|"): b.replace("|", "\\|") for a, b in self.texts.items()}
        return _replaced(text, self.texts | escaped)

    def tokens(self, row: dict[str, Any], enc: HarmonyEncoding, *keys: str) -> list[int] | None:
        """The token ids of a row: as they are, or of the text under one of ``keys``.

        None where ids stand in the row that mean something else in this vocabulary.
        """
        if "tokens" in row:
            return list(row["tokens"]) if self.same_ids else None
        text = next(row[key] for key in keys if key in row)
        return enc.encode(self.text(str(text)), allowed_special="all")


def _replaced(text: str, texts: dict[str, str]) -> str:
    if not texts:
        return text
    return re.sub("|".join(map(re.escape, texts)), lambda found: texts[found[0]], text)
