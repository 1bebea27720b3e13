"""Calls of the browser, and the actions of web search calls that stand for them.

The browser knows pages by a cursor, a web search call by a URL: ``cursor:3`` is the URL of
what cursor 3 shows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harmony.convert.facts import Facts

CURSOR = "cursor"


def search_arguments(action: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the call that an action stands for."""
    arguments = {key: action[key] for key in ("query", "pattern") if key in action}
    queries = action.get("queries")
    if isinstance(queries, list) and queries and "query" not in action:
        arguments["query"] = queries[0] if len(queries) == 1 else queries
    url = action.get("url")
    if isinstance(url, str):
        place, mark, cursor = url.partition(":")
        if place == CURSOR and mark and (not cursor or cursor.lstrip("-").isdigit()):
            arguments |= {CURSOR: int(cursor)} if cursor else {}
        elif action.get("type") == "open_page":
            arguments["id"] = url
        else:
            arguments["url"] = url
    return arguments


def search_action(tool: str, arguments: str, facts: Facts) -> dict[str, Any]:
    """The action of a call.

    Args:
        tool: as it is addressed: ``"browser.find"``.
        arguments: JSON, as the model wrote it; where it is none, it is what was searched for.
        facts: which tool does what.
    """
    given = _object(arguments)
    kind = action_type(tool, facts)
    if kind == "open_page":
        url = _url(given, "id")
        return {"type": kind} if url is None else {"type": kind, "url": url}
    if kind == "find_in_page":
        pattern = given.get("pattern")
        pattern = pattern if isinstance(pattern, str) else arguments
        return {"type": kind, "pattern": pattern, "url": _url(given, "url") or f"{CURSOR}:"}
    query = given.get("query")
    if isinstance(query, list) and query and all(isinstance(item, str) for item in query):
        return {"type": kind, "queries": query}
    return {"type": kind, "query": query if isinstance(query, str) else arguments}


def action_type(tool: str, facts: Facts) -> str:
    """What a tool of the browser does; one that the spec does not name searches."""
    name = tool.partition(".")[2]
    found = (kind for kind, does in facts.actions.items() if does == name)
    return next(found, next(iter(facts.actions)))


def unheld(arguments: str, action: Mapping[str, Any]) -> list[str]:
    """The arguments that an action does not hold."""
    held = search_arguments(action)
    return [key for key, value in _object(arguments).items() if held.get(key) != value]


def _url(given: Mapping[str, Any], field: str) -> str | None:
    url = given.get(field)
    if isinstance(url, str):
        return url
    return f"{CURSOR}:{given[CURSOR]}" if isinstance(given.get(CURSOR), int) else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
