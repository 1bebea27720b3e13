"""The one object that users hold: a vocabulary, a grammar and a dialect, put together."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from harmony.check_surface import Checks
from harmony.grammar import load_grammar
from harmony.history import History
from harmony.matcher import Matcher
from harmony.messages import Conversation, Message, Role
from harmony.options import RenderConversationConfig, RenderOptions
from harmony.parser import Parser
from harmony.spec import load_spec
from harmony.text_cache import DEFAULT_BYTES, TextCache
from harmony.token_text import TokenText
from harmony.validation import instance
from harmony.vocabulary import ids_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Token, Tree

    from harmony.declared_tools import Tools
    from harmony.grammar import Grammar
    from harmony.matcher import Header
    from harmony.recovery import Recovery
    from harmony.renderer import Renderer
    from harmony.rendering import Rendering
    from harmony.spec import Dialect
    from harmony.transcript import Transcript
    from harmony.vocabulary import Vocabulary


class HarmonyEncoding(TokenText, Checks):
    """Renders messages to tokens, and parses tokens to messages.

    Made by `load_harmony_encoding`. It keeps no state of any conversation; threads may share
    it.

    Attributes:
        name: the encoding's name.
        spec: the facts of the format.
        grammar: the syntax of messages.
        vocabulary: ids and bytes.
        dialect: how headers are written.
    """

    def __init__(
        self,
        name: str,
        grammar: Grammar,
        vocabulary: Vocabulary,
        dialect: Dialect,
        *,
        cache_bytes: int = DEFAULT_BYTES,
        schema_style: str | None = None,
    ) -> None:
        super().__init__(vocabulary, grammar.spec)
        self.name = name
        self.grammar = grammar
        self.dialect = dialect
        self.cache = TextCache(cache_bytes)
        self.schema_style = schema_style
        self.structure: dict[int, str] = {
            **dict.fromkeys(vocabulary.special_texts, "part"),
            self.spec.token("start").id: "start",
            self.spec.token("message").id: "message",
            **dict.fromkeys(self.stop_tokens(), "terminator"),
        }
        """What each special token does: opens, divides or ends a message, or is part of it."""
        # For the streams, which look them up often: plain attributes are found fastest.
        self.first_special = vocabulary.first_special
        self.lex_known = vocabulary.lex_known
        # The headers that streams have read so far, by their ids; by the role given to them.
        self.headers_by_ids: dict[Role | None, dict[tuple[int, ...], Header]] = {
            role: {} for role in (None, *self.spec.roles)
        }
        self._history = History(self.spec)
        # `parser`, once it was asked for: a plain attribute is found faster.
        self._parser: Parser | None = None

    def __repr__(self) -> str:
        return f"HarmonyEncoding({self.name!r}, dialect={self.dialect.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        # By what it was loaded with: the rest is caches, and no thread's lock can be copied.
        from harmony.loading import rebuilt

        own = load_grammar(load_spec())
        arguments = {
            "name": self.name,
            "dialect": self.dialect.name,
            "spec": None if self.spec is own.spec else self.spec.data,
            "grammar": None if self.grammar.text == own.text else self.grammar.text,
            "schema_style": self.schema_style,
            "cache_bytes": self.cache.limit,
        }
        return rebuilt, (arguments,)

    @functools.cached_property
    def matcher(self) -> Matcher:
        """The compiled grammar."""
        return Matcher(self.grammar)

    @functools.cached_property
    def parser(self) -> Parser:
        """The batch parser."""
        self._parser = Parser(self.grammar, self.matcher, self.vocabulary)
        return self._parser

    @functools.cached_property
    def recovery(self) -> Recovery:
        """The parser that reads whatever comes."""
        from harmony.recovery import Recovery

        return Recovery(self.grammar, self.matcher, self.vocabulary)

    @functools.cached_property
    def renderer(self) -> Renderer:
        """What renders messages."""
        from harmony.renderer import Renderer
        from harmony.writer import Writer

        writer = Writer(self.grammar, self.dialect)
        return Renderer(
            self.grammar, self.dialect, self.vocabulary, writer, self.cache, self.schema_style
        )

    # ---- rendering -------------------------------------------------------------------------

    def render(self, message: Message, render_options: RenderOptions | None = None) -> list[int]:
        """The ids of one message. Spec: [format].

        Raises:
            RenderError: the format cannot express the message.
            InvalidMessage: a field has the wrong type.
            InvalidSchema: a tool's parameters cannot be written.
        """
        tools = False
        if render_options is not None:
            options = instance(render_options, RenderOptions)
            tools = options.conversation_has_function_tools
        return self.renderer.render(message, function_tools=tools)

    def render_conversation(
        self, conversation: Conversation, config: RenderConversationConfig | None = None
    ) -> list[int]:
        """The ids of a conversation. Raises as `render` does."""
        messages = _messages(conversation)
        policy = "auto" if config is None else _policy(config)
        return self.renderer.render_all(messages, self._history.shown(messages, policy))

    def render_conversation_for_completion(
        self,
        conversation: Conversation,
        next_turn_role: Role,
        config: RenderConversationConfig | None = None,
    ) -> list[int]:
        """The ids of a conversation, and of what opens the next turn. Raises as `render` does."""
        messages = _messages(conversation)
        policy = "auto" if config is None else _policy(config)
        renderer = self.renderer
        if not isinstance(next_turn_role, Role):
            next_turn_role = Role(next_turn_role)
        tokens = renderer.render_all(messages, self._history.shown(messages, policy))
        tokens += renderer.turn(next_turn_role)
        return tokens

    def render_conversation_for_training(
        self, conversation: Conversation, config: RenderConversationConfig | None = None
    ) -> list[int]:
        """The ids of a conversation to train on. Spec: [terminators].

        A final answer at its end ends with the training terminator. Raises as `render` does.
        """
        tokens = self.render_conversation(conversation, config)
        messages = _messages(conversation)
        if tokens and messages and self.renderer.ends_training(messages[-1]):
            tokens[-1] = self.renderer.training_terminator
        return tokens

    def render_tokens(
        self,
        conversation: Conversation,
        next_turn_role: Role | None = None,
        config: RenderConversationConfig | None = None,
        *,
        training: bool = False,
        reuse: Transcript | None = None,
    ) -> Rendering:
        """The ids of a conversation, and to what each belongs.

        Args:
            conversation: the messages.
            next_turn_role: whose turn the ids open at their end; None for nobody's.
            config: which messages are rendered.
            training: end a final answer with the training terminator.
            reuse: messages that it holds are rendered as the very ids that they were parsed
                from: what the model sampled is not always how the tokenizer splits the text.

        Raises as `render` does.
        """
        messages = _messages(conversation)
        policy = "auto" if config is None else _policy(config)
        kept = self._history.kept(messages, policy)
        rendering = self.renderer.rendering(messages, kept, reuse=reuse)
        tokens = rendering.tokens
        if training and tokens and self.renderer.ends_training(messages[-1]):
            tokens[-1] = self.renderer.training_terminator
        if next_turn_role is not None:
            tokens += self.renderer.turn(_role(next_turn_role))
        return rendering

    # ---- parsing ---------------------------------------------------------------------------

    def parse_messages_from_completion_tokens(
        self, tokens: Sequence[int], role: Role | None = None, *, strict: bool = True
    ) -> list[Message]:
        """The messages of a completion.

        Args:
            tokens: token ids.
            role: the role that the prompt ended with, after `<|start|>`; None if the tokens
                hold whole messages.
            strict: refuse what is not in the format; with False, read it all the same.

        Raises:
            ParseError: the tokens are not in the format; `.parsed` has the messages before.
            InvalidToken: an id that the vocabulary does not have.
        """
        if strict:
            if type(tokens) is not list:
                tokens = ids_of(tokens)
            parser = self._parser or self.parser
            return parser.messages(tokens, None if role is None else _role(role))
        return self.parse(tokens, role, strict=False).messages

    def parse(
        self,
        tokens: Sequence[int],
        role: Role | None = None,
        *,
        strict: bool = True,
        tools: Tools = None,
        structured: bool = False,
        validate: bool = False,
    ) -> Transcript:
        """The messages of a completion or a prompt, where they stood, and what was noticed.

        Args:
            tokens: token ids.
            role: the role that the prompt ended with, after `<|start|>`.
            strict: refuse what is not in the format; with False, read it all the same.
            tools: the declared tools, which a lenient reading may need: `ToolDescription`s,
                namespaces, or recipients such as ``"functions.get_weather"``.
            structured: read system and developer messages into `SystemContent` and
                `DeveloperContent`. Text that does not follow the template stays text, with a
                diagnostic that says from where on it departs. Spec: [[departures]].
            validate: check the messages, and refuse what breaks a rule of severity
                ``"error"``. Spec: [[rules]].

        Raises as `parse_messages_from_completion_tokens` does, never with ``strict=False``; and
        with ``validate=True``, whatever ``strict`` is:

        Raises:
            CheckFailed: rules are broken; lists them all, with their positions.
            MissingExtra: as `check` does.
        """
        tokens, role = ids_of(tokens), _optional_role(role)
        if strict:
            transcript = self.parser.transcript(tokens, role)
        else:
            transcript = self.recovery.transcript(tokens, role, tools)
        if structured:
            from harmony.structured import read_structure

            read_structure(transcript, self.renderer)
        transcript._normalize = self._normalized  # noqa: SLF001 (given, so that it needs no us)
        if validate:
            self.checker.validate(transcript, tools)
        return transcript

    def _normalized(self, transcript: Transcript) -> Transcript:
        normal = self.renderer.normalized(transcript)
        normal._normalize = self._normalized  # noqa: SLF001 (as above)
        return normal

    def parse_conversation(
        self, tokens: Sequence[int], *, strict: bool = True, structured: bool = True
    ) -> Transcript:
        """The conversation that a prompt holds; the inverse of rendering it.

        A prompt ends inside a header: `.next_turn_role` of the result says whose turn it
        opens. Raises as `parse` does.
        """
        tokens = list(ids_of(tokens))
        turn = self._open_turn(tokens)
        if turn is None:
            return self.parse(tokens, strict=strict, structured=structured)
        role, start = turn
        transcript = self.parse(tokens[:start], strict=strict, structured=structured)
        transcript.next_turn_role = role
        return transcript

    def _open_turn(self, tokens: list[int]) -> tuple[Role, int] | None:
        """The role whose header the tokens end in, and where that begins."""
        start = self.vocabulary.start_id
        for role in self.spec.roles:
            turn = self.renderer.turn(role)
            if tokens[-len(turn) :] == turn and turn[0] == start:
                return role, len(tokens) - len(turn)
        return None

    def parse_tree(self, tokens: Sequence[int], role: Role | None = None) -> Tree[Token]:
        """Lark's parse tree of the tokens; its leaves are lexed bytes. Spec: grammar/.

        Raises as `parse_messages_from_completion_tokens` does.
        """
        return self.parser.tree(ids_of(tokens), _optional_role(role))


def _messages(conversation: Conversation) -> list[Message]:
    if type(conversation) is Conversation and type(messages := conversation.messages) is list:
        return messages  # Nearly always; asked so, it takes a third of the time.
    return instance(instance(conversation, Conversation).messages, list)


def _policy(config: RenderConversationConfig) -> str:
    return instance(config, RenderConversationConfig).policy


def _role(role: Role) -> Role:
    return role if isinstance(role, Role) else Role(role)


def _optional_role(role: Role | None) -> Role | None:
    return None if role is None else _role(role)
