"""Text to messages, where the special tokens were stripped or spelled out on the way.

Servers hand on completions as text: ``<|channel|>analysis<|message|>We …`` where special
tokens are spelled, ``analysisWe need …assistantfinalfour`` where they are skipped. The tokens
are put back where they must have been, and recovery.py reads the result.

Words of the format occur in prose as well. A role and a channel count only where they are
glued to each other or to what follows, as they never are in prose: ``assistantfinal``, and
``analysisWe`` at the very beginning; not ``the assistant's final analysis``.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from harmony.header_choice import Note
from harmony.messages import Role
from harmony.transcript import Diagnostic, TokenRange, Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding

# What no name holds, so that a word before it ends there.
END = r"(?=[\s{\[\"]|\Z)"
# Straight, typographic and Markdown's.
QUOTES = "\"'`*\u201c\u201d\u2018\u2019\u00ab\u00bb"


class Part(NamedTuple):
    """A piece of the text: a special token that it spells, or other text."""

    special: str | None
    """The token's name in the spec."""
    text: str


class Restored(NamedTuple):
    """A header that lost its special tokens."""

    start: int
    stop: int
    author: str
    """The role or the tool's name; empty where the prompt held it."""
    recipient: str
    channel: str
    content_type: str


class TextRecovery:
    """Reads the text of completions. Spec: [[text_leniencies]]."""

    def __init__(self, encoding: HarmonyEncoding) -> None:
        self._encoding = encoding
        self._spec = encoding.spec
        names = {token.text: token.name for token in self._spec.special_tokens.values()}
        self._names = names
        self._spelled = re.compile("(" + "|".join(map(re.escape, names)) + ")")
        self._role: str = self._spec.table("recovery")["default_role"]
        self._stops = set(self._spec.table("stop")["any"])

    def read(self, text: str, role: Role | None, tools: Tools = None) -> Transcript:
        """The messages in ``text``; see `recover_text`."""
        recovery = self._encoding.recovery
        declared = recovery.openings(tools).lexicon.tools
        parts = list(self._parts(text))
        tokens: list[int] = []
        found: list[Diagnostic] = []
        spelled = "".join(part.text for part in parts if part.special)
        for index, part in enumerate(parts):
            if part.special is not None:
                tokens.append(self._spec.token(part.special).id)
                continue
            before = parts[index - 1].special if index else None
            after = parts[index + 1].special if index + 1 < len(parts) else None
            # After `<|channel|>`, say, the text is a header's, and its tokens are spelled.
            in_header = before is not None and before != "message" and before not in self._stops
            headers = (
                []
                if in_header
                else self._headers(part.text, role, declared, at_beginning=not index)
            )
            self._add(tokens, found, part.text, headers, before, after)
        whole = recovery.transcript(tokens, role, tools)
        if spelled:
            note = Note("spelled-special", 0, 0, spelled)
            found.insert(0, recovery.diagnostic(note, TokenRange(0, len(tokens))))
        diagnostics = sorted([*found, *whole.diagnostics], key=lambda d: (d.tokens, d.code))
        whole.diagnostics[:] = diagnostics
        return whole

    def _parts(self, text: str) -> Iterator[Part]:
        for part in self._spelled.split(text):
            if part:
                yield Part(self._names.get(part), part)

    # ---- what was stripped ---------------------------------------------------------------

    @functools.cached_property
    def _words(self) -> dict[str, str]:
        """Expressions of the words that the patterns are made of."""
        any_of = _any_of
        types = any_of(self._spec.content_types)
        return {
            "role": re.escape(self._role),
            "channel": f"(?P<channel>{any_of(self._spec.channel_names)})",
            "to": re.escape(self._spec.table("recovery")["recipient_mark"]),
            # Bounded, or many headers glued to each other would each be looked for to the end.
            "name": r"[\w.\-]{1,128}?",
            # Behind a space a content type is one whatever follows it: ` codeprint(1)`. Glued
            # to a name it needs to be followed by what no name holds: `functions.fjson{`.
            "type": rf"(?:[ ](?P<type>{types})|(?P<glued>{types}){END})",
            "end": END,
        }

    def _route(self, lead: str) -> tuple[str, str]:
        """The two ways to go on: ``commentary to=functions.f``, `` to=functions.fcommentary``.

        ``lead`` is what comes before the second one's ``to=``.
        """
        w = self._words
        types = _any_of(self._spec.content_types)
        to = f"{w['to']}(?P<to>{w['name']})"
        channel_first = f"{w['channel']}(?:[ ]?{to}(?:{w['type']}|{w['end']}))?"
        recipient_first = f"{lead}{to}{w['channel']}(?:[ ]?(?P<type>{types}){w['end']})?"
        return channel_first, recipient_first

    @functools.cached_property
    def _inner(self) -> re.Pattern[str]:
        """A header anywhere: the role glued to a channel, or to a recipient and a channel."""
        return _pattern(self._words["role"], *self._route("[ ]"))

    @functools.cached_property
    def _outer(self) -> re.Pattern[str]:
        """A header at the very beginning, where the prompt held the role."""
        return _pattern("", *self._route("[ ]?"))

    def _answer(self, declared: tuple[str, ...]) -> re.Pattern[str]:
        """A tool's header: ``functions.f to=assistantcommentary``."""
        w = self._words
        namespaces = _any_of([row["name"] for row in self._spec.rows("namespaces")])
        names = "|".join([rf"{namespaces}\.[\w.\-]{{1,128}}+", *map(re.escape, declared)])
        speaker = re.escape(self._spec.table("recipients")["tool_results"])
        return re.compile(
            rf"(?<![\w.])(?P<author>{names})[ ]{w['to']}(?P<to>{speaker})"
            # In prose, as in "call functions.f to=assistant now", a space follows.
            rf"(?:{w['channel']}|(?=\S))"
        )

    def _headers(
        self, text: str, role: Role | None, declared: tuple[str, ...], *, at_beginning: bool
    ) -> list[Restored]:
        """The headers in ``text`` that lost their tokens, in their order."""
        found = [
            _restored(match, match["author"]) for match in self._answer(declared).finditer(text)
        ]
        answers = {header.stop - len(header.channel) for header in found}
        in_prompt = "" if role is not None else self._role
        for match in self._inner.finditer(text):
            # `functions.f to=assistantcommentary` is the tool's header, not the assistant's.
            answered = match.start() + len(self._role) in answers
            if not answered and not _is_prose(text, match):
                begins = at_beginning and match.start() == 0
                found.append(_restored(match, in_prompt if begins else self._role))
        begun = any(header.start == 0 for header in found)
        first = self._outer.match(text) if at_beginning and not begun else None
        if first is not None and _begins(text, first, sure=bool(found)):
            found.append(_restored(first, in_prompt))
        if found and text.endswith(self._role) and not text[: -len(self._role)][-1:].isspace():
            start = len(text) - len(self._role)
            if all(header.stop <= start for header in found):
                found.append(Restored(start, len(text), self._role, "", "", ""))
        return sorted(found)

    # ---- putting back ----------------------------------------------------------------------

    def _add(
        self,
        tokens: list[int],
        found: list[Diagnostic],
        text: str,
        headers: list[Restored],
        before: str | None,
        after: str | None,
    ) -> None:
        """Add the tokens of ``text``, and of what its headers lost, to ``tokens``."""
        encode = self._encoding.vocabulary.encode_ordinary
        done, ended, called = 0, before is None or before in self._stops, False
        for header in headers:
            tokens += encode(text[done : header.start])
            if header.start > done or not ended:
                tokens.append(self._terminator(called=called))
            begun = len(tokens)
            open_end = header.stop == len(text) and (after is not None or not header.channel)
            tokens += self._header(header, complete=not open_end)
            note = Note("stripped-special", 0, 0, text[header.start : header.stop])
            span = TokenRange(begun, len(tokens))
            found.append(self._encoding.recovery.diagnostic(note, span))
            done, ended = header.stop, False
            called = bool(header.recipient) and header.author in ("", self._role)
        tokens += encode(text[done:])

    def _terminator(self, *, called: bool) -> int:
        facts = self._spec.table("terminators")
        return self._spec.token(facts["call"] if called else facts["default"]).id

    def _header(self, header: Restored, *, complete: bool) -> Iterator[int]:
        token, encode = self._spec.token, self._encoding.vocabulary.encode_ordinary
        to = self._spec.table("recovery")["recipient_mark"]
        if header.author:
            yield token("start").id
            yield from encode(header.author)
        if header.recipient:
            yield from encode(f" {to}{header.recipient}")
        if header.channel:
            yield token("channel").id
            yield from encode(header.channel)
        if header.content_type:
            yield from encode(f" {header.content_type}")
        if complete:
            yield token("message").id


