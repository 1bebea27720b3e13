"""``parse --stream``: tokens one by one, events as they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from harmony.cli.diagnostics import report
from harmony.cli.documents import as_json, json_of, text_of, token_ids, without_line_break
from harmony.cli.terminal import read, read_lines, write_line
from harmony.events import MessageFinished, event_name
from harmony.messages import Role
from harmony.stream import StreamableParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harmony.encoding import HarmonyEncoding
    from harmony.events import Event
    from harmony.transcript import Diagnostic


def write_events(
    harmony: HarmonyEncoding,
    file: str,
    role: str | None,
    *,
    strict: bool,
    tools: Sequence[str],
    from_text: bool,
    json_reports: bool,
) -> None:
    """Write the events of the tokens in ``file`` as JSON Lines, each at once.

    Raises:
        HarmonyError: the input is no list of ids, or (if ``strict``) not in the format. The
            events before the fault are written.
    """
    parser = StreamableParser(
        harmony, None if role is None else Role(role), strict=strict, tools=list(tools)
    )
    reported: set[Diagnostic] = set()
    for token in _tokens(file, harmony, from_text=from_text):
        for event in parser.feed([token]):
            _write(event)
        _report_new(parser, reported, as_json=json_reports)
    for event in parser.finish():
        _write(event)
    _report_new(parser, reported, as_json=json_reports)


def _write(event: Event) -> None:
    write_line(as_json(event_dict(event), jsonl=True), now=True)


def event_dict(event: Event) -> dict[str, Any]:
    """An event as plain data: ``event`` (``"header_parsed"``) and its fields."""
    name = event_name(type(event))
    if isinstance(event, MessageFinished):
        return {
            "event": name,
            "message": event.message.to_dict(),
            "terminator": event.terminator,
        }
    return {"event": name, **attrs.asdict(event)}


def _report_new(parser: StreamableParser, reported: set[Diagnostic], *, as_json: bool) -> None:
    """Report the diagnostics of a lenient parser that are not in ``reported``; put them there."""
    diagnostics: list[Diagnostic] = getattr(parser, "diagnostics", [])
    for diagnostic in diagnostics:
        if diagnostic not in reported:
            reported.add(diagnostic)
            report(diagnostic, as_json=as_json)


def _tokens(file: str, harmony: HarmonyEncoding, *, from_text: bool) -> Iterator[int]:
    """The ids in ``file``, each as soon as its line is there."""
    if from_text:
        yield from harmony.encode(without_line_break(text_of(read(file))), allowed_special="all")
        return
    # A line is an id or a list of ids; a list may also go over many lines, up to its bracket.
    pending = b""
    for line in read_lines(file):
        pending += line
        if not pending.strip():
            continue
        if _is_complete(pending):
            yield from _ids(json_of(pending))
            pending = b""
    if pending.strip():
        yield from _ids(json_of(pending))


def _is_complete(text: bytes) -> bool:
    opening, closing = text.strip()[:1], text.strip()[-1:]
    if opening in (b"[", b"{") and closing not in (b"]", b"}"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _ids(document: Any) -> list[int]:
    return token_ids([document] if isinstance(document, int) else document)
