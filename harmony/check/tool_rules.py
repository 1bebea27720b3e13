"""Declarations of tools. Spec: [tools_section], [[namespaces]]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.check.findings import Finding, reports
from harmony.errors import InvalidSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harmony.check.subject import Subject
    from harmony.transcript import TokenRange


def _tokens(subject: Subject, index: int | None) -> TokenRange | None:
    return None if index is None else subject.content(index)


@reports("HAR801")
def schemas(subject: Subject) -> Iterator[Finding]:
    """Parameters and response formats are JSON Schemas."""
    declared = [
        (place.tool.recipient, place.tool.parameters, f"{place.tool.path}.parameters", place.index)
        for place in subject.declared
        if place.tool.parameters is not None
    ]
    declared += [
        (f"the response format {format.name!r}", format.schema, f"{path}.schema", index)
        for format, index, path in subject.formats
    ]
    declared += [
        ("the response format", schema, "$", None) for schema in subject.given.response_format or ()
    ]
    for found, schema, path, index in declared:
        try:
            subject.schemas.check(schema)
        except InvalidSchema as error:
            values: dict[str, object] = {"found": found, "reason": error.message}
            yield Finding("HAR801", index, values, _tokens(subject, index), found, path)


@reports("HAR802")
def names(subject: Subject) -> Iterator[Finding]:
    """Names are identifiers."""
    seen: set[tuple[int | None, str]] = set()
    for place in subject.declared:
        tool = place.tool
        if tool.namespace is None:
            continue
        for name in (tool.namespace, tool.name):
            # TypeScript allows a dollar sign, Python does not.
            if name.replace("$", "_").isidentifier() or (place.index, name) in seen:
                continue
            seen.add((place.index, name))
            tokens = _tokens(subject, place.index)
            values: dict[str, object] = {"found": repr(name)}
            yield Finding("HAR802", place.index, values, tokens, name, f"{tool.path}.name")


@reports("HAR803")
def duplicates(subject: Subject) -> Iterator[Finding]:
    """A tool is declared once, by the conversation and by the caller each."""
    seen: set[tuple[bool, str]] = set()
    for place in subject.declared:
        recipient = place.tool.recipient
        key = (place.index is None, recipient)
        if key in seen:
            tokens = _tokens(subject, place.index)
            values: dict[str, object] = {"found": recipient}
            yield Finding("HAR803", place.index, values, tokens, recipient, place.tool.path)
        seen.add(key)


@reports("HAR804")
def namespaces(subject: Subject) -> Iterator[Finding]:
    """Namespaces are those of the format."""
    known = subject.facts.namespaces
    seen: set[tuple[int | None, str]] = set()
    for place in subject.declared:
        namespace = place.tool.namespace
        if namespace is None or namespace in known or (place.index, namespace) in seen:
            continue
        seen.add((place.index, namespace))
        tokens = _tokens(subject, place.index)
        values: dict[str, object] = {"found": repr(namespace), "declared": ", ".join(known)}
        path = place.tool.path.rpartition(".tools")[0] or place.tool.path
        yield Finding("HAR804", place.index, values, tokens, namespace, path)


@reports("HAR805")
def descriptions(subject: Subject) -> Iterator[Finding]:
    """Tools say what they do."""
    for place in subject.declared:
        tool = place.tool
        if tool.description is not None and not tool.description.strip():
            tokens = _tokens(subject, place.index)
            values: dict[str, object] = {"found": tool.recipient}
            path = f"{tool.path}.description"
            yield Finding("HAR805", place.index, values, tokens, tool.recipient, path)
