"""The static site: the reference, the guides and the API, made by Sphinx.

Nothing in it is fetched from elsewhere. Diagrams stand in the pages themselves, so that they
follow the page's switch for light and dark, and their rules are links.
"""

from __future__ import annotations

import functools
import io
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harmony import __version__
from harmony.docs.api_pages import api_pages
from harmony.docs.build import INDEX, build_reference, guides, write_files
from harmony.docs.extra import needs
from harmony.docs.highlighting import lexers
from harmony.docs.pages import PAGES
from harmony.docs.sphinx_hooks import (
    code_in_docstring,
    colons_back,
    finish_page,
    plain_defaults,
)
from harmony.docs.svg import page_style

if TYPE_CHECKING:
    import os

    from harmony.encoding import HarmonyEncoding

STYLE = "harmony.css"
LINK_OUT = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")
OPTIONS: dict[str, Any] = {
    "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
    "html_theme": "furo",
    "html_static_path": ["_static"],
    "html_css_files": [STYLE],
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_show_copyright": False,
    "myst_heading_anchors": 4,
    "autodoc_typehints": "signature",
    "autodoc_member_order": "bysource",
    "autodoc_preserve_defaults": True,
    "napoleon_use_ivar": True,
    "napoleon_google_docstring": True,
    "napoleon_numpy_docstring": False,
    "python_display_short_literal_types": True,
    "python_maximum_signature_line_length": 88,
    "add_module_names": False,
    "toc_object_entries_show_parents": "hide",
    "pygments_style": "friendly",
    "pygments_dark_style": "github-dark",
    "smartquotes": False,
    "suppress_warnings": ["config.cache", "misc.highlighting_failure"],
}


def build_site(encoding: HarmonyEncoding, folder: str | os.PathLike[str]) -> list[str]:
    """Write the site into ``folder``; its first page is ``index.html``.

    Args:
        encoding: what is described; an overlay of the spec or the grammar shows.
        folder: where to; made if it is not there.

    Returns:
        What Sphinx warned of, such as a link that leads nowhere.

    Raises:
        MissingExtra: the extra ``docs`` is not installed.
        GrammarError: as `build_reference` does.
    """
    for module in ("furo", "myst_parser", "railroad", "sphinx"):
        needs(module)
    files = build_reference(encoding)
    # A guide's links to files of the repository lead nowhere from a site.
    written = {name: LINK_OUT.sub(r"\1", text) for name, text in guides().items()}
    api = api_pages()
    files[INDEX] += _contents(list(written), list(api))
    style = (Path(__file__).parent / "static" / STYLE).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "source"
        write_files({**written, **api, **files}, source)
        write_files({STYLE: page_style() + style}, source / "_static")
        return _run(encoding, source, Path(folder), Path(place) / "doctrees")


def _contents(written: list[str], api: list[str]) -> str:
    """The contents list of the site: the guides, the reference by group, the API."""
    groups = {"Guides": [Path(name).stem for name in written]}
    for page in PAGES:
        groups.setdefault(page.group, []).append(page.name)
    groups["API"] = [name.removesuffix(".rst") for name in api]
    return "\n" + "\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n:maxdepth: 1\n\n"
        + "\n".join(names)
        + "\n```\n"
        for caption, names in groups.items()
        if names
    )


def _run(encoding: HarmonyEncoding, source: Path, out: Path, doctrees: Path) -> list[str]:
    sphinx = needs("sphinx.application")
    namespaces = needs("sphinx.util.docutils")
    name = str(encoding.spec.table("format")["name"])
    options = {
        **OPTIONS,
        "project": name,
        "release": __version__,
        "html_title": name,
    }
    lines = [f"{option} = {value!r}\n" for option, value in options.items()]
    (source / "conf.py").write_text("".join(lines), encoding="utf-8")
    warned = io.StringIO()
    with namespaces.patch_docutils(), namespaces.docutils_namespace():
        app = sphinx.Sphinx(source, source, out, doctrees, "html", status=None, warning=warned)
        for language, lexer in lexers(encoding.spec).items():
            app.add_lexer(language, lexer)
        special = [token.text for token in encoding.spec.special_tokens.values()]
        app.connect("doctree-resolved", functools.partial(finish_page, special=special))
        # Before Napoleon, and behind it.
        app.connect("autodoc-process-docstring", code_in_docstring, priority=400)
        app.connect("autodoc-process-docstring", colons_back, priority=600)
        app.connect("autodoc-process-signature", plain_defaults)
        app.build()
    plain = re.sub(r"\x1b\[[\d;]*m", "", warned.getvalue())
    return [line for line in plain.splitlines() if line.strip()]
