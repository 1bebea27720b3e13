"""What is remembered changes how long an answer takes, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import (
    Conversation,
    DeveloperContent,
    HarmonyError,
    Message,
    Role,
    StreamableParser,
    SystemContent,
    ToolDescription,
    header_renderer,
    load_harmony_encoding,
    matcher,
)
from harmony.text_cache import BYTES_PER_ENTRY, TextCache
from tests.strategies import COMPLETION, CONVERSATION, DIALOGUE, REPRESENTABLE, tokens_of


@pytest.fixture(scope="module")
def uncached():
    return load_harmony_encoding("HarmonyGptOss", cache_bytes=0)


@pytest.fixture(scope="module")
def small():
    """A cache in which a handful of texts have room."""
    return load_harmony_encoding("HarmonyGptOss", cache_bytes=2000)


class TestRendering:
    """harmony/text_cache.py, and the headers that a renderer remembers."""

    @settings(max_examples=150)
    @given(st.lists(CONVERSATION | DIALOGUE, min_size=1, max_size=3))
    def test_off_small_and_repeated(self, enc, uncached, small, conversations):
        expected = [uncached.render_conversation(c) for c in conversations]
        for _ in range(2):
            assert [small.render_conversation(c) for c in conversations] == expected
            assert [enc.render_conversation(c) for c in conversations] == expected
        assert uncached.cache.size == 0
        assert small.cache.size <= 2000

    @given(DIALOGUE.filter(lambda c: c.messages), st.data())
    def test_a_message_that_was_changed_is_another(self, enc, uncached, conversation, data):
        enc.render_conversation(conversation)
        message = data.draw(st.sampled_from(conversation.messages))
        other = data.draw(REPRESENTABLE)
        for field in data.draw(st.sets(st.sampled_from(attrs.fields(Message)), min_size=1)):
            setattr(message, field.name, getattr(other, field.name))
        if message.author.role is Role.TOOL and message.author.name is None:
            return
        assert enc.render_conversation(conversation) == uncached.render_conversation(conversation)

    def test_structured_content_that_was_changed_is_another(self, enc, uncached):
        tool = ToolDescription("f", "F.", {"type": "object", "properties": {}})
        developer = DeveloperContent.new().with_instructions("a").with_function_tools([tool])
        system = SystemContent.new().with_browser_tool()
        conversation = Conversation(
            [
                Message.from_role_and_content(Role.SYSTEM, system),
                Message.from_role_and_content(Role.DEVELOPER, developer),
            ]
        )
        seen = []

        def check():
            tokens = enc.render_conversation(conversation)
            assert tokens == uncached.render_conversation(conversation)
            assert tokens not in seen
            seen.append(tokens)

        check()
        tool.parameters["properties"]["city"] = {"type": "string"}
        check()
        tool.description = "G."
        check()
        developer.instructions = "b"
        check()
        system.channel_config.valid_channels.append("other")
        check()
        system.tools["browser"].tools.pop()
        check()
        developer.tools["functions"].tools.clear()
        check()

    def test_equal_numbers_of_other_types_are_others(self, enc, uncached):
        """1, 1.0 and True are equal in Python, and three JSON values."""
        for default in (1, 1.0, True, 0, False, -0.0):
            schema = {"type": "object", "properties": {"a": {"type": "number", "default": default}}}
            content = DeveloperContent.new().with_function_tools([ToolDescription("f", "", schema)])
            message = Message.from_role_and_content(Role.DEVELOPER, content)
            assert enc.render(message) == uncached.render(message)

    def test_what_was_returned_may_be_changed(self, enc, uncached):
        conversation = Conversation([Message.from_role_and_content(Role.USER, "keep this")])
        for _ in range(3):
            for tokens in (
                enc.render_conversation(conversation),
                enc.render(conversation.messages[0]),
                enc.render_conversation_for_completion(conversation, Role.ASSISTANT),
                enc.render_conversation_for_completion(Conversation([]), Role.ASSISTANT),
                enc.render_conversation_for_training(conversation),
            ):
                tokens.clear()
        assert enc.render_conversation(conversation) == uncached.render_conversation(conversation)
        expected = uncached.render_conversation_for_completion(conversation, Role.ASSISTANT)
        assert enc.render_conversation_for_completion(conversation, Role.ASSISTANT) == expected

    def test_threads(self, small, uncached):
        conversations = [
            Conversation([Message.from_role_and_content(Role.USER, f"{i % 7} words " * (i % 5))])
            for i in range(200)
        ]
        expected = [uncached.render_conversation(c) for c in conversations]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(small.render_conversation, conversations * 3)) == expected * 3

    def test_more_headers_than_are_remembered(self, monkeypatch):
        monkeypatch.setattr(header_renderer, "MOST_HEADERS", 3)
        encoding = load_harmony_encoding("HarmonyGptOss", cache_bytes=0, spec={})
        for i in range(10):
            message = Message.from_role_and_content(Role.USER, "x").with_recipient(f"r{i % 4}")
            assert f"to=r{i % 4}<" in encoding.decode(encoding.render(message))
            conversation = Conversation([message])
            assert encoding.render_conversation(conversation) == encoding.render(message)


class TestTextCache:
    """ "Ids by text", no more than its limit."""

    def test_a_limit_of_zero_turns_it_off(self):
        cache = TextCache(0)
        cache.put("a", [1])
        assert cache.get("a") is None
        assert cache.size == 0

    def test_what_is_too_large_is_not_kept(self):
        cache = TextCache(1000)
        cache.put("a", list(range(100)))
        assert cache.get("a") is None

    @given(st.lists(st.integers(0, 30), max_size=100))
    def test_never_more_than_the_limit_and_never_wrong(self, keys):
        cache = TextCache(10 * BYTES_PER_ENTRY)
        for key in keys:
            ids = cache.get(str(key))
            assert ids is None or ids == [key]
            if ids is None:
                cache.put(str(key), [key])
                assert cache.get(str(key)) == [key]
            cache.put(str(key), [key])
            assert 0 < cache.size <= cache.limit
        cache.clear()
        assert cache.size == 0
        assert all(cache.get(str(key)) is None for key in keys)


class TestParsing:
    """The headers that a parser remembers."""

    def test_more_than_are_remembered(self, monkeypatch):
        monkeypatch.setattr(matcher, "MOST_OPENINGS", 3)
        encoding = load_harmony_encoding("HarmonyGptOss", spec={})
        for i in [*range(10), *range(10)]:
            text = f"<|start|>user to=r{i}<|message|>hi<|end|>"
            tokens = encoding.encode(text, allowed_special="all")
            assert encoding.parse(tokens).messages[0].recipient == f"r{i}"
            message = encoding.parse_messages_from_completion_tokens(tokens)[0]
            assert message.recipient == f"r{i}"
            parser = StreamableParser(encoding, None)
            for token in tokens:
                parser.process(token)
            assert parser.messages[0].recipient == f"r{i}"

    def test_a_long_header(self, enc):
        """Too long to be remembered, but read."""
        name = "x" * 5000
        tokens = enc.encode(f"<|start|>{name} to=y<|message|>hi<|end|>", allowed_special="all")
        for _ in range(2):
            assert enc.parse(tokens).messages[0].author.name == name
            message = enc.parse_messages_from_completion_tokens(tokens)[0]
            assert message.author.name == name
            parser = StreamableParser(enc, None)
            for token in tokens:
                parser.process(token)
            assert parser.messages[0].author.name == name

    def test_the_same_header_after_other_prompts(self, enc):
        tokens = enc.encode("<|channel|>final<|message|>hi", allowed_special="all")
        for role in [*Role, *Role]:
            assert enc.parse(tokens, role).messages[0].author.role is role
            assert StreamableParser(enc, role).feed(tokens)[0].role is role

    def test_messages_are_not_shared(self, enc):
        tokens = enc.encode("<|start|>user<|message|>hi<|end|>" * 2, allowed_special="all")
        first, second = enc.parse(tokens).messages
        first.author.name = "alice"
        first.content.append("x")
        assert second.author.name is None
        assert enc.parse(tokens).messages == [second, second]

    @given(COMPLETION, st.data())
    def test_a_known_header_is_read_as_an_unknown_one(self, enc, completion, data):
        role, tokens = completion[0], tokens_of(enc, completion[1])
        parse = enc.parse_messages_from_completion_tokens
        for _ in range(2):
            assert parse(tokens, role) == enc.parse(tokens, role).messages

        if not tokens:
            return
        at = data.draw(st.integers(0, len(tokens) - 1))
        cut, wrong = tokens[:at], [*tokens]
        wrong[at] = data.draw(st.sampled_from([float(tokens[at]), -1, 201088, "a", None]))
        for damaged in (cut, wrong):
            assert outcome(parse, damaged, role) == outcome(enc.parse, damaged, role)


def outcome(parse, tokens, role):
    """The messages, or what was refused."""
    try:
        result = parse(tokens, role)
    except HarmonyError as error:
        return type(error), str(error), error.parsed
    return getattr(result, "messages", result)
