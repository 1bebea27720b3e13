"""What holds of every check. Spec: [check], [[rules]]."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harmony import (
    Conversation,
    Diagnostic,
    HarmonyError,
    RenderConversationConfig,
    Role,
    apply_fixes,
    load_harmony_encoding,
)
from harmony.check import load_rules
from harmony.spec import load_spec
from tests.strategies import (
    COMPLETION,
    CONVERSATION,
    DIALOGUE,
    JUNK_ID,
    PROMPT_ROLE,
    VALID_IDS,
    tokens_of,
)
from tests.strategies_check import FACTS, canonical

ENC = load_harmony_encoding("HarmonyGptOss")
CHANNEL_FIRST = load_harmony_encoding("HarmonyGptOss", dialect="channel-first")
KEEP_ALL = RenderConversationConfig(auto_drop_analysis=False)
RULES = load_rules(load_spec())
encodings = st.sampled_from([ENC, CHANNEL_FIRST])


class TestWhatIsRightChecksClean:
    """Issue: "canonical generated conversations check clean"."""

    @given(canonical())
    def test_a_conversation(self, conversation):
        assert ENC.check(conversation) == []

    @given(canonical(), encodings)
    def test_its_tokens(self, conversation, enc):
        tokens = enc.render_conversation(conversation, KEEP_ALL)
        assert enc.check(tokens) == []
        assert enc.check(enc.parse(tokens)) == []
        assert enc.check(enc.parse(tokens, strict=False, structured=True)) == []

    @given(canonical(), encodings)
    def test_a_prompt(self, conversation, enc):
        """[analysis_dropping]: calls of reasoning are left out, and so are their results."""
        tokens = enc.render_conversation_for_completion(conversation, Role.ASSISTANT)
        assert enc.check(tokens) == []
        assert enc.check(enc.parse_conversation(tokens)) == []
        channel = enc.encode("<|channel|>", allowed_special="all")
        assert enc.check(tokens + channel + enc.encode(FACTS.answer)) == []

    @given(canonical())
    def test_an_example_to_train_on(self, conversation):
        assert ENC.check(ENC.render_conversation_for_training(conversation, KEEP_ALL)) == []

    @given(canonical(), st.booleans())
    def test_a_completion(self, conversation, terminated):
        """The tokens from the assistant's last turn on; a server may keep the stop token."""
        messages = conversation.messages
        if messages[-1].author.role is not Role.ASSISTANT:
            return
        first = len(messages)
        while messages[first - 1].author.role is Role.ASSISTANT:
            first -= 1
        # No server goes on behind a call.
        calls = [i for i in range(first, len(messages)) if FACTS.is_call(messages[i])]
        last = calls[0] + 1 if calls else len(messages)
        turn = Conversation.from_messages(messages[first:last])
        tokens = ENC.render_conversation_for_training(turn, KEEP_ALL)
        tokens = tokens[len(ENC.renderer.turn(Role.ASSISTANT)) :]
        tokens = tokens if terminated else tokens[:-1]
        assert ENC.check(tokens) == []
        assert ENC.check(tokens, role=Role.ASSISTANT) == []
        assert ENC.parse(tokens, Role.ASSISTANT, validate=True).messages == turn.messages


def rounds(conversation: Conversation) -> tuple[Conversation, list[Diagnostic]]:
    """What is left when all is fixed that can be."""
    for _ in range(8):
        found = ENC.check(conversation)
        if not any(diagnostic.fix for diagnostic in found):
            return conversation, found
        conversation = apply_fixes(conversation, found)
    raise AssertionError("fixes that bring one another about")


class TestFixes:
    """Spec [[rules]]: "`fix` is "always", "sometimes" or "never"." """

    @given(CONVERSATION | DIALOGUE)
    def test_an_end_is_reached(self, conversation):
        before = Conversation.from_messages(list(conversation.messages))
        _, left = rounds(conversation)
        assert conversation == before
        assert not {"always"} & {RULES[diagnostic.code].fix for diagnostic in left}

    @given(canonical(), st.data())
    def test_what_was_broken_is_right_again(self, conversation, data):
        """A canonical conversation, broken in ways that can be undone, checks clean again."""
        messages = conversation.messages
        index = data.draw(st.sampled_from(range(len(messages))))
        message = messages[index]
        role = message.author.role
        if role is Role.SYSTEM:
            messages.append(messages.pop(index))
        elif role in (Role.USER, Role.DEVELOPER):
            message.channel = FACTS.answer
        elif role is Role.TOOL:
            message.recipient = data.draw(st.sampled_from([None, "user"]))
        elif FACTS.is_call(message):
            message.channel = data.draw(
                st.sampled_from([n for n in FACTS.channels if n != message.channel] + [None])
            )
        else:
            message.channel = message.channel.upper()
        found = ENC.check(conversation)
        assert found
        fixed, left = rounds(conversation)
        assert left == []
        assert ENC.check(ENC.render_conversation(fixed, KEEP_ALL)) == []


class TestNothingElseIsRaised:
    """Any input gives findings or a HarmonyError."""

    @given(VALID_IDS, PROMPT_ROLE)
    def test_ids(self, tokens, role):
        found = ENC.check(tokens, role=role)
        for diagnostic in found:
            assert diagnostic.code in RULES
            if diagnostic.tokens is not None:
                start, stop = diagnostic.tokens
                assert 0 <= start <= stop <= len(tokens)
        assert ENC.check(tokens, role=role) == found

    @given(st.lists(JUNK_ID | st.sampled_from([200006, 200008, 200007, 1428]), max_size=8))
    def test_what_are_no_ids(self, tokens):
        """[recovery]: "Whatever the ids are, no error is raised"; of integers, that is."""
        for role in (None, Role.ASSISTANT):
            try:
                ENC.check(tokens, role=role)
            except HarmonyError as error:
                assert "expected token ids; item" in str(error)
                assert not all(type(token) is int for token in tokens)
            else:
                assert all(type(token) is int for token in tokens)

    @given(COMPLETION)
    def test_completions(self, drawn):
        role, parts = drawn
        tokens = tokens_of(ENC, parts)
        transcript = ENC.parse(tokens, role)
        found = ENC.check(transcript)
        for diagnostic in found:
            assert 0 <= diagnostic.message_index < len(transcript.messages)
        errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
        try:
            ENC.parse(tokens, role, validate=True)
        except HarmonyError as error:
            assert error.diagnostics == errors
            assert errors
        else:
            assert not errors

    @given(CONVERSATION, st.none() | st.integers(0, 100))
    def test_conversations(self, conversation, context):
        for diagnostic in ENC.check(conversation, context=context):
            assert diagnostic.tokens is None
            assert diagnostic.to_dict()["code"] == diagnostic.code
