"""docs/ says what spec/ and grammar/ say, and the commands that print it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
import tiktoken

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import harmony  # noqa: E402
from harmony import GrammarError, MissingExtra, Role, UnknownName  # noqa: E402
from harmony.docs import build_reference, write_files  # noqa: E402
from harmony.docs.anatomy import parts  # noqa: E402
from harmony.docs.book import Book  # noqa: E402
from harmony.docs.build import guides  # noqa: E402
from harmony.docs.examples import fields  # noqa: E402
from harmony.docs.extra import PACKAGES, needs  # noqa: E402
from harmony.docs.findings import findings  # noqa: E402
from harmony.docs.header_forms import header_forms  # noqa: E402
from harmony.docs.markdown import NOTICE, code, fence, slug, table  # noqa: E402
from harmony.docs.states import END, TEXT, transitions  # noqa: E402
from harmony.encoding import HarmonyEncoding  # noqa: E402
from harmony.spec import load_spec  # noqa: E402
from tools.cache_syntax import written  # noqa: E402

DOCS = ROOT / "docs"
OVERLAYS = ROOT / "examples" / "overlays"
REBUILD = "run `harmony docs build --format markdown --out docs`"


@pytest.fixture(scope="module")
def files(enc) -> dict[str, str]:
    return build_reference(enc)


@pytest.fixture(scope="module")
def text(files) -> str:
    """All pages."""
    return "\n".join(page for path, page in files.items() if path.endswith(".md"))


def test_docs_are_what_would_be_built_now(files):
    for path, page in files.items():
        assert (DOCS / path).is_file(), f"{path} is missing: {REBUILD}"
        assert (DOCS / path).read_text(encoding="utf-8") == page, f"{path} is stale: {REBUILD}"
    built = {path for path in DOCS.rglob("*.md") if NOTICE in path.read_text(encoding="utf-8")}
    built |= set(DOCS.rglob("*.svg"))
    assert {path.relative_to(DOCS).as_posix() for path in built} == set(files), REBUILD


def test_a_build_is_the_same_each_time(enc, files):
    assert build_reference(enc) == files


def test_every_fact_with_prose_is_in_the_docs(spec, text):
    for name, rows in spec.data.items():
        for row in rows if isinstance(rows, list) else [rows]:
            for key in ("purpose", "reason", "prose", "remedy"):
                if key in row:
                    said = row[key].strip()
                    assert said.replace("|", "\\|") in text or said in text, (name, said)


@pytest.mark.parametrize(
    ("page", "rows"),
    [("recovery.md", "leniencies"), ("recovery.md", "text_leniencies"), ("rules.md", "rules")],
)
def test_every_row_has_a_heading(spec, files, page, rows):
    assert spec.rows(rows)
    for row in spec.rows(rows):
        assert re.search(rf"^##+ `?{row['code']}\b", files[page], re.MULTILINE)


def test_every_special_token_stands_with_its_id(spec, files):
    for token in spec.special_tokens.values():
        assert f"| {code(token.text)} | {token.id} |".replace("|>", "\\|>").replace(
            "<|", "<\\|"
        ) in files["tokens.md"].replace("| `<\\|", "| `<\\|")


def test_every_rule_has_its_ebnf_and_its_diagram(enc, files):
    for rule in enc.grammar.syntax.rules:
        assert f"## `{rule}`" in files["grammar.md"]
        assert f"diagrams/message-{rule}.svg" in files["grammar.md"]
        assert f"```ebnf\n{rule} ::= " in files["grammar.md"]


def test_leniencies_are_read_as_the_spec_says(spec, files):
    """Spec [[leniencies]], which test_recovery runs: the page shows what is read now."""
    sections = re.split(r"^### ", files["recovery.md"], flags=re.MULTILINE)[1:]
    for row in [*spec.rows("leniencies"), *spec.rows("text_leniencies")]:
        (section,) = [s for s in sections if s.startswith(f"`{row['code']}`")]
        (shown,) = re.findall(r"```json\n(.*?)\n```", section, re.DOTALL)
        assert [json.loads(line) for line in shown.splitlines()] == json.loads(row["reading"])
        assert f"- `{row['code']}`: " in section


def test_diagrams_are_svg_and_fit(files):
    diagrams = {path: page for path, page in files.items() if path.endswith(".svg")}
    assert len(diagrams) > 50
    for path, svg in diagrams.items():
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg")
        assert float(root.get("width")) <= 860, path
        assert root.get("aria-label")


def test_links_lead_somewhere(files):
    pages = files | guides()
    for path, page in pages.items():
        if not path.endswith(".md"):
            continue
        prose = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose):
            file, _, heading = target.partition("#")
            if not file.startswith("../"):
                assert not file or file in pages, (path, target)
            if heading:
                titles = re.findall(r"^#+ (.*)$", pages[file or path], re.MULTILINE)
                assert heading in {slug(title) for title in titles}, (path, target)


def test_there_are_guides():
    """Their snippets are run by test_guides."""
    expected = {"rendering", "streaming", "recovering", "check", "extending", "migrating"}
    assert {f"{name}.md" for name in expected} <= set(guides())


class TestTransitions:
    """The table of the stream parser is the parser's own."""

    def test_the_states(self, enc):
        table = {(t.state, t.given): t for t in transitions(enc)}
        start, message, end = (enc.spec.token(name).text for name in ("start", "message", "end"))
        assert table["ExpectStart", start].states == ("Header",)
        assert table["Header", message].states == ("Content",)
        assert "missing_author" in table["Header", message].errors
        assert table["Content", end].states == ("ExpectStart",)
        assert table["Content", start].states == ("Content",)
        assert table["Content", END].states == ("ExpectStart",)
        assert table["ExpectStart", TEXT].errors == ("expected_start",)
        assert table["Header", END].states == ()

    def test_every_error_is_a_row(self, enc):
        known = {row["name"] for row in enc.spec.rows("parse_errors")}
        assert {name for t in transitions(enc) for name in t.errors} <= known


