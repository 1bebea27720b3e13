"""A spec overlay changes the behaviour, with no line of code."""

from __future__ import annotations

import pytest

from harmony import (
    Conversation,
    GrammarError,
    Message,
    RenderConversationConfig,
    Role,
    StreamableParser,
    SystemContent,
    UnknownName,
    load_harmony_encoding,
)
from harmony.spec import load_spec
from tests.readings import by_lalr, by_matcher


def overlaid(spec, **kwargs):
    return load_harmony_encoding("HarmonyGptOss", spec=spec, **kwargs)


def read_all_ways(encoding, tokens, role=None) -> list[Message]:
    """The messages, equal in batch, in the stream, in the matcher and in LALR."""
    messages = encoding.parse_messages_from_completion_tokens(tokens, role)
    parser = StreamableParser(encoding, role)
    for token in tokens:
        parser.process(token)
    assert parser.process_eos().messages == messages
    assert by_matcher(encoding, tokens, role) == by_lalr(encoding, tokens, role) is not None
    return messages


class TestSpecialTokens:
    """Spec [[special_tokens]]."""

    def test_other_ids(self):
        spec = {
            "special_tokens": [
                {"name": "start", "id": 200010},
                {"name": "message", "id": 200011},
                {"name": "end", "id": 200020},
            ]
        }
        encoding = overlaid(spec)
        message = Message.from_role_and_content(Role.USER, "hi")
        tokens = encoding.render(message)
        assert (tokens[0], tokens[2], tokens[-1]) == (200010, 200011, 200020)
        assert read_all_ways(encoding, tokens) == [message]
        assert encoding.stop_tokens() == [200002, 200012, 200020]
        assert encoding.decode(tokens) == "<|start|>user<|message|>hi<|end|>"

    def test_other_texts(self):
        spec = {"special_tokens": [{"name": "start", "text": "<|im_start|>"}]}
        encoding = overlaid(spec)
        message = Message.from_role_and_content(Role.USER, "<|start|>")
        tokens = encoding.render(message)
        assert encoding.decode(tokens) == "<|im_start|>user<|message|><|start|><|end|>"
        assert read_all_ways(encoding, tokens) == [message]
        assert encoding.is_special_token(200006)
        assert "<|start|>" not in encoding.special_tokens_set


class TestRoles:
    """Spec [[roles]]."""

    def test_a_role_that_is_a_tools_no_longer(self):
        """`spelled_by_name` says which role stands for a name."""
        spec = {"roles": [{"name": "tool", "spelled_by_name": False}]}
        encoding = overlaid(spec)
        tokens = encoding.encode("<|start|>tool<|message|>1<|end|>", allowed_special="all")
        (message,) = read_all_ways(encoding, tokens)
        assert message.author.role is Role.TOOL
        assert message.author.name is None


class TestContentTypes:
    """Spec [[content_types]]: those that need no recipient before them to be known as such."""

    def test_a_new_one(self, enc):
        text = "<|start|>assistant<|channel|>final toml<|message|>a = 1<|end|>"
        tokens = enc.encode(text, allowed_special="all")
        (before,) = read_all_ways(enc, tokens)
        assert (before.recipient, before.content_type) == ("toml", None)
        encoding = overlaid({"content_types": [{"name": "toml", "purpose": "TOML."}]})
        (after,) = read_all_ways(encoding, tokens)
        assert (after.recipient, after.content_type) == (None, "toml")


class TestChannels:
    """Spec [[channels]]."""

    def test_a_new_one_is_a_dialects_too(self):
        spec = {
            "channels": [{"name": "actions", "visible": False, "purpose": "Calls."}],
            "dialects": [{"name": "channel-first", "recipient_after_channel": ["actions"]}],
        }
        encoding = overlaid(spec, dialect="channel-first")
        message = Message.from_role_and_content(Role.ASSISTANT, "{}").with_recipient("f")
        text = encoding.decode(encoding.render(message.with_channel("actions")))
        assert text == "<|start|>assistant<|channel|>actions to=f<|message|>{}<|call|>"
        text = encoding.decode(encoding.render(message.with_channel("commentary")))
        assert text == "<|start|>assistant to=f<|channel|>commentary<|message|>{}<|call|>"
        assert "actions" in encoding.spec.channel_names

    def test_dropping_follows_the_spec(self):
        spec = {"analysis_dropping": {"channel": "thoughts", "until_channel": "answer"}}
        encoding = overlaid(spec)
        conversation = Conversation(
            [
                Message.from_role_and_content(Role.ASSISTANT, "hm").with_channel("thoughts"),
                Message.from_role_and_content(Role.ASSISTANT, "4").with_channel("answer"),
            ]
        )
        tokens = encoding.render_conversation(conversation)
        assert encoding.decode(tokens) == "<|start|>assistant<|channel|>answer<|message|>4<|end|>"


class TestTerminators:
    """Spec [terminators], [stop]."""

    def test_another_terminator_for_training(self):
        spec = {"terminators": {"training": "endoftext", "training_channel": "answer"}}
        encoding = overlaid(spec)
        message = Message.from_role_and_content(Role.ASSISTANT, "4").with_channel("answer")
        tokens = encoding.render_conversation_for_training(Conversation([message]))
        assert tokens[-1] == 199999

    def test_another_stop_set(self, enc):
        """What ends a message is what the spec says, in every reading."""
        encoding = overlaid({"stop": {"any": ["return", "call", "end", "endoftext"]}})
        text = "<|start|>user<|message|>hi<|endoftext|>"
        tokens = enc.encode(text, allowed_special="all")
        assert read_all_ways(encoding, tokens)[0].content[0].text == "hi"
        assert read_all_ways(enc, tokens)[0].content[0].text == "hi<|endoftext|>"


