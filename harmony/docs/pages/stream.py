"""The page of the stream parser: its states, found by driving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harmony.docs import drawing
from harmony.docs.book import show
from harmony.docs.examples import fields
from harmony.docs.markdown import code, fence, paragraphs, table
from harmony.docs.states import END, TEXT, Transition, transitions
from harmony.events import ContentDelta, HeaderParsed, MessageFinished
from harmony.stream import StreamableParser
from harmony.stream_surface import StreamState

if TYPE_CHECKING:
    from harmony.docs.book import Book
    from harmony.events import Event

ERROR = "ParseError"
MOST_LABELS = 4
"""An arrow with more inputs than these names those of it that are not special tokens."""


def page(book: Book) -> str:
    """The diagram, the table, the events."""
    found = transitions(book.enc)
    given = list(dict.fromkeys(t.given for t in found))
    cells = {(t.state, t.given): _cell(t) for t in found}
    states = [state.value for state in StreamState]
    return paragraphs(
        "`StreamableParser` is a machine of few states. This diagram and the table below it were "
        "made by driving the parser: in each state it was given each special token, text, and "
        "the end of the input.",
        book.diagram("stream", drawing.draw(states, _edges(book, found), "states"), "The states"),
        table(
            ["state", "what it is"],
            (
                [code(row["name"]), row["purpose"]]
                for row in book.spec.rows("stream_states")
                if row["name"] in states
            ),
        ),
        "## Transitions",
        "Where a cell has an error and a state, it depends on the header so far. After an error "
        f"the parser waits for the next message, in the state {code(states[0])}, except at the "
        "end of the input: there the header may still go on. [Errors](errors.md) tells what each "
        "says; with `strict=False` there are none, see [recovery](recovery.md).",
        table(
            ["input", *(code(state) for state in states)],
            (
                [
                    name if name in (TEXT, END) else code(name),
                    *(cells[state, name] for state in states),
                ]
                for name in given
            ),
        ),
        "## Events",
        "`feed(tokens)` returns what the tokens brought.",
        table(
            ["event", "what it says", "fields"],
            (
                [
                    code(kind.__name__),
                    (kind.__doc__ or "").partition(" Spec:")[0],
                    [code(field) for field in kind.__annotations__],
                ]
                for kind in (HeaderParsed, ContentDelta, MessageFinished)
            ),
        ),
        _example(book),
    )


def _cell(transition: Transition) -> str:
    ways = [f"→ {code(state)}" for state in transition.states]
    ways += [f"error {code(name)}" for name in transition.errors]
    return ", or ".join(ways)


def _edges(book: Book, found: list[Transition]) -> list[drawing.Edge]:
    """The transitions, those with the same ends together."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for transition in found:
        targets = [*transition.states, *([ERROR] if transition.errors else [])]
        for target in targets:
            grouped.setdefault((transition.state, target), []).append(transition.given)
    special = frozenset(token.text for token in book.spec.special_tokens.values())
    return [
        drawing.Edge(source, target, _labels(given), special)
        for (source, target), given in grouped.items()
    ]


def _labels(given: list[str]) -> tuple[str, ...]:
    if len(given) <= MOST_LABELS:
        return tuple(given)
    named = [name for name in given if name in (TEXT, END)]
    return ("other special tokens", *named)


def _example(book: Book) -> str:
    """The events of an example."""
    found = book.examples("format")
    if not found:
        return ""
    example = found[0]
    parser = StreamableParser(book.enc, None)
    tokens = example.tokens(book.enc)
    events: list[Event] = []
    for token in tokens:
        events += parser.feed([token])
    return paragraphs(
        "Fed one by one, the tokens of this example bring these events.",
        show(example, book),
        fence("\n".join(_event(event) for event in events), "text"),
    )


def _event(event: Event) -> str:
    match event:
        case HeaderParsed():
            said = {name: getattr(event, name) for name in HeaderParsed.__annotations__}
            said["role"] = event.role.value
            words = ", ".join(f"{k}={v!r}" for k, v in said.items() if v is not None)
            return f"HeaderParsed({words})"
        case ContentDelta(text):
            return f"ContentDelta({text!r})"
        case MessageFinished(message, terminator):
            return f"MessageFinished({fields(message)['content']!r}, {terminator!r})"