def _any_of(texts: list[str]) -> str:
    return "(?:" + "|".join(re.escape(text) for text in texts) + ")"


def _pattern(author: str, *routes: str) -> re.Pattern[str]:
    # Python's groups are named once each, so the second route's are numbered.
    first, second = routes
    second = re.sub(r"\(\?P<(\w+)>", r"(?P<\g<1>_2>", second)
    return re.compile(f"{author}(?:{first}|{second})")


def _group(match: re.Match[str], *names: str) -> str:
    groups = match.groupdict()
    return next((groups[name] for name in names if groups.get(name)), "")


def _restored(match: re.Match[str], author: str) -> Restored:
    to, channel = _group(match, "to", "to_2"), _group(match, "channel", "channel_2")
    content_type = _group(match, "type", "glued", "type_2")
    return Restored(match.start(), match.end(), author, to, channel, content_type)


def _is_prose(text: str, match: re.Match[str]) -> bool:
    """Whether prose speaks about the words, as in ``write `assistantfinal` or so``."""
    before, after = text[: match.start()][-1:], text[match.end() : match.end() + 1]
    if _group(match, "to", "to_2"):
        return False
    quoted = before != "" and before in QUOTES and after != "" and after in QUOTES
    return quoted or after == " " or (before.isspace() and after == "")


