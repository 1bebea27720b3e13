"""The site that `harmony docs build` writes, and what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import lark
import pytest

import harmony
from harmony.cli.entry import run
from harmony.docs.build import guides
from harmony.docs.grammars import grammars
from harmony.docs.pages import PAGES
from tests.shell import run_module

if TYPE_CHECKING:
    from pathlib import Path

OVERLAY = """
[[channels]]
name = "critique"
visible = false
purpose = "Second thoughts."
"""


class Links(HTMLParser):
    """What a page holds: anchors, links, what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        target = values.get("href") or values.get("xlink:href")
        if target is not None:
            (self.links if tag == "a" else self.loaded).append(target)
        if values.get("src"):
            self.loaded.append(values["src"])


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "mine.toml").write_text(OVERLAY)
    done = run_module("docs", "build", "--out", str(folder), "--spec", str(folder / "mine.toml"))
    assert done.returncode == 0, done.stderr.decode()
    # As with Sphinx' -W: a link that leads nowhere, say, is a warning.
    assert done.stderr.decode() == ""
    assert str(folder / "html" / "index.html") in done.stdout.decode()
    return folder


@pytest.fixture(scope="module")
def pages(built) -> dict[Path, Links]:
    return {
        page: Links(page.read_text(encoding="utf-8")) for page in (built / "html").rglob("*.html")
    }


def site(built: Path, name: str) -> str:
    return (built / "html" / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.xdist_group("site")
class TestSite:
    """Issue 7: "a static HTML site by a well-kept generator"."""

    def test_every_page_is_there_under_its_title(self, built):
        for page in PAGES:
            assert f"<h1>{page.title}" in site(built, page.name)
            assert (built / f"{page.name}.md").is_file()
        for name, text in guides().items():
            title = text.partition("\n")[0].removeprefix("# ")
            assert f"<h1>{title}" in site(built, name.removesuffix(".md"))

    def test_the_first_page_lists_all(self, built):
        first = site(built, "index")
        names = [page.name for page in PAGES] + [n.removesuffix(".md") for n in guides()]
        for name in names:
            assert f'href="{name}.html"' in first

    def test_links_lead_somewhere(self, pages):
        assert len(pages) > 30
        for page, found in pages.items():
            for link in found.links:
                if link.startswith(("http:", "https:", "data:")):
                    continue
                path, _, anchor = unquote(link).partition("#")
                target = (page.parent / path).resolve() if path else page
                assert target.exists(), (page.name, link)
                if anchor and target.suffix == ".html":
                    assert anchor in pages[target].anchors, (page.name, link)

    def test_nothing_is_fetched_from_elsewhere(self, built, pages):
        for page, found in pages.items():
            for loaded in found.loaded:
                assert not re.match(r"(https?:)?//", loaded), (page.name, loaded)
        for style in (built / "html").rglob("*.css"):
            assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text(encoding="utf-8"))

    def test_diagrams_stand_in_the_pages(self, built):
        grammar = site(built, "grammar")
        assert grammar.count('<div class="diagram">') == grammar.count("<svg style=")
        assert 'xlink:href="#rule-header"' in grammar
        assert "<svg style=" in site(built, "stream")
        assert "prefers-color-scheme" not in re.sub(
            r"<head>.*?</head>", "", grammar, flags=re.DOTALL
        )

    def test_special_tokens_are_coloured(self, built):
        assert '<span class="k">&lt;|start|&gt;</span>' in site(built, "format")
        assert '<span class="special">&lt;|start|&gt;</span>' in site(built, "tokens")
        style = (built / "html" / "_static" / "harmony.css").read_text(encoding="utf-8")
        assert 'body[data-theme="dark"]' in style
        assert "prefers-color-scheme: dark" in style

    def test_the_api_has_the_docstrings(self, built):
        homes = {getattr(harmony, name).__module__ for name in ("HarmonyEncoding", "Message")}
        for home in homes:
            assert (built / "html" / "api" / f"{home.removeprefix('harmony.')}.html").is_file()
        encoding = site(built, "api/encoding")
        assert "The messages of a completion." in encoding
        assert "the tokens are not in the format" in encoding
        assert "attr_dict" not in site(built, "api/contents")

    def test_an_overlay_shows(self, built):
        assert "Second thoughts." in site(built, "format")
        assert "Second thoughts." in (built / "format.md").read_text(encoding="utf-8")


def printed(capfdbinary, *args: object) -> str:
    assert run(["grammar", *map(str, args)]) == 0
    return capfdbinary.readouterr().out.decode()