class TestHeaderForms:
    """Spec [header]: "then in either order the recipient … and the channel"."""

    def test_every_alternative_of_a_route_is_there(self, enc):
        forms = header_forms(enc)
        aliases = {alias for form in forms for alias in form.aliases}
        route = enc.grammar.syntax.rule("route")
        assert {alias for alias in route.aliases if alias} <= aliases
        assert {"reference", "channel-first"} == {d for form in forms for d in form.written_by}

    def test_they_read_as_they_say(self, enc):
        for role in (None, Role.ASSISTANT):
            for form in header_forms(enc, role):
                tokens = enc.encode(f"{form.text}<|end|>", allowed_special="all")
                (message,) = enc.parse_messages_from_completion_tokens(tokens, role)
                assert fields(message) == fields(form.message)


def test_the_parts_of_a_message(enc):
    text = "<|start|>assistant to=f.g<|channel|>commentary <|constrain|>json<|message|>{}<|call|>"
    found = parts(enc, enc.encode(text, allowed_special="all"))
    assert "".join(part.text for part in found) == text
    assert [part.field for part in found if part.field] == [
        "role",
        "recipient",
        "channel",
        "content_type",
        "content_type",
        "content",
        "terminator",
    ]
    with pytest.raises(GrammarError, match="not one message"):
        parts(enc, enc.encode("Hi"))


class TestMarkdown:
    def test_a_cell(self):
        assert table(["a"], [["x|y\nz"], [["p", "q"]]]) == "| a |\n|---|\n| x\\|y<br>z |\n| p, q |"

    def test_code_that_holds_marks(self):
        assert code("a`b") == "``a`b``"
        assert code("`a") == "`` `a ``"
        assert code(" a ") == "`  a  `"
        assert code("a\nb") == "`a\\nb`"
        assert code([1, "x"]) == '`[1, "x"]`'
        assert code("") == ""

    def test_a_block_that_holds_marks(self):
        assert fence("```\n", "x") == "````x\n```\n````"


OVERLAY = {
    "billing": {"prose": "Who pays.", "currency": "EUR", "by_role": {"user": "yes"}},
    "channels": [{"name": "critique", "visible": False, "purpose": "Second thoughts."}],
    "roles": [{"name": "reviewer", "authority": 6, "purpose": "Reviews."}],
    "content_types": [{"name": "csv", "purpose": "Comma-separated values."}],
    "special_tokens": [
        {"name": "note", "text": "<|note|>", "id": 200100, "purpose": "Opens a note."}
    ],
    "dialects": [
        {
            "name": "house",
            "peer": "ours",
            "recipient_after_channel": ["analysis"],
            "constrain_content_type": True,
            "purpose": "Ours.",
            "example": "<|start|>assistant<|channel|>analysis to=python<|message|>1<|call|>",
        }
    ],
    "examples": [
        {
            "page": "format",
            "name": "critique",
            "title": "A critique",
            "prose": "On its channel.",
            "messages": '[{"role": "assistant", "channel": "critique", "content": "Hm."}]',
        }
    ],
}


