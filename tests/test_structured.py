"""Prompts read back whole: `parse(…, structured=True)` and `parse_conversation`."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony import (
    Conversation,
    DeveloperContent,
    Message,
    RenderConversationConfig,
    Role,
    SystemContent,
    TextContent,
    ToolDescription,
)
from tests.strategies import REPRESENTABLE
from tests.strategies_schemas import (
    CANONICAL_DEVELOPER,
    CANONICAL_SYSTEM,
    HOSTILE_PROSE,
    WILD_DEVELOPER,
    WILD_SYSTEM,
)

KEEP = RenderConversationConfig(auto_drop_analysis=False)
say = Message.from_role_and_content


def _is_template(content: SystemContent) -> bool:
    # An identity and nothing else is any text at all, so it stays text.
    fields = attrs.asdict(content, recurse=False)
    return any(value is not None for name, value in fields.items() if name != "model_identity")


SYSTEM = CANONICAL_SYSTEM.filter(_is_template).map(lambda content: say(Role.SYSTEM, content))
DEVELOPER = CANONICAL_DEVELOPER.filter(lambda content: content != DeveloperContent()).map(
    lambda content: say(Role.DEVELOPER, content)
)
OTHERS = REPRESENTABLE.filter(lambda m: m.author.role not in (Role.SYSTEM, Role.DEVELOPER))
CONVERSATIONS = st.builds(
    lambda system, developer, others: Conversation([*system, *developer, *others]),
    st.lists(SYSTEM, max_size=1),
    st.lists(DEVELOPER, max_size=1),
    st.lists(OTHERS, max_size=3),
)


class TestRoundTrip:
    """parse(render(conversation)) == conversation, in both dialects."""

    @settings(max_examples=150)
    @given(CONVERSATIONS, st.sampled_from([None, *Role]))
    def test_reference(self, enc, conversation, role):
        if role is None:
            tokens = enc.render_conversation(conversation, KEEP)
        else:
            tokens = enc.render_conversation_for_completion(conversation, role, KEEP)
        parsed = enc.parse_conversation(tokens)
        assert parsed.conversation == conversation
        assert parsed.next_turn_role == role

    @settings(max_examples=100)
    @given(CONVERSATIONS)
    def test_channel_first(self, channel_first, conversation):
        tokens = channel_first.render_conversation(conversation, KEEP)
        parsed = channel_first.parse(tokens, structured=True)
        marked = channel_first.parse(tokens, structured=True).normalized()
        # The dialect marks each content type, and a mark is read back as part of it.
        for message in conversation:
            if message.content_type is not None:
                rest = message.content_type.removeprefix("<|constrain|>")
                message.content_type = f"<|constrain|>{rest}"
        assert parsed.conversation == conversation
        assert marked.conversation == conversation
        assert marked.tokens == tokens

    @settings(max_examples=100)
    @given(
        st.lists(
            st.builds(say, st.just(Role.SYSTEM), WILD_SYSTEM)
            | st.builds(say, st.just(Role.DEVELOPER), WILD_DEVELOPER),
            max_size=3,
        )
    )
    def test_whatever_is_read_renders_to_the_same_ids(self, enc, messages):
        tokens = enc.render_conversation(Conversation(messages), KEEP)
        parsed = enc.parse(tokens, structured=True)
        assert enc.render_conversation(parsed, KEEP) == tokens

    @given(st.sampled_from([Role.SYSTEM, Role.DEVELOPER]), HOSTILE_PROSE)
    def test_text_stays_text_or_renders_to_itself(self, enc, role, text):
        message = say(role, text)
        parsed = enc.parse(enc.render(message), structured=True)
        if isinstance(parsed.messages[0].content[0], TextContent):
            assert parsed.messages == [message]
            assert [d.code for d in parsed.diagnostics] == [f"{role.value}-text"]
        assert enc.render_conversation(parsed, KEEP) == enc.render(message)


def test_without_it_all_is_text(enc):
    tokens = enc.render(say(Role.SYSTEM, SystemContent.new()))
    [message] = enc.parse(tokens).messages
    assert isinstance(message.content[0], TextContent)
    assert enc.parse_conversation(tokens, structured=False).messages == [message]


def test_leniently_too(enc):
    text = "<|start|>system<|message|>Reasoning: low<|end|>junk<|start|>user<|message|>hi"
    parsed = enc.parse_conversation(enc.encode(text, allowed_special="all"), strict=False)
    assert parsed.messages[0].content[0].reasoning_effort.value == "Low"
    assert [d.text for d in parsed.diagnostics] == ["junk"]


@pytest.mark.parametrize(
    "code",
    [
        "system-text",
        "developer-text",
        "instructions-heading",
        "function-tools-note",
        "schema-style",
    ],
)
def test_the_examples_of_the_spec(enc, spec, code):
    [row] = [row for row in spec.rows("departures") if row["code"] == code]
    parsed = enc.parse(enc.encode(row["bad"], allowed_special="all"), structured=True)
    [diagnostic] = parsed.diagnostics
    assert diagnostic.code == code
    assert diagnostic.severity == row["severity"]
    stays_text = isinstance(parsed.messages[0].content[0], TextContent)
    assert stays_text == (code != "instructions-heading")
    start, stop = diagnostic.tokens
    assert enc.decode(parsed.tokens[start:stop]).endswith(diagnostic.text)


def test_a_departure_says_from_where_on(enc):
    text = "You are Bob.\nKnowledge cutoff: 2024-06\n\nReasoning: huge"
    parsed = enc.parse(enc.render(say(Role.SYSTEM, text)), structured=True)
    [diagnostic] = parsed.diagnostics
    assert diagnostic.message.startswith(
        "the system message departs from the template at character "
    )
    assert diagnostic.text
    assert text.endswith(diagnostic.text)
    assert f"character {len(text) - len(diagnostic.text)}:" in diagnostic.message


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("noted", [True, False])
def test_the_note_on_function_tools_has_to_agree(enc, declared, noted):
    from harmony import RenderOptions

    system = enc.render(
        say(Role.SYSTEM, SystemContent.new()), RenderOptions(conversation_has_function_tools=noted)
    )
    content = DeveloperContent.new().with_instructions("Hi.")
    if declared:
        content.with_function_tools([ToolDescription.new("f", "does f")])
    tokens = system + enc.render(say(Role.DEVELOPER, content))
    parsed = enc.parse(tokens, structured=True)
    read = isinstance(parsed.messages[0].content[0], SystemContent)
    assert read == (declared == noted)
    assert [d.code for d in parsed.diagnostics] == ([] if read else ["function-tools-note"])
    assert enc.render_conversation(parsed, KEEP) == tokens


def test_the_complete_style_reads_back_in_its_own_encoding(enc):
    from harmony import load_harmony_encoding

    complete = load_harmony_encoding("HarmonyGptOss", schema_style="complete")
    schema = {
        "type": "object",
        "properties": {"n": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}},
        "required": ["n"],
    }
    content = DeveloperContent.new().with_function_tools([ToolDescription.new("f", "d", schema)])
    tokens = complete.render(say(Role.DEVELOPER, content))
    assert tokens != enc.render(say(Role.DEVELOPER, content))
    parsed = complete.parse(tokens, structured=True)
    assert parsed.messages == [say(Role.DEVELOPER, content)]
    assert complete.render_conversation(parsed) == tokens
    assert [d.code for d in enc.parse(tokens, structured=True).diagnostics] == ["schema-style"]


def test_a_text_of_either_style_is_read_in_that_of_the_encoding(enc):
    from harmony import load_harmony_encoding

    complete = load_harmony_encoding("HarmonyGptOss", schema_style="complete")
    schema = {"type": "object", "properties": {"a b": {"const": 1}}}
    content = DeveloperContent.new().with_function_tools([ToolDescription.new("f", "d", schema)])
    tokens = complete.render(say(Role.DEVELOPER, content))
    assert complete.parse(tokens, structured=True).messages == [say(Role.DEVELOPER, content)]
    # The reference has no quoted keys: there `"a b"` is the key's own text.
    reference = enc.parse(tokens, structured=True)
    assert enc.render_conversation(reference) == tokens
