"""spec/harmony.toml: what code repeats for a type checker is equal to it; its examples hold."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import harmony
from harmony import HarmonyEncodingName, ReasoningEffort, Role, SystemContent, ToolNamespaceConfig
from harmony.grammar import load_grammar, syntax_from_json, syntax_to_json
from harmony.spec import load_spec
from harmony.syntax import Terminal
from tools import cache_syntax

SPEC = load_spec()
ROOT = Path(__file__).resolve().parent.parent
CODE = sorted((ROOT / "harmony").rglob("*.py"))


class TestEnums:
    """Members that are written out so that a type checker knows them."""

    def test_roles(self):
        assert {role.value for role in Role} == set(SPEC.role_names)
        assert all(role.name == role.value.upper() for role in Role)

    def test_reasoning_efforts(self):
        rows = SPEC.rows("reasoning_efforts")
        assert {row["name"]: row["value"] for row in rows} == {
            e.name: e.value for e in ReasoningEffort
        }

    def test_encodings(self):
        rows = SPEC.rows("encodings")
        names = {name.name: name.value for name in HarmonyEncodingName}
        assert {row["constant"]: row["name"] for row in rows} == names
        assert str(HarmonyEncodingName.HARMONY_GPT_OSS) == "HarmonyGptOss"

    def test_authority(self):
        assert SPEC.role_names == ["system", "developer", "user", "assistant", "tool"]


class TestTokens:
    def test_special_tokens_lie_in_the_reserved_range(self):
        facts = SPEC.table("vocabulary")
        for token in SPEC.special_tokens.values():
            assert facts["first_special"] <= token.id <= facts["last_special"]
            assert SPEC.special_texts[token.id] == token.text
        assert len(set(SPEC.special_texts.values())) == len(SPEC.special_texts)

    def test_stop_sets(self, enc):
        assert set(enc.stop_tokens_for_assistant_actions()) < set(enc.stop_tokens())

    @pytest.mark.parametrize("path", CODE, ids=lambda path: path.stem)
    def test_no_code_repeats_a_fact(self, path):
        """Guide: "No `.py` file repeats a token id, a channel name or a production." """
        facts = {token.id for token in SPEC.special_tokens.values()}
        facts |= {token.text for token in SPEC.special_tokens.values()}
        facts |= set(SPEC.channel_names)
        constants = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, (int, str))
        }
        assert not facts & constants


class TestGrammarAndSpec:
    def test_every_terminal_has_a_name(self):
        """Spec [terminals]: "What an error calls the terminals of the grammar." """
        syntax = load_grammar(SPEC).syntax
        named = set(SPEC.table("terminals"))
        special = {token.terminal for token in SPEC.special_tokens.values()}
        used = {
            node.name
            for rule in syntax.rules.values()
            for node in syntax.walk(rule)
            if isinstance(node, Terminal)
        }
        assert used <= named | special
        assert named <= set(syntax.terminals) | {"$END"}

    def test_every_rule_of_a_field_is_a_rule(self):
        assert set(SPEC.field_of_rule) <= set(load_grammar(SPEC).syntax.rules)

    def test_written_terminals_match_themselves(self):
        """Spec [written]: what the renderer writes, the parser reads."""
        syntax = load_grammar(SPEC).syntax
        for terminal, text in SPEC.table("written").items():
            pattern = syntax.terminals[terminal].encode("latin-1")
            after = b"\xff" if terminal == "_PADDING" else b"x"
            match = re.match(pattern, text.encode() + after)
            assert match is not None
            assert match.group() == text.encode()

    def test_the_cached_syntax_is_fresh(self):
        """harmony/data/syntax.json: ``python -m tools.cache_syntax`` writes it."""
        path = ROOT / "harmony" / "data" / "syntax.json"
        assert path.read_text(encoding="utf-8") == cache_syntax.written()

    def test_the_cached_form_gives_back_the_syntax(self):
        from harmony.syntax import read_syntax

        grammar = load_grammar(SPEC)
        syntax = read_syntax(grammar.text, grammar.imported)
        assert syntax_from_json(json.loads(json.dumps(syntax_to_json(syntax)))) == syntax
        assert grammar.syntax == syntax


def encoded(enc, text: str) -> list[int]:
    return enc.encode(text, allowed_special="all")


class TestExamples:
    """Each example of the spec is in the format."""

    @pytest.mark.parametrize("row", SPEC.rows("dialects"), ids=lambda row: row["name"])
    def test_dialects(self, row):
        encoding = harmony.load_harmony_encoding("HarmonyGptOss", dialect=row["name"])
        messages = encoding.parse(encoded(encoding, row["example"])).messages
        assert len(messages) == 1
        assert encoding.decode(encoding.render(messages[0])) == row["example"]

    def test_one_dialect_is_the_default(self):
        assert [row["name"] for row in SPEC.rows("dialects") if row.get("default")] == ["reference"]
        assert SPEC.dialect(None) is SPEC.dialect("reference")

    def test_built_in_namespaces(self, oracle):
        import openai_harmony as peer

        for name in ("browser", "python"):
            ours = getattr(ToolNamespaceConfig, name)()
            theirs = getattr(peer.ToolNamespaceConfig, name)()
            assert ours.to_dict() == theirs.model_dump(exclude_none=True)

    def test_defaults_of_a_system_message(self):
        import openai_harmony as peer

        assert SystemContent().to_dict() == peer.SystemContent().to_dict()


class TestPublicNames:
    def test_everything_of_the_peer(self):
        import openai_harmony as peer

        extra = {"ToolNamespaceConfig", "ChannelConfig", "ReasoningEffort"}
        extra |= {"RenderConversationConfig", "RenderOptions"}
        for name in {*peer.__all__, *extra}:
            assert name in harmony.__all__
            assert getattr(harmony, name) is not None

    def test_all_of_ours_are_there(self):
        assert harmony.__all__ == sorted(harmony.__all__)
        for name in harmony.__all__:
            assert getattr(harmony, name) is not None
            assert name in dir(harmony)
        with pytest.raises(AttributeError, match="module 'harmony' has no attribute 'nonsense'"):
            _ = harmony.nonsense

    def test_a_star_import(self):
        names: dict[str, object] = {}
        exec("from harmony import *", names)
        assert names["Role"] is Role
