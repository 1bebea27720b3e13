"""System and developer messages of a transcript, read back into structured content.

Spec: [system_message], [developer_message], [[departures]].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.contents import TextContent
from harmony.messages import Role
from harmony.section_reader import read_developer, read_system
from harmony.sections import developer_text
from harmony.transcript import Diagnostic, TokenRange

if TYPE_CHECKING:
    from harmony.contents import Content
    from harmony.renderer import Renderer
    from harmony.section_reader import SystemReading
    from harmony.transcript import Transcript


def read_structure(transcript: Transcript, renderer: Renderer) -> None:
    """Put structured content in the place of the texts that follow the templates.

    Content comes back only if rendering the conversation gives the very text again. Where a
    text does not follow its template it stays, and a diagnostic is added.
    """
    spec = renderer.spec
    systems: list[tuple[int, SystemReading]] = []
    for index, message in enumerate(transcript.messages):
        text = _text(message.content)
        if text is None:
            continue
        if message.author.role is Role.SYSTEM:
            systems.append((index, read_system(text, spec)))
        elif message.author.role is Role.DEVELOPER:
            style = renderer.schema_style
            reading = read_developer(text, spec, schema_style=style)
            content = reading.content
            if content is not None and developer_text(content, spec, schema_style=style) != text:
                _note(transcript, renderer, index, "schema-style", 0, reading.schema_style)
                content = None
            elif reading.departure is not None:
                departure = reading.departure
                code = "developer-text" if content is None else "instructions-heading"
                _note(transcript, renderer, index, code, departure.offset, departure.sentence)
            if content is not None:
                message.content = [content]
    # Whether the system message carries the note on function tools is a matter of the whole
    # conversation, so it is known only now.
    function_tools = renderer.has_function_tools(transcript.messages)
    for index, system in systems:
        if system.departure is not None:
            offset, sentence = system.departure.offset, system.departure.sentence
            _note(transcript, renderer, index, "system-text", offset, sentence)
        if system.content is None:
            continue
        channels = system.content.channel_config
        has_note = channels is not None and bool(channels.valid_channels)
        if has_note and system.function_tools != function_tools:
            text = _text(transcript.messages[index].content) or ""
            _note(transcript, renderer, index, "function-tools-note", len(text), "")
        else:
            transcript.messages[index].content = [system.content]


def _text(contents: list[Content]) -> str | None:
    if len(contents) == 1 and isinstance(contents[0], TextContent):
        return contents[0].text
    return None


def _note(
    transcript: Transcript, renderer: Renderer, index: int, code: str, offset: int, found: str
) -> None:
    """Add the diagnostic ``code`` about the text of a message, from the character ``offset``."""
    row = next(row for row in renderer.spec.rows("departures") if row["code"] == code)
    content = transcript.spans[index].content
    text = _text(transcript.messages[index].content) or ""
    tokens = transcript.tokens[content.start : content.stop]
    first = content.start + renderer.token_at(tokens, len(text[:offset].encode()))
    transcript.diagnostics.append(
        Diagnostic(
            code,
            row["sentence"].format(offset=offset, found=found),
            TokenRange(min(first, content.stop), content.stop),
            row["severity"],
            text[offset:],
        )
    )