class TestHeader:
    """Spec [header]."""

    def test_other_white_space(self, enc):
        encoding = overlaid({"header": {"white_space": " _"}})
        tokens = enc.encode("<|start|>user_to=x<|message|>hi<|end|>", allowed_special="all")
        assert read_all_ways(encoding, tokens)[0].recipient == "x"
        assert read_all_ways(enc, tokens)[0].author.name == "user_to=x"


class TestTemplates:
    """Spec [system_message], [recipients]."""

    def test_system_message(self):
        encoding = overlaid({"system_message": {"cutoff_line": "Cutoff: {knowledge_cutoff}"}})
        tokens = encoding.render(Message.from_role_and_content(Role.SYSTEM, SystemContent()))
        assert "\nCutoff: 2024-06\n" in encoding.decode(tokens)

    def test_everyone(self):
        encoding = overlaid({"recipients": {"everyone": "world"}})
        message = Message.from_role_and_content(Role.USER, "hi")
        assert "to=" not in encoding.decode(encoding.render(message.with_recipient("world")))
        assert " to=all" in encoding.decode(encoding.render(message.with_recipient("all")))


class TestErrors:
    """Spec [[parse_errors]]."""

    def test_another_sentence(self):
        spec = {"parse_errors": [{"name": "missing_author", "sentence": "nobody speaks"}]}
        with pytest.raises(RuntimeError, match=r"^nobody speaks "):
            overlaid(spec).parse([200006, 200008])


class TestLoading:
    """`load_spec`: "In an overlay, tables are merged; a row of an array of tables replaces the
    row of the same ``name`` (or ``code``), or is added at the end." """

    def test_from_a_file(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('[[channels]]\nname = "x"\nvisible = true\npurpose = "X."\n')
        for overlay in (path, str(path)):
            spec = load_spec(overlay)
            assert spec.channel_names == [*load_spec().channel_names, "x"]

    def test_nothing_is_nothing(self):
        assert load_spec() is load_spec(None)
        assert load_spec({}).data == load_spec().data
        with pytest.raises(GrammarError, match="the spec has no table"):
            load_spec().table("nonsense")

    @pytest.mark.parametrize("content", [b"[", b"\xff\xfe"])
    def test_a_broken_file(self, tmp_path, content):
        path = tmp_path / "broken.toml"
        path.write_bytes(content)
        with pytest.raises(GrammarError, match="cannot read the spec") as raised:
            load_spec(path)
        assert "broken.toml" in str(raised.value)
        with pytest.raises(GrammarError, match="cannot read the spec"):
            load_spec(tmp_path / "none.toml")

    def test_unknown_names(self):
        with pytest.raises(UnknownName) as raised:
            load_harmony_encoding("nonsense")
        assert str(raised.value) == (
            "Invalid HarmonyEncodingName: nonsense; the encodings are: HarmonyGptOss"
        )
        with pytest.raises(UnknownName) as raised:
            load_harmony_encoding("HarmonyGptOss", dialect="nonsense")
        assert str(raised.value) == (
            "unknown dialect 'nonsense'; there are: reference, channel-first"
        )
        config = RenderConversationConfig(analysis_policy="nonsense")
        encoding = load_harmony_encoding("HarmonyGptOss")
        with pytest.raises(UnknownName) as raised:
            encoding.render_conversation(Conversation([]), config)
        assert str(raised.value) == (
            "the spec has no 'nonsense' in [[analysis_policies]]; it has: 'auto', "
            "'before_last_final', 'keep_all', 'drop_all', 'keep_open_call'"
        )

    @pytest.mark.parametrize(
        ("spec", "sentence"),
        [
            ({"header": []}, "[header] of the spec should be a table, not []"),
            ({"stop": 3}, "[stop] of the spec should be a table, not 3"),
            ({"roles": {"a": 1}}, "[[roles]] of the spec should be an array of tables, not {'a': 1}"),
            ({"special_tokens": [{"name": "start", "x": 1}]}, "a row of [[special_tokens]] does not fit: SpecialToken.__init__() got an unexpected keyword argument 'x'"),
            ({"special_tokens": [{"name": "start", "id": 5}]}, "the special token 'start' cannot have the id 5: they have ids from 199998 to 201088"),
            ({"special_tokens": [{"name": "start", "id": 200007}]}, "the special tokens 'start' and 'end' have one id: 200007"),
        ],
    )  # fmt: skip
    def test_a_spec_that_does_not_hold_together(self, spec, sentence):
        with pytest.raises(GrammarError) as raised:
            overlaid(spec)
        assert str(raised.value) == sentence

    def test_a_token_that_is_not_there(self):
        with pytest.raises(GrammarError, match="the spec names no special token 'gone'"):
            overlaid({"stop": {"any": ["gone"]}})

    def test_the_same_arguments_give_the_same_object(self, enc):
        assert load_harmony_encoding("HarmonyGptOss") is enc
        other = load_harmony_encoding("HarmonyGptOss", cache_bytes=0)
        assert other is not enc
        assert other.grammar is enc.grammar
        assert repr(enc) == "HarmonyEncoding('HarmonyGptOss', dialect='reference')"


def test_a_spec_whose_fields_are_gone_says_so():
    with pytest.raises(GrammarError, match=r"\[\[fields\]\] of the spec lacks: channel, content"):
        load_harmony_encoding("HarmonyGptOss", spec={"fields": []})