@pytest.fixture(scope="module")
def added() -> dict[str, str]:
    """The reference with the overlay."""
    return build_reference(harmony.load_harmony_encoding("HarmonyGptOss", spec=OVERLAY))


class TestOverlays:
    """Issue 7: "An overlay's docs show its additions." """

    def test_facts(self, added):
        assert "| `critique` | no | anyone | Second thoughts. |" in added["format.md"]
        assert "| 6 | `reviewer` | Reviews. |" in added["format.md"]
        assert "Comma-separated values." in added["format.md"]
        assert "<|start|>assistant<|channel|>critique<|message|>Hm.<|end|>" in added["format.md"]
        assert "| 200100 | Opens a note. |" in added["tokens.md"]

    def test_a_table_that_no_page_is_about(self, added, files):
        assert "## Billing\n\nWho pays.\n\n| by role |  |" in added["format.md"]
        assert "| currency | `EUR` |" in added["format.md"]
        assert "## Format\n" not in files["format.md"]

    def test_a_dialect_stands_beside_the_others(self, added):
        assert (
            "`house`:\n\n```harmony\n<|start|>assistant<|channel|>analysis to=python"
            in (added["dialects.md"])
        )
        assert "house" in added["headers.md"]

    def test_a_token_is_given_to_the_stream_parser(self, added):
        assert "| `<\\|note\\|>` | error `expected_start` |" in added["stream.md"]

    def test_the_grammar_is_bound_to_it(self, added):
        assert "reviewer" in added["grammar.md"]
        assert "csv" in added["grammar.md"]

    def test_a_grammar(self):
        mine = harmony.load_harmony_encoding(
            "HarmonyGptOss", spec=OVERLAYS / "mime.toml", grammar=OVERLAYS / "mime.lark"
        )
        added = build_reference(mine)
        assert "## `mime`" in added["grammar.md"]
        assert "diagrams/message-mime.svg" in added
        assert re.search(
            r"author route _MIME mime _PADDING\? +/\* with_mime \*/\n", added["grammar.md"]
        )
        assert "| `mime` | The MIME type of the content. |" in added["format.md"]
        assert '"extra": {"mime": ' in added["headers.md"]
        assert "with mime" in added["headers.md"]

    def test_another_vocabulary(self):
        """As examples/extend.py has it: tokens of other names, ids and bytes."""
        names = {"start": "[M]", "message": "[:]", "end": "[/M]", "channel": "[CH]"}
        names |= {"constrain": "[AS]", "call": "[CALL]", "return": "[STOP]"}
        small = tiktoken.Encoding(
            "small",
            pat_str=r"\w+|\W",
            mergeable_ranks={bytes([byte]): byte for byte in range(256)},
            special_tokens={text: 300 + index for index, text in enumerate(names.values())},
        )
        spec = load_spec().with_vocabulary(small, names)
        added = build_reference(harmony.load_harmony_encoding("HarmonyGptOss", spec=spec))
        pages = {path: page for path, page in added.items() if path.endswith(".md")}
        for path, page in pages.items():
            for name in names:
                assert load_spec().token(name).text not in page.replace("\\|", "|"), (path, name)
        assert "[M]user[:]What is 2 + 2?[/M][M]assistant[CH]analysis[:]" in pages["format.md"]
        assert "| `[M]` | 300 |" in pages["tokens.md"]
        assert "| `[M]` | → `Header` | → `Header` | → `Content` |" in pages["stream.md"]
        # What is read lists the same as with our own tokens, where a row holds no raw ids.
        ours, theirs = (
            re.findall(r"^### `[\w-]+`.*$", page, re.MULTILINE)
            for page in (
                build_reference(harmony.load_harmony_encoding("HarmonyGptOss"))["recovery.md"],
                pages["recovery.md"],
            )
        )
        assert set(theirs) < set(ours)
        assert len(ours) - len(theirs) == 2

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"messages": "[{]"}, "is not well"),
            ({"messages": '[{"role": "nobody", "content": ""}]'}, "is not well"),
            (
                {"messages": '[{"role": "user", "channel": "a b", "content": ""}]'},
                "reads as another conversation",
            ),
            (
                {
                    "messages": '[{"role": "developer", "content": [{"type": "text", "text": '
                    '"# Instructions\\n\\nHm."}]}]'
                },
                "reads as another conversation",
            ),
        ],
    )
    def test_an_example_that_is_wrong_is_refused(self, change, said):
        row = {"page": "format", "name": "mine", "title": "t", "prose": "p"} | change
        mine = harmony.load_harmony_encoding("HarmonyGptOss", spec={"examples": [row]})
        with pytest.raises(GrammarError, match=said) as raised:
            build_reference(mine)
        assert "'mine'" in str(raised.value)


