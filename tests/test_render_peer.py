"""Rendering, live against openai-harmony: equal tokens, whatever is rendered."""

from __future__ import annotations

import json

import openai_harmony as peer
import pytest
from hypothesis import given

from harmony import Conversation, Message, RenderConversationConfig, RenderOptions, Role
from tests.peer import plain, their_conversation, their_message
from tests.strategies import CONVERSATION, DIALOGUE, MESSAGE


def assert_renders_equally(enc, oracle, conversation: Conversation) -> None:
    """In all four ways, with analysis kept and dropped."""
    theirs = their_conversation(conversation)
    for keep in (False, True):
        config = RenderConversationConfig(auto_drop_analysis=not keep)
        their_config = peer.RenderConversationConfig(auto_drop_analysis=not keep)
        assert enc.render_conversation(conversation, config) == oracle.render_conversation(
            theirs, their_config
        )
        assert enc.render_conversation_for_training(
            conversation, config
        ) == oracle.render_conversation_for_training(theirs, their_config)
        for role in Role:
            assert enc.render_conversation_for_completion(
                conversation, role, config
            ) == oracle.render_conversation_for_completion(
                theirs, peer.Role(role.value), their_config
            )


class TestMessage:
    """Spec [header], [content], [terminators]: "Content is text. […] A text that spells a
    special token is rendered as ordinary tokens, so content never becomes structure." """

    @given(MESSAGE)
    def test_alone(self, enc, oracle, message):
        theirs = their_message(message)
        assert enc.render(message) == oracle.render(theirs)
        for value in (False, True):
            options = RenderOptions(conversation_has_function_tools=value)
            their_options = peer.RenderOptions(conversation_has_function_tools=value)
            assert enc.render(message, options) == oracle.render(theirs, their_options)


class TestConversation:
    """Spec [format], [terminators], [system_message]: "with a note when the developer message
    declares function tools"."""

    @given(CONVERSATION)
    def test_anything(self, enc, oracle, conversation):
        assert_renders_equally(enc, oracle, conversation)


class TestAnalysisDropping:
    """Spec [analysis_dropping]: "When the last assistant message is on the final channel, the
    messages on the analysis channel that stand before the first final message are left out
    of the prompt." """

    @given(DIALOGUE)
    def test_dialogues(self, enc, oracle, conversation):
        assert_renders_equally(enc, oracle, conversation)

    @pytest.mark.parametrize("policy", [(None, True), (None, False), ("auto", True)])
    def test_the_switch_is_the_policies_auto_and_keep_all(self, enc, policy):
        name, auto = policy
        config = RenderConversationConfig(auto_drop_analysis=auto, analysis_policy=name)
        assert config.policy == ("auto" if auto else "keep_all")


class TestDictForm:
    """Our objects, written as JSON, are read by openai_harmony as its own, and back."""

    @given(CONVERSATION)
    def test_json(self, conversation):
        theirs = peer.Conversation.from_json(conversation.to_json())
        assert json.loads(theirs.to_json()) == json.loads(conversation.to_json())
        assert plain(theirs.messages) == plain(conversation.messages)
        assert Conversation.from_json(theirs.to_json()) == conversation

    @given(MESSAGE)
    def test_message(self, message):
        theirs = peer.Message.from_dict(message.to_dict())
        assert theirs.to_dict() == message.to_dict()
        assert Message.from_dict(theirs.to_dict()) == message


class TestBuilders:
    """The `with_*` builders change the object and return it, as openai_harmony's do."""

    def test_every_builder(self, enc, oracle):
        rendered = []
        for library, encoding in ((peer, oracle), (__import__("harmony"), enc)):
            tool = library.ToolDescription.new("f", "Does.", parameters={"type": "object"})
            functions = library.DeveloperContent.new().with_function_tools([tool])
            developer = functions.with_instructions("Be brief.")
            assert developer is functions
            system = library.SystemContent.new()
            built = (
                system.with_model_identity("You are a test.")
                .with_reasoning_effort(library.ReasoningEffort.HIGH)
                .with_conversation_start_date("2025-06-28")
                .with_knowledge_cutoff("2025-01")
                .with_required_channels(["final"])
                .with_channel_config(library.ChannelConfig.require_channels(["final", "analysis"]))
                .with_browser_tool()
                .with_python_tool()
                .with_tools(library.ToolNamespaceConfig(name="x", description="X", tools=[tool]))
            )
            assert built is system
            call = library.Message.from_role_and_content(library.Role.ASSISTANT, "{}")
            whole = call.with_channel("commentary").with_recipient("f").with_content_type("json")
            assert whole is call
            assert call.adding_content("more") is call
            assert call.adding_content(library.TextContent(text="yet more")) is call
            author = library.Author.new(library.Role.TOOL, "functions.f")
            role = library.Role
            conversation = library.Conversation.from_messages(
                [
                    library.Message.from_role_and_content(role.SYSTEM, system),
                    library.Message.from_role_and_content(role.DEVELOPER, developer),
                    library.Message.from_role_and_contents(
                        role.USER, [library.TextContent(text="a"), library.TextContent(text="b")]
                    ),
                    call,
                    library.Message.from_author_and_content(author, "1"),
                ]
            )
            assert [m.author.role for m in conversation] == [
                role.SYSTEM, role.DEVELOPER, role.USER, role.ASSISTANT, role.TOOL,
            ]  # fmt: skip
            rendered.append(encoding.render_conversation(conversation))
        assert rendered[0] == rendered[1]