class TestGrammarCommand:
    def test_lark_reads_what_is_printed(self, capfdbinary, enc):
        text = printed(capfdbinary, "--format", "lark")
        assert "%import .spec" not in text
        parser = lark.Lark(text, parser="lalr", use_bytes=True, start="completion")
        data = enc.vocabulary.lex(
            enc.encode("<|start|>user<|message|>Hi<|end|>", allowed_special="all")
        )
        assert parser.parse(data).data == "completion"

    @pytest.mark.parametrize("name", ["sections", "typescript", "typescript_complete"])
    def test_so_it_does_for_texts(self, capfdbinary, name, enc):
        text = printed(capfdbinary, name, "--format", "lark")
        start = next(iter(grammars(enc.grammar)[name].syntax.rules))
        assert lark.Lark(text, parser="lalr", start=start).rules

    def test_ebnf(self, capfdbinary, enc):
        text = printed(capfdbinary, "--format", "ebnf")
        for rule in enc.grammar.syntax.rules:
            assert f"\n{rule} ::= " in f"\n{text}"
        assert 'message ::= "<|start|>" header "<|message|>" content terminator\n' in text
        one = printed(capfdbinary, "--format", "ebnf", "--rule", "author")
        assert one == 'author ::= _SPACE? role ( ":" name )? | _SPACE? tool_name\n'

    def test_the_expression_reads_a_message(self, capfdbinary, enc):
        text = printed(capfdbinary, "--format", "regex")
        tokens = enc.encode("<|start|>user:ann<|message|>Hi<|end|>", allowed_special="all")
        found = re.compile(text.strip().encode(), re.DOTALL).fullmatch(enc.vocabulary.lex(tokens))
        assert found["name_1"] == b"ann"
        header = printed(capfdbinary, "--format", "regex", "--rule", "channel")
        assert re.fullmatch(header.strip().encode(), b"final")
        assert "CUTOFF_LINE: /" in printed(capfdbinary, "sections", "--format", "regex")

    def test_diagrams(self, capfdbinary, tmp_path):
        svg = printed(capfdbinary, "--format", "railroad", "--rule", "route")
        assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        out = tmp_path / "grammar.html"
        assert printed(capfdbinary, "--format", "railroad", "--out", out) == ""
        assert out.read_text(encoding="utf-8").count("<svg ") > 20

    def test_an_overlay_is_in_it(self, capfdbinary, tmp_path, enc):
        spec, grammar = tmp_path / "mine.toml", tmp_path / "mine.lark"
        spec.write_text('[[content_types]]\nname = "csv"\npurpose = "Values."\n')
        grammar.write_text(f"{enc.grammar.text}\n// Mine.\nmine: TEXT\n")
        text = printed(capfdbinary, "--format", "ebnf", "--spec", spec, "--grammar", grammar)
        assert "csv" in text
        assert "mine ::= TEXT" in text

    @pytest.mark.parametrize(
        ("args", "status", "said"),
        [
            (["none"], 1, "there are: message, sections"),
            (["--rule", "none"], 1, "the grammar has no rule 'none'"),
            (["--format", "lark", "--rule", "header"], 2, "--rule goes with"),
            (["--format", "bnf"], 2, "'bnf' is not one of"),
            (["typescript", "--format", "regex", "--rule", "type"], 1, "holds itself"),
        ],
    )
    def test_misuse(self, capfdbinary, args, status, said):
        assert run(["grammar", *args]) == status
        assert said in capfdbinary.readouterr().err.decode()


class TestBuildCommand:
    def test_markdown_alone(self, tmp_path):
        assert run(["docs", "build", "--format", "markdown", "--out", str(tmp_path)]) == 0
        assert (tmp_path / "index.md").is_file()
        assert not (tmp_path / "html").exists()

    def test_a_spec_that_is_wrong(self, tmp_path, capfdbinary):
        spec = tmp_path / "mine.toml"
        spec.write_text("[[examples]]\nname = 'mine'\npage = 'format'\n")
        assert run(["docs", "build", "--spec", str(spec), "--out", str(tmp_path / "out")]) == 1
        assert "'mine' is not well" in capfdbinary.readouterr().err.decode()


def test_docs_are_not_imported_by_the_core():
    code = "import sys, harmony\nharmony.load_harmony_encoding('HarmonyGptOss').encode('x')\n"
    code += "assert not [m for m in sys.modules if m.startswith('harmony.docs')]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