class TestFindings:
    """What the checker says of an example is shown, where there is a checker."""

    @pytest.fixture
    def asked(self, monkeypatch) -> list:
        """What a checker was asked."""
        found: list = []

        def check(enc, subject, **with_what):
            found.append((enc, subject, with_what))
            return [SimpleNamespace(code="HAR1", message="wrong")]

        monkeypatch.setattr(HarmonyEncoding, "check", check, raising=False)
        return found

    def test_text(self, enc, asked):
        text = "<|start|>user<|message|>Hi<|end|>"
        assert findings(text, Book(enc)) == ["`HAR1`: wrong"]
        given = {"text": text, "role": "assistant", "tools": '["f"]', "context": 8}
        findings(given, Book(enc))
        assert [subject for _, subject, _ in asked] == [enc.encode(text, allowed_special="all")] * 2
        assert asked[1][2] == {
            "role": Role.ASSISTANT,
            "tools": ["f"],
            "response_format": None,
            "context": 8,
        }

    def test_messages_and_stripped_text(self, enc, asked):
        findings({"messages": '[{"role": "user", "content": "Hi"}]'}, Book(enc))
        findings({"text": "finalHi", "stripped": True, "role": "assistant"}, Book(enc))
        assert asked[0][1].messages[0].content[0].text == "Hi"
        assert asked[1][1].messages[0].channel == "final"

    def test_other_limits(self, enc, asked):
        findings({"text": "", "limits": {"action_tokens": 7}}, Book(enc))
        assert asked[0][0].spec.table("limits")["action_tokens"] == 7

    def test_an_example_that_an_overlay_made_impossible(self, enc):
        assert findings({"messages": '[{"role": "system", "content": "x"}]'}, Book(enc)) == []
        assert findings({"text": "", "role": "assistant", "tools": "7"}, Book(enc)) == []

    def test_an_extra_that_is_not_installed(self, enc, monkeypatch):
        def check(*_, **__):
            raise MissingExtra("pip install it")

        monkeypatch.setattr(HarmonyEncoding, "check", check, raising=False)
        with pytest.raises(MissingExtra):
            findings("", Book(enc))


def test_rules_stand_in_families_with_what_the_checker_says(spec, files):
    rules = files["rules.md"]
    assert "| [HAR101 system-first](#har101-system-first) |" in rules
    assert "## Structure\n\nWho speaks when.\n\n### HAR101 system-first" in rules
    for row in spec.rows("rules"):
        assert f"\n- `{row['code']}`: " in rules, "a bad example is found by its rule"
    for row in [*spec.rows("leniencies"), *spec.rows("text_leniencies")]:
        assert f"| {row['check']} | `{row['code']}` |" in rules
        assert f"### `{row['code']}` ({row['severity']}, {row['check']})" in files["recovery.md"]


class TestFiles:
    def test_what_a_build_no_longer_writes_is_removed(self, tmp_path):
        write_files({"a.md": NOTICE, "diagrams/a.svg": "<svg/>"}, tmp_path)
        (tmp_path / "mine.md").write_text("by hand")
        write_files({"b.md": NOTICE}, tmp_path)
        found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
        assert found == {"b.md", "mine.md"}

    @pytest.mark.parametrize("module", PACKAGES)
    def test_a_missing_extra_is_named(self, module, monkeypatch):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtra, match=r"pip install 'harmony-format\[docs\]'"):
            needs(module)


def test_the_syntax_cache_is_fresh():
    cached = (ROOT / "harmony" / "data" / "syntax.json").read_text(encoding="utf-8")
    assert cached == written(), "run `python -m tools.cache_syntax`"


def test_unknown_names(enc):
    from harmony.docs.grammars import grammar_named
    from harmony.docs.listings import listing

    with pytest.raises(UnknownName, match="there are: message, sections"):
        grammar_named(enc.grammar, "none")
    with pytest.raises(UnknownName, match="there are: lark, ebnf"):
        listing(grammar_named(enc.grammar, "message"), enc, "bnf")
