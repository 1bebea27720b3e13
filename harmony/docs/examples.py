"""The examples of the documentation: rendered and parsed back as a page is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from harmony.contents import TextContent
from harmony.errors import GrammarError, HarmonyError
from harmony.messages import Conversation, Message, Role
from harmony.options import RenderConversationConfig
from harmony.spec import load_spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harmony.docs.spelling import Spelling
    from harmony.encoding import HarmonyEncoding

LINE = 240
"""Characters of JSON that stand in one line."""
KEEP_ALL = RenderConversationConfig(auto_drop_analysis=False)


@attrs.frozen
class Example:
    """A conversation that a page shows. Spec: [[examples]]."""

    name: str
    title: str
    prose: str
    conversation: Conversation = attrs.field(repr=False)
    next_turn: Role | None = None
    """Whose turn the prompt opens at its end."""

    def tokens(
        self, enc: HarmonyEncoding, config: RenderConversationConfig = KEEP_ALL
    ) -> list[int]:
        """What it is rendered to."""
        if self.next_turn is None:
            return enc.render_conversation(self.conversation, config)
        return enc.render_conversation_for_completion(self.conversation, self.next_turn, config)

    def text(self, enc: HarmonyEncoding, config: RenderConversationConfig = KEEP_ALL) -> str:
        """The same as text, with the special tokens spelled out."""
        return enc.decode(self.tokens(enc, config))


def examples(enc: HarmonyEncoding, page: str, spelling: Spelling) -> list[Example]:
    """The examples of a page, each rendered and read back.

    Those of the library's own spec are left out where an overlay has made them impossible.

    Raises:
        GrammarError: a row of an overlay does not hold together, or what it renders to reads
            as another conversation.
    """
    own = load_spec().rows("examples")
    found = []
    for row in enc.spec.rows("examples"):
        if row.get("page") == page:
            try:
                found.append(_example(enc, row, spelling))
            except GrammarError:
                if row not in own:
                    raise
    return found


def _example(enc: HarmonyEncoding, row: dict[str, Any], spelling: Spelling) -> Example:
    """A row, rendered and read back."""
    try:
        turn = row.get("next_turn")
        example = Example(
            row["name"],
            row["title"],
            row["prose"],
            Conversation.from_dict({"messages": json.loads(spelling.text(row["messages"]))}),
            None if turn is None else Role(turn),
        )
        read = enc.parse_conversation(example.tokens(enc))
    except (HarmonyError, ValueError, KeyError) as error:
        raise GrammarError(
            f"[[examples]] of the spec: {row.get('name')!r} is not well: {error}"
        ) from error
    if read.messages != example.conversation.messages:
        raise GrammarError(
            f"[[examples]] of the spec: {row['name']!r} is rendered to what reads as another "
            f"conversation: {shown(read.messages)}"
        )
    return example


def fields(message: Message) -> dict[str, Any]:
    """The fields of a message that are set; a text by itself."""
    form = {key: value for key, value in message.to_dict().items() if value is not None}
    contents = form.pop("content")
    plain = len(message.content) == 1 and isinstance(message.content[0], TextContent)
    return {**form, "content": contents[0]["text"] if plain else contents}


def shown(messages: Iterable[Message]) -> str:
    """Messages as JSON, one a line; a long one over several lines."""
    return "\n".join(_json(fields(message)) for message in messages)


def _json(form: dict[str, Any]) -> str:
    line = json.dumps(form, ensure_ascii=False)
    return line if len(line) <= LINE else json.dumps(form, ensure_ascii=False, indent=2)