def _begins(text: str, match: re.Match[str], *, sure: bool) -> bool:
    """Whether a channel at the very beginning is one, and not a word of prose.

    ``sure`` says that another header was found behind it.
    """
    if _group(match, "to", "to_2"):
        return True
    after = text[match.end() : match.end() + 1]
    if sure:
        return bool(after) and after not in " .,;:!?-"
    # `analysisWe need` but not `analysis of`, `finally`, `final.`
    return after.isupper() or after.isdigit() or (after.isalpha() and not after.isascii())


@functools.cache
def _default() -> TextRecovery:
    from harmony.loading import HarmonyEncodingName, load_harmony_encoding

    return TextRecovery(load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS))


def recover_text(
    text: str,
    role: Role | str | None = Role.ASSISTANT,
    *,
    tools: Tools = None,
    encoding: HarmonyEncoding | None = None,
) -> Transcript:
    """The messages in a completion's text, whose special tokens were stripped or spelled out.

    Args:
        text: the text, as a server handed it on.
        role: the role that the prompt ended with; None if the text holds whole messages.
        tools: the declared tools, as for `HarmonyEncoding.parse`.
        encoding: whose spec holds; the default one if None.

    Returns:
        A transcript over the tokens as they were put back: `.tokens` are not those that the
        model sampled. What was put back, and what else was wrong, is in `.diagnostics`.

    Raises:
        InvalidMessage: ``tools`` holds something else than tools. No text is refused.
    """
    reader = _default() if encoding is None else TextRecovery(encoding)
    return reader.read(text, None if role is None else Role(role), tools)
