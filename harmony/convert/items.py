"""Output items of the Responses API: as they begin, and as they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from harmony.convert.plain import Dropped
from harmony.convert.routing import Kind
from harmony.convert.search_actions import action_type, search_action, unheld

if TYPE_CHECKING:
    from harmony.convert.facts import Facts
    from harmony.convert.identifiers import Identifiers
    from harmony.convert.routing import Route

IN_PROGRESS, COMPLETED, INCOMPLETE = "in_progress", "completed", "incomplete"
# The prefix of the id, and the type, of the item of a message.
TYPES = {
    Kind.REASONING: ("rs_", "reasoning"),
    Kind.TEXT: ("msg_", "message"),
    Kind.FUNCTION: ("fc_", "function_call"),
    Kind.SEARCH: ("ws_", "web_search_call"),
    Kind.CODE: ("ci_", "code_interpreter_call"),
    Kind.RESULT: ("fco_", "function_call_output"),
}
NO_RESULT = "an answer of a built-in tool has a place only behind the interpreter's call"
NO_CALL = "no call before it waits for this answer"
NO_ITEM = "no item of an answer is of that role"


@attrs.define
class ItemMaker:
    """Makes the items of one completion, message by message, in their order.

    `begin` tells the item of a message by its header, `end` by all of it; both are asked for
    each message, whoever wants the one or the other.
    """

    facts: Facts
    container_id: str = "auto"
    """What a code interpreter call names as its container."""
    waiting: list[tuple[str, str]] = attrs.field(factory=list)
    """Function calls without an answer: the function, and the call's id."""

    def begin(self, route: Route, ids: Identifiers) -> dict[str, Any] | None:
        """The item as a stream adds it, without its text; None if it has none of its own."""
        kind, item = route.kind, _new(route, ids)
        if kind is Kind.SEARCH:
            action = {"type": action_type(route.name, self.facts)}
            if action["type"] == "find_in_page":
                action |= {"pattern": "", "url": ""}
            item["action"] = action
        elif kind is Kind.CODE:
            item |= {"code": "", "container_id": self.container_id, "outputs": None}
        elif kind is Kind.RESULT:
            call_id = self.answers(route)
            if call_id is None:
                return None
            item |= {"call_id": call_id, "output": ""}
        return item or None

    def end(self, route: Route, item: dict[str, Any], text: str, *, complete: bool) -> None:
        """Fill in the item of a message that is finished, or was cut short."""
        kind = route.kind
        item["status"] = COMPLETED if complete else INCOMPLETE
        if kind is Kind.REASONING:
            item["content"] = [{"type": "reasoning_text", "text": text}]
            if complete:
                # The API says so of reasoning only where it was cut short.
                del item["status"]
        elif kind is Kind.TEXT:
            item["content"] = [output_text(text)]
        elif kind is Kind.FUNCTION:
            item["arguments"] = text
            self.waiting.append((route.name, item["call_id"]))
        elif kind is Kind.SEARCH:
            item["action"] = search_action(route.name, text, self.facts)
        elif kind is Kind.CODE:
            item["code"] = text
        else:
            item["output"] = text
            self.waiting.remove((route.name, item["call_id"]))

    def answers(self, route: Route) -> str | None:
        """The id of the call that a result answers; the first one of that function."""
        return next((id for name, id in self.waiting if name == route.name), None)

    def is_output(self, before: Route | None, route: Route) -> bool:
        """Whether a result is the output of the interpreter's call right before it."""
        return (
            before is not None
            and before.kind is Kind.CODE
            and route.kind is Kind.RESULT
            and self.facts.namespace_of(route.name) == self.facts.code
        )

    def lost(
        self, route: Route, text: str, item: dict[str, Any] | None, path: str
    ) -> list[Dropped]:
        """What the item of a message does not hold."""
        if route.kind is Kind.SEARCH and item is not None:
            return [
                Dropped(f"{path}.content.{key}", "a web search call has no place for it")
                for key in unheld(text, item["action"])
            ]
        if item is not None:
            return []
        if route.kind is Kind.OTHER:
            return [Dropped(path, NO_ITEM)]
        built_in = self.facts.namespace_of(route.name) is not None
        return [Dropped(path, NO_RESULT if built_in else NO_CALL)]


def _new(route: Route, ids: Identifiers) -> dict[str, Any]:
    """What an item of that kind begins with."""
    if route.kind not in TYPES:
        return {}
    prefix, type = TYPES[route.kind]
    item: dict[str, Any] = {"id": ids.make(prefix), "type": type, "status": IN_PROGRESS}
    if route.kind is Kind.REASONING:
        item |= {"summary": [], "content": []}
    elif route.kind is Kind.TEXT:
        item |= {"role": "assistant", "content": []}
        item |= {} if route.phase is None else {"phase": route.phase}
    elif route.kind is Kind.FUNCTION:
        item |= {"call_id": ids.make("call_"), "name": route.name, "arguments": ""}
    return item


def output_text(text: str) -> dict[str, Any]:
    """The content part of an answer."""
    return {"type": "output_text", "text": text, "annotations": []}


def log(text: str) -> dict[str, Any]:
    """An output of the code interpreter."""
    return {"type": "logs", "logs": text}
