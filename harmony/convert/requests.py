"""What both APIs' requests have in common: how a prompt is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harmony.contents import DeveloperContent, ResponseFormat, TextContent
from harmony.convert.facts import Facts
from harmony.convert.history import History
from harmony.convert.plain import Dropped, Node, plain
from harmony.convert.prompt import Prompt
from harmony.convert.request_settings import answer_format, date_text, system_content
from harmony.convert.request_tools import read_tools
from harmony.errors import InvalidRequest
from harmony.loading import HarmonyEncodingName, load_harmony_encoding
from harmony.messages import Author, Conversation, Message, Role
from harmony.tools import ToolNamespaceConfig
from harmony.validation import instance, shortened, type_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from harmony.convert.request_tools import DeclaredTools
    from harmony.encoding import HarmonyEncoding

# What the servers of open models take beside the official fields, also within this object.
TEMPLATE_ARGUMENTS = "chat_template_kwargs"
# What a request may ask for and the prompt does not say.
UNSAID = {
    "audio": "Harmony holds text only",
    "logprobs": "Harmony holds none; they are the sampler's",
    "top_logprobs": "Harmony holds none; they are the sampler's",
    "prediction": "a prompt does not hold what is predicted",
    "verbosity": "the model knows no verbosity; tell it in the instructions",
}
EMPTY_INSTRUCTIONS = "empty instructions say nothing"


class RequestReader:
    """Reads the settings of a request, and makes the prompt once its history is read."""

    def __init__(self, request: object, encoding: HarmonyEncoding | None) -> None:
        self.encoding = own_encoding(encoding)
        self.facts = Facts.of(self.encoding.spec)
        data = plain(request)
        if not isinstance(data, dict):
            raise InvalidRequest(
                f"expected a request (an object), got {type_name(request)}: {shortened(request)}"
            )
        extra = data.get(TEMPLATE_ARGUMENTS)
        if isinstance(extra, dict):
            data |= {key: value for key, value in extra.items() if data.get(key) is None}
        self.data: dict[str, Any] = data
        self.request = Node(data)
        self.tools: DeclaredTools = read_tools(self.request, self.facts)
        names = frozenset(tool.name for tool in self.tools.functions)
        self.history = History(self.facts, self.encoding, self.tools.built_in, names)
        self.history.dropped += _unsaid(self.request)
        self._instructions: str | None = None
        self._author = Author(Role.DEVELOPER)

    @classmethod
    def onward(cls, prompt: Prompt) -> RequestReader:
        """Reads messages that come after those of ``prompt``."""
        reader = cls(prompt.request, prompt.encoding)
        reader.history.calls = prompt.calls
        # What the request itself lost was said when it was read.
        reader.history.dropped.clear()
        # The first instructions stand before all else, and these do not.
        reader._instructions = ""
        return reader

    def instruct(self, text: str | None, name: Node, where: str) -> None:
        """Instructions: the first go before all else if nothing stands before them."""
        history = self.history
        if not text:
            history.dropped.append(Dropped(where, EMPTY_INSTRUCTIONS))
        elif self._instructions is None and not history.messages:
            self._instructions = text
            self._author = Author(Role.DEVELOPER, name.text_or_none() or None)
        else:
            content = DeveloperContent(instructions=text)
            author = Author(Role.DEVELOPER, name.text_or_none() or None)
            history.messages.append(Message(author, [content]))

    def prompt(self, api: str, effort: Node, format: Node, date: dt.date | str | None) -> Prompt:
        """The prompt, whose history has been read."""
        tools, history = self.tools, self.history
        wanted = answer_format(format)
        system = system_content(
            self.request, effort, date_text(date, self.request), tools.built_in, self.facts
        )
        opening = [Message(Author(Role.SYSTEM), [system])]
        # Only a schema has a place in the prompt; that the answer is JSON is the user's to say.
        shown = wanted.format if wanted is not None and wanted.kind == "json_schema" else None
        developer = self._developer_content(shown)
        if developer is not None:
            opening.append(Message(self._author, [developer]))
        generate = self.request["add_generation_prompt"].flag(default=True)
        return Prompt(
            conversation=Conversation([*opening, *history.messages]),
            encoding=self.encoding,
            tools=tools.functions,
            builtin_tools=tools.built_in,
            answer_format=wanted,
            tool_choice=tools.choice,
            allowed_tools=tools.allowed,
            parallel_tool_calls=tools.parallel,
            next_turn_role=Role.ASSISTANT if generate else None,
            dropped=history.dropped,
            api=api,
            request=self.data,
            calls=history.calls,
            call_ids=[(history.messages[index], id) for index, id in history.ids.items()],
        )

    def _developer_content(self, shown: ResponseFormat | None) -> DeveloperContent | None:
        functions = self.tools.functions
        if self._instructions is None and not functions and shown is None:
            return None
        content = DeveloperContent(instructions=self._instructions)
        if functions:
            content.with_tools(ToolNamespaceConfig(self.facts.functions, None, list(functions)))
        if shown is not None:
            content.response_formats = [shown]
        return content


def _unsaid(request: Node) -> Iterator[Dropped]:
    """What a request asks for and the prompt does not say."""
    fields = request.fields()
    text = fields.get("text")
    for field, reason in UNSAID.items():
        if fields.get(field):
            yield Dropped(field, reason)
        if isinstance(text, dict) and text.get(field):
            yield Dropped(f"text.{field}", reason)
    modalities = fields.get("modalities")
    if modalities and modalities != ["text"]:
        yield Dropped("modalities", UNSAID["audio"])


def own_encoding(encoding: HarmonyEncoding | None) -> HarmonyEncoding:
    """``encoding``, or the default one. Raises `InvalidMessage` for what is none."""
    if encoding is None:
        return load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
    from harmony.encoding import HarmonyEncoding

    return instance(encoding, HarmonyEncoding)


def text_of_message(message: Message) -> str:
    """The text of a message that holds only text; structured content has none."""
    return "".join(part.text for part in message.content if isinstance(part, TextContent))
