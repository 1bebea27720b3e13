"""What users add to spec and grammar, and everything that follows from it.

Files of examples/overlays/ are laid over the library's own; what contradicts itself is refused.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import attrs
import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from harmony import (
    Author,
    Conversation,
    ForbiddenToken,
    GrammarError,
    HeaderParsed,
    InvalidMessage,
    Message,
    ParseError,
    RenderError,
    Role,
    StreamableParser,
    UnknownName,
    VocabularyError,
    load_harmony_encoding,
)
from harmony.constrain import completion_grammar
from harmony.convert import from_chat_request, to_chat_completion
from harmony.docs import build_reference
from harmony.json_schemas import json_schema
from harmony.spec import load_spec
from harmony.vocabulary import ranks_written
from tests.readings import by_lalr, by_matcher
from tests.shell import ROOT
from tests.strategies import CONSTRAIN, MESSAGE, REPRESENTABLE, TEXT, WORD

OVERLAYS = ROOT / "examples" / "overlays"


def overlaid(spec=None, grammar=None, **kwargs):
    return load_harmony_encoding("HarmonyGptOss", spec=spec, grammar=grammar, **kwargs)


def read_all_ways(encoding, tokens, role=None) -> list[Message]:
    """The messages: equal in batch, stream, feed, recovery, the matcher and LALR."""
    messages = encoding.parse_messages_from_completion_tokens(tokens, role)
    assert encoding.parse_messages_from_completion_tokens(tokens, role) == messages
    transcript = encoding.parse(tokens, role, strict=False)
    assert (transcript.messages, transcript.diagnostics) == (messages, [])
    for strict in (True, False):
        parser = StreamableParser(encoding, role, strict=strict)
        for token in tokens:
            parser.process(token)
        assert parser.process_eos().messages == messages
        parser = StreamableParser(encoding, role, strict=strict)
        parser.feed(tokens)
        assert parser.process_eos().messages == messages
    assert by_matcher(encoding, tokens, role) == by_lalr(encoding, tokens, role) is not None
    return messages


def assistant(text="x", channel=None) -> Message:
    message = Message.from_role_and_content(Role.ASSISTANT, text)
    return message if channel is None else message.with_channel(channel)


@pytest.fixture(scope="module")
def critique():
    return overlaid(OVERLAYS / "critique.toml")


@pytest.fixture(scope="module")
def mime():
    return overlaid(OVERLAYS / "mime.toml", OVERLAYS / "mime.lark")


@pytest.fixture(scope="module")
def mime_after_channel():
    return overlaid(OVERLAYS / "mime.toml", OVERLAYS / "mime.lark", dialect="channel-first")


@pytest.fixture(scope="module")
def critic():
    return overlaid(load_spec().with_role("critic", "Judges the answers."))


@pytest.fixture(scope="module", params=[260, 300])
def small_encoding(request):
    return overlaid(load_spec().with_vocabulary(small(request.param), NAMES))


class TestChannel:
    """`critique`: "A channel on which the model judges its own answer." """

    def test_is_read_and_written(self, critique):
        message = assistant("Too long.", "critique")
        tokens = critique.render(message)
        assert read_all_ways(critique, tokens) == [message]
        assert critique.decode(tokens).startswith(
            "<|start|>assistant<|channel|>critique<|message|>"
        )

    def test_recovery_knows_the_word(self, critique, enc):
        tokens = enc.encode("<|channel|>critiqueToo long.<|end|>", allowed_special="all")
        (message,) = critique.parse(tokens, Role.ASSISTANT, strict=False).messages
        assert message == assistant("Too long.", "critique")
        (message,) = enc.parse(tokens, Role.ASSISTANT, strict=False).messages
        assert message.channel != "critique"

    def test_who_may_speak_on_it_is_in_the_spec(self, critique):
        assert critique.spec.row("channels", "critique")["roles"] == ["assistant"]
        changed = load_spec().with_channel("critique", "Judgement.", roles=["assistant"])
        row = changed.row("channels", "critique")
        assert (row["roles"], row["visible"]) == (["assistant"], False)


class TestField:
    """`mime=`: "A header field that says which MIME type the content has." """

    @given(REPRESENTABLE, st.none() | WORD)
    def test_is_captured_and_rendered_back(self, mime, mime_after_channel, message, value):
        plain = mime.render(message)
        message = Message.from_dict(message.to_dict())
        if value is not None:
            message.with_extra("mime", value)
        for encoding in (mime, mime_after_channel):
            tokens = encoding.render(message)
            mark = "" if value is None else f" mime={value}<|message|>"
            assert mark in encoding.decode(tokens)
            (read,) = encoding.parse(tokens).messages
            assert read.extra == message.extra
            assert encoding.render(read) == tokens
        assert (mime.render(message) == plain) is (value is None)

    @pytest.mark.parametrize(
        ("role", "text"),
        [
            (None, "<|start|>assistant<|channel|>final mime=text/html<|message|>x<|return|>"),
            (None, "<|start|>user mime=text/html<|message|>x<|end|>"),
            (None, "<|start|>f to=assistant<|channel|>commentary mime=a/b<|message|>x"),
            (None, "<|start|>assistant to=f<|channel|>analysis json mime=a/b<|message|>x<|call|>"),
            (Role.ASSISTANT, "<|channel|>final mime=text/html<|message|>x"),
            (Role.ASSISTANT, " mime=text/html<|message|>x"),
            (Role.ASSISTANT, "<|channel|>final <|constrain|>json mime=a <|message|>{}"),
        ],
    )
    def test_is_read_in_all_ways(self, mime, role, text):
        (message,) = read_all_ways(mime, mime.encode(text, allowed_special="all"), role)
        assert set(message.extra) == {"mime"}
        assert message.extra["mime"] in text

    def test_a_header_without_it_is_read_as_ever(self, mime, enc):
        text = "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|>"
        tokens = enc.encode(text, allowed_special="all")
        assert read_all_ways(mime, tokens) == enc.parse(tokens).messages
        assert enc.parse(tokens).messages[0].extra == {}

    def test_streams_show_it(self, mime):
        tokens = mime.encode("<|channel|>final mime=a/b<|message|>x", allowed_special="all")
        for strict in (True, False):
            parser = StreamableParser(mime, Role.ASSISTANT, strict=strict)
            assert parser.current_extra == {}
            for token in tokens:
                parser.process(token)
            assert parser.current_extra == {"mime": "a/b"}
            assert parser.state_data["header"]["extra"] == {"mime": "a/b"}
            (header, _) = StreamableParser(mime, Role.ASSISTANT, strict=strict).feed(tokens)
            assert isinstance(header, HeaderParsed)
            assert header.extra == (("mime", "a/b"),)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("<|channel|>final<|channel|>final mime=a/b<|message|>x<|end|>", "several-channels"),
            ("<|channel|>final junk mime=a/b<|message|>x<|end|>", "junk-words"),
            (" mime=a/b<|channel|>final<|message|>x<|end|>", None),
            ("<|channel|>final mime= a/b<|message|>x<|end|>", None),
            ("<|channel|>final mime=c/d mime=a/b<|message|>x<|end|>", "junk-words"),
            ("<|channel|>final mime=a/b mime=<|message|>x<|end|>", "junk-words"),
        ],
    )
    def test_recovery_keeps_it(self, mime, text, code):
        tokens = mime.encode(text, allowed_special="all")
        transcript = mime.parse(tokens, Role.ASSISTANT, strict=False)
        (message,) = transcript.messages
        assert (message.channel, message.extra) == ("final", {"mime": "a/b"})
        assert [d.code for d in transcript.diagnostics] == ([code] if code else [])

    def test_errors_name_it(self, mime):
        tokens = mime.encode("<|start|>user mime=<|message|>x", allowed_special="all")
        with pytest.raises(ParseError) as raised:
            mime.parse(tokens)
        assert raised.value.expected == ("a word",)
        tokens = mime.encode("<|start|>user<|message|>x", allowed_special="all")
        tokens[1:2] = [*tokens[1:2], 200003]
        with pytest.raises(ParseError):
            mime.parse(tokens)

    def test_the_cache_tells_messages_apart(self, mime):
        messages = [assistant("x", "final").with_extra("mime", mime) for mime in ("a", "b", "a")]
        expected = [token for message in messages for token in mime.render(message)]
        for _ in range(2):
            assert mime.render_conversation(Conversation(messages)) == expected
            assert mime.render_tokens(Conversation(messages)).tokens == expected
        messages[0].extra.clear()
        tokens = mime.render_conversation(Conversation(messages))
        assert mime.parse(tokens).messages == messages

    def test_exact_tokens(self, mime):
        sampled = mime.encode("<|channel|>final mime=", allowed_special="all")
        sampled += [64, 14, 65]  # "a", "/", "b"
        sampled += mime.encode("<|message|>x<|end|>", allowed_special="all")
        turn = mime.parse(sampled, Role.ASSISTANT)
        assert mime.render_tokens(turn, reuse=turn).tokens[2:] == sampled
        assert turn.normalized().messages[0].extra == {"mime": "a/b"}

    def test_other_forms_of_the_message_hold_it(self, mime):
        message = assistant("x", "final").with_extra("mime", "a/b")
        assert message.to_dict()["extra"] == {"mime": "a/b"}
        assert Message.from_json(message.to_json()) == message
        assert pickle.loads(pickle.dumps(message)) == message
        assert message != assistant("x", "final")
        assert "extra" not in assistant().to_dict()
        read = mime.parse(mime.render(message)).messages[0]
        assert pickle.loads(pickle.dumps(read)) == read == message
        assert (
            Message(author=message.author, content=["x"], channel="final", extra={"mime": "a/b"})
            == message
        )
        assert attrs.evolve(read) == read
        mime = pickle.loads(pickle.dumps(mime))
        assert mime.parse(mime.render(message)).messages == [message]

    @pytest.mark.parametrize("extra", [{"mime": 1}, {1: "a"}, 5, ["ab", "c"], "abc"])
    def test_of_another_type(self, mime, extra):
        with pytest.raises(InvalidMessage, match="expected a mapping of field names to strings"):
            Message.from_dict({"role": "user", "content": "x", "extra": extra})
        message = assistant()
        message._extra = extra
        with pytest.raises(InvalidMessage, match="expected a mapping of field names to strings"):
            mime.render(message)

    def test_without_the_overlay_it_is_refused(self, enc):
        with pytest.raises(RenderError) as raised:
            enc.render(assistant().with_extra("mime", "a/b"))
        assert str(raised.value) == (
            "the spec has no field 'mime' for Message.extra; it has: none. Load the encoding "
            "with the overlay that adds it"
        )

    @given(MESSAGE)
    def test_every_message_has_extra(self, message):
        assert message.extra == {}
        assert Message.from_dict(message.to_dict()) == message

    def test_a_field_with_a_special_token_of_its_own(self):
        spec = {
            "special_tokens": [{"name": "mime", "text": "<|mime|>", "id": 200020, "terminal": "MIME", "purpose": "Before a MIME type."}],
            "fields": [{"name": "mime", "rules": ["mime"], "purpose": "The MIME type."}],
        }  # fmt: skip
        grammar = (
            "%import .spec (MIME)\n"
            "%extend header: author route MIME mime -> with_mime\n"
            "%extend first_header: route MIME mime -> with_mime\n"
            "mime: WORD\n"
        )
        encoding = overlaid(spec, grammar)
        message = assistant("x", "final").with_extra("mime", "text/html")
        tokens = encoding.render(message)
        assert encoding.decode(tokens).endswith("final<|mime|>text/html<|message|>x<|end|>")
        assert tokens.count(200020) == 1
        assert read_all_ways(encoding, tokens) == [message]
        damaged = encoding.encode(
            "<|channel|>final<|channel|>final<|mime|>a/b<|message|>x", allowed_special="all"
        )
        (message,) = encoding.parse(damaged, Role.ASSISTANT, strict=False).messages
        assert message.extra == {"mime": "a/b"}


class TestRole:
    """Spec [[roles]]: "Who speaks." """

    def test_is_read_and_written(self, critic):
        message = Message.from_role_and_content(Role("critic"), "Too long.").with_channel("final")
        tokens = critic.render(message)
        assert critic.decode(tokens).startswith("<|start|>critic<|channel|>final<|message|>")
        assert read_all_ways(critic, tokens) == [message]
        tokens = critic.encode("<|channel|>final<|message|>x", allowed_special="all")
        assert read_all_ways(critic, tokens, Role("critic"))[0].author.role == "critic"
        prompt = critic.render_conversation_for_completion(Conversation([message]), Role("critic"))
        read = critic.parse_conversation(prompt)
        assert (read.next_turn_role, read.messages) == (Role("critic"), [message])

    def test_is_one_object_and_no_member(self, critic):
        role = critic.spec.roles[-1]
        assert role is Role("critic")
        assert (role.value, role.name, role) == ("critic", "CRITIC", "critic")
        assert role not in list(Role)
        assert critic.spec.role_names[-1] == "critic"

    def test_other_encodings_do_not_have_it(self, critic, enc):
        message = Message.from_role_and_content(critic.spec.roles[-1], "x")
        with pytest.raises(RenderError, match="the spec has no role 'critic'; it has: assistant"):
            enc.render(message)
        (read,) = enc.parse(critic.render(message)).messages
        assert (read.author.role, read.author.name) == (Role.TOOL, "critic")

    def test_a_role_that_nobody_added(self):
        with pytest.raises(
            UnknownName, match="Unknown role: 'nobody'; the roles are: user, assist"
        ):
            Role("nobody")
        for value in (3, None, []):
            with pytest.raises(UnknownName):
                Role(value)

    def test_is_known_to_a_process_that_unpickles_it(self, critic):
        message = Message.from_role_and_content(critic.spec.roles[-1], "x")
        code = "import pickle, sys; m = pickle.load(sys.stdin.buffer); print(m.author.role.value)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(message),
            capture_output=True,
            check=True,
            env={"PYTHONPATH": str(ROOT)},
        )
        assert done.stdout.strip() == b"critic"

    def test_its_place_in_the_order(self):
        spec = load_spec().with_role("owner", "Owns the model.", authority=0)
        assert spec.role_names[0] == "owner"


class TestDialect:
    """Spec [[dialects]]: "How headers are written." """

    def test_of_a_file(self):
        encoding = overlaid(OVERLAYS / "loud.toml", dialect="loud")
        row = encoding.spec.row("dialects", "loud")
        tokens = encoding.encode(row["example"], allowed_special="all")
        (message,) = read_all_ways(encoding, tokens)
        assert encoding.render(message) == tokens

    def test_by_a_method(self):
        spec = load_spec().with_dialect("mine", "Mine.", recipient_after_channel=["final"])
        message = assistant("x", "final").with_recipient("f")
        text = "<|start|>assistant<|channel|>final to=f<|message|>x<|call|>"
        encoding = overlaid(spec, dialect="mine")
        assert encoding.decode(encoding.render(message)) == text


class TestContentType:
    def test_by_a_method(self):
        encoding = overlaid(load_spec().with_content_type("toml", "TOML."))
        tokens = encoding.encode("<|start|>user toml<|message|>x<|end|>", allowed_special="all")
        assert read_all_ways(encoding, tokens)[0].content_type == "toml"


NAMES = {"start": "[M]", "message": "[:]", "end": "[/M]", "channel": "[CH]", "constrain": "[AS]", "call": "[CALL]", "return": "[R]"}  # fmt: skip


def small(first: int = 260, ordinary: dict[bytes, int] | None = None) -> tiktoken.Encoding:
    """A byte-level encoding with a few merges, one of them with the byte FF in it."""
    if ordinary is None:
        ordinary = {bytes([byte]): byte for byte in range(256)}
        ordinary |= {b"hi": 256, b"\xff<": 257, b"\xff\xfe": 258, b"er": 259}
    texts = [*NAMES.values(), "[PAD]"]
    special = {text: first + index for index, text in enumerate(texts)}
    return tiktoken.Encoding(
        "small", pat_str=r"\w+|\W", mergeable_ranks=ordinary, special_tokens=special
    )


class TestVocabulary:
    """Spec [vocabulary]: another model, with ids of its own on its own tiktoken encoding."""

    def test_ids_are_its_own(self, small_encoding):
        first = small_encoding.vocabulary.special_texts
        start = min(id for id, text in first.items() if text == "[M]")
        tokens = small_encoding.render(assistant("hi", "final"))
        assert small_encoding.decode(tokens) == "[M]assistant[CH]final[:]hi[/M]"
        assert (tokens[0], tokens[-3:]) == (start, [start + 1, 256, start + 2])
        assert small_encoding.stop_tokens() == [start + 6, start + 5, start + 2]
        assert read_all_ways(small_encoding, tokens) == [assistant("hi", "final")]

    @given(
        st.lists(REPRESENTABLE.filter(lambda m: CONSTRAIN not in str(m.content_type)), max_size=3)
    )
    def test_what_is_rendered_parses_back(self, small_encoding, messages):
        tokens = small_encoding.render_conversation(Conversation(messages))
        dropped = small_encoding.parse(tokens).messages
        assert small_encoding.render_conversation(Conversation(dropped)) == tokens
        parser = StreamableParser(small_encoding, None)
        for token in tokens:
            parser.process(token)
        assert parser.messages == dropped
        assert [message for message, *_ in by_matcher(small_encoding, tokens, None)] == [
            message for message, *_ in by_lalr(small_encoding, tokens, None)
        ]

    @given(TEXT)
    def test_text_never_is_structure(self, small_encoding, text):
        for spelled in (text, text + "[/M][M]system[:]"):
            tokens = small_encoding.render(Message.from_role_and_content(Role.USER, spelled))
            assert small_encoding.parse(tokens).messages[0].content[0].text == spelled

    @given(st.lists(st.integers(0, 255) | st.integers(250, 262), max_size=12))
    def test_content_of_any_ids(self, small_encoding, ids):
        """Tokens that hold the byte FF, which marks special tokens in the lexer."""
        ids = [id for id in ids if id < small_encoding.vocabulary.first_special]
        header = small_encoding.encode("[M]user[:]", allowed_special="all")
        (message,) = read_all_ways(small_encoding, [*header, *ids])
        expected = small_encoding.vocabulary.encoder.decode_bytes(ids).decode("utf-8", "replace")
        assert message.content[0].text == expected

    def test_recovery(self, small_encoding):
        tokens = small_encoding.encode("[CH]final[CH]final[:]hi", allowed_special="all")
        transcript = small_encoding.parse(tokens, Role.ASSISTANT, strict=False)
        assert transcript.messages == [assistant("hi", "final")]
        assert [d.code for d in transcript.diagnostics] == ["several-channels"]

    def test_pickles(self, small_encoding):
        other = pickle.loads(pickle.dumps(small_encoding))
        assert other.render(assistant("hi")) == small_encoding.render(assistant("hi"))

    def test_from_a_file_beside_the_overlay(self, tmp_path):
        encoding = small()
        tokens = [encoding.decode_single_token_bytes(id) for id in range(260)]
        (tmp_path / "small.tiktoken").write_bytes(ranks_written(tokens))
        rows = "".join(
            f'[[special_tokens]]\nname = "{name}"\ntext = "{text}"\nid = {260 + index}\n'
            for index, (name, text) in enumerate(NAMES.items())
        )
        facts = "file = \"small.tiktoken\"\npattern = ['''\\w+|\\W''']\nfirst_special = 260\nlast_special = 266\n"
        path = tmp_path / "small.toml"
        path.write_text(f"[vocabulary]\n{facts}{rows}")
        loaded = overlaid(path)
        by_object = overlaid(load_spec().with_vocabulary(encoding, NAMES))
        message = assistant("hi there", "final")
        assert loaded.render(message) == by_object.render(message)
        assert read_all_ways(loaded, loaded.render(message)) == [message]

        path.write_text(
            f"[vocabulary]\n{facts.replace('260', '261').replace('266', '268')}{rows.replace('= 260', '= 268')}"
        )
        with pytest.raises(VocabularyError) as raised:
            overlaid(path)
        assert str(raised.value) == (
            "the vocabulary 'small.tiktoken' has 260 tokens, so its special ones begin at 260, "
            "not at 261"
        )
        (tmp_path / "small.tiktoken").write_bytes(b"YQ== 0\nYg== 2\n")
        with pytest.raises(VocabularyError, match="is not in tiktoken's form"):
            overlaid(path)
        path.write_text(f'[vocabulary]\nsha256 = "0"\n{facts}{rows}')
        with pytest.raises(VocabularyError, match="its SHA-256 is"):
            overlaid(path)
        (tmp_path / "small.tiktoken").unlink()
        with pytest.raises(VocabularyError, match="cannot read the vocabulary"):
            overlaid(path)

    def test_what_does_not_fit(self):
        spec = load_spec()
        with pytest.raises(GrammarError) as raised:
            spec.with_vocabulary(small(), {"start": "[S]"})
        assert str(raised.value) == (
            "the encoding 'small' has no special token '[S]' to be 'start'; it has: [/M], [:], "
            "[AS], [CALL], [CH], [M], [PAD], [R]"
        )
        plain = tiktoken.Encoding(
            "plain", pat_str=".", mergeable_ranks={b"a": 0}, special_tokens={}
        )
        with pytest.raises(GrammarError, match="the encoding 'plain' has no special tokens"):
            spec.with_vocabulary(plain, {})
        mixed = small(0, {bytes([byte]): byte + 8 for byte in range(256)})
        with pytest.raises(GrammarError, match="has 256 ordinary tokens; they should have the ids"):
            spec.with_vocabulary(mixed, NAMES)
        some = {name: text for name, text in NAMES.items() if name != "call"}
        with pytest.raises(
            GrammarError, match="the special token 'call' cannot have the id 200012"
        ):
            overlaid(spec.with_vocabulary(small(), some))


class TestContradictions:
    """An overlay that contradicts itself is refused with the file, the line and the reason."""

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("[[channels]]\nname = 'a'\nx =\n", 3, "cannot read the spec {path!r}: Invalid value (at line 3, column 4)"),
            ("# Mine.\n\n[[special_tokens]]\nname = 'start'\nid = 200007\n", 5, "the special tokens 'start' and 'end' have one id: 200007"),
            ("[[special_tokens]]\nname = 'start'\nid = 200020\n\n[[special_tokens]]\nname = 'mine'\ntext = '<|mine|>'\nid = 200020\npurpose = ''\n", 8, "the special tokens 'start' and 'mine' have one id: 200020"),
            ("[[special_tokens]]\nname = 'mine'\nid = 200020\n", 1, "a row of [[special_tokens]] does not fit: SpecialToken.__init__() missing 2 required positional arguments: 'text' and 'purpose'"),
            ("[[special_tokens]]\nname = 'start'\ntext = '<|end|>'\n", 3, "the special tokens 'end' and 'start' have one text: '<|end|>'"),
            ("[[special_tokens]]\nname = 'start'\ntext = '<|end|>x'\n", 3, "the special tokens 'end' and 'start' cannot be told apart: '<|end|>x' begins with '<|end|>'"),
            ("[[special_tokens]]\nname = 'end'\nterminal = 'START'\n", 3, "the special tokens 'start' and 'end' have one terminal: START"),
            ("[stop]\nany = ['end', 'gone']\n", 2, "the spec names no special token 'gone'"),
            ("[terminators]\ncall = 'gone'\n", 2, "[terminators] says call = 'gone'; there are: startoftext, endoftext, return, constrain, channel, start, end, message, call"),
            ("[[channels]]\nname = 'a'\nroles = ['nobody']\npurpose = ''\nvisible = true\n", 3, "'a' of [[channels]] says roles = 'nobody'; there are: system, developer, user, assistant, tool"),
            ("[[channels]]\nname = 'a b'\npurpose = ''\nvisible = true\n", 1, "'a b' in [[channels]] is not one word"),
            ("[[channels]]\npurpose = ''\nvisible = true\n", 1, "a row of [[channels]] has no name"),
            ("[[dialects]]\nname = 'mine'\n", 1, "a row of [[dialects]] does not fit: Dialect.__init__() missing 5 required positional arguments: 'peer', 'recipient_after_channel', 'constrain_content_type', 'purpose', and 'example'"),
            ("[[dialects]]\nname = 'channel-first'\nrecipient_after_channel = ['gone']\n", 3, "'channel-first' of [[dialects]] says recipient_after_channel = 'gone'; there are: analysis, commentary, final"),
            ("[[fields]]\nname = 'mime'\nrules = ['mime']\npurpose = ''\n", 3, "no message of the grammar holds the rule 'mime' of the field 'mime'"),
            ("[[fields]]\nname = 'mime'\nrules = []\npurpose = ''\n", 3, "the field 'mime' is held by no rule"),
            ("fields = []\n", 1, "[[fields]] of the spec lacks: channel, content, content_type, name, recipient, role, terminator"),
            ("[[channels]]\nname = 'a'\nvisible = true\n\n[[channels]]\nname = 'a'\nvisible = false\n", 5, "[[channels]] has two rows called 'a'"),
            ("[[roles]]\nname = 'a'\nauthority = 'high'\n", 3, "'a' of [[roles]]: authority should be an integer, not 'high'"),
            ("[[channels]]\nname = 'a'\nroles = 'user'\n", 3, "'a' of [[channels]]: roles should be a list, not 'user'"),
            ("[[fields]]\nname = 'a'\nrules = [[]]\n", 3, "'a' of [[fields]]: rules should be a list of strings, not [[]]"),
            ("[written]\n_MIME = 5\n", 2, "[written] of the spec: _MIME should be a string, not 5"),
            ("[recovery]\ndefault_role = 'gone'\n", 2, "[recovery] says default_role = 'gone'; there are: system, developer, user, assistant, tool"),
            ("[[dialects]]\nname = 'channel-first'\ndefault = true\n", 3, "one row of [[dialects]] has default = true, not 'reference', 'channel-first'"),
            ("[[rules]]\ncode = 'HAR101'\nseverity = 'bad'\n", 1, "the rule 'HAR101' of the spec has the severity 'bad' and the fix 'always'; expected one of info, warning, error and of always, sometimes, never"),
            ("roles = 3\n", 1, "[[roles]] of the spec should be an array of tables, not 3"),
            ("header = [{a = 1}]\n", 1, "[header] of the spec should be a table, not [{'a': 1}]"),
        ],
    )  # fmt: skip
    def test_in_a_spec(self, tmp_path, text, line, reason):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        with pytest.raises(GrammarError) as raised:
            overlaid(path)
        place = f"{path}" if line is None else f"{path}:{line}"
        assert str(raised.value).removeprefix(place + ": ") == reason.replace(
            "{path!r}", repr(str(path))
        )
        assert str(raised.value).startswith(f"{path}:")

    @pytest.mark.parametrize(
        ("spec", "reason"),
        [
            (3, "expected a mapping or a path as a spec, got 3"),
            ({"roles": [{"name": "a"}]}, "the row 'a' of [[roles]] lacks authority"),
            ({"vocabulary": {"pattern": 3}}, "[vocabulary] of the spec: pattern should be a list, not 3"),
            ({"vocabulary": {"tokens": [b"a"]}}, "[vocabulary] of the spec should say first_special and last_special"),
        ],
    )  # fmt: skip
    def test_in_a_mapping(self, spec, reason):
        with pytest.raises(GrammarError) as raised:
            overlaid(spec)
        assert str(raised.value) == reason

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("// Mine.\n%extend header: author (\n", 2, "the grammar cannot be read: Expecting a value, at line 2 column 25\n\n%extend header: author (\n                        ^\n"),
            ("// gone\n%extend header: author gone\n", 2, "the grammar cannot be read: Rule 'gone' used but not defined (in rule header)"),
            ("\n%extend header: author GONE\n", 2, "the grammar cannot be read: Rule 'GONE' used but not defined (in rule header)"),
            ("%extend gone: WORD\n", 1, "the grammar cannot be read: Can't extend rule gone as it wasn't defined before"),
            ("%override gone: WORD\n", 1, "the grammar cannot be read: Cannot override a nonexisting rule gone"),
            ("\nrole: WORD\n", 2, "the grammar cannot be read: Rule 'role' defined more than once"),
            ("%extend header: more\nmore: author more | author\n", 1, "the rule 'more' holds itself; a header is a regular language"),
            ("%import .spec (GONE)\n%extend header: author GONE\n", 1, "the spec binds no terminal GONE; it binds: CHANNEL, CONSTRAIN"),
            ("%import .spec.GONE\n", 1, "the spec binds no terminal GONE; it binds: CHANNEL, CONSTRAIN"),
            ("%import .other (GONE)\n", None, "the grammar imports 'other.lark'; only `.spec` and Lark's own can be imported"),
            ("%extend header: author SIGN route\nSIGN: /[/\n", 1, "the grammar does not make an expression: the terminal SIGN: unterminated"),
            ("%extend header: author twice\ntwice: route\n", 1, "the grammar is not LALR(1), or cannot be read: Reduce/Reduce collision"),
            ("%import common.WS\n%ignore WS\n", 2, "nothing of a message can be passed over"),
            ("%extend header: author route CHANNEL channel -> twice\n", 1, "the alternative `twice` of the grammar can hold the field 'channel' more than once"),
            ("%extend header: author (_SPACE recipient)+\n", 1, "the rule `header` of the grammar can hold the field 'recipient' more than once"),
            ("%override TEXT: /[a-z]+/\n", None, "a message by assistant cannot be rendered and read"),
            ("%override author: _SPACE? tool_name\n", None, "the grammar has no header with role"),
            ("%override message: START header MESSAGE\n", None, "the rule 'message' of the grammar is not a header, `content` and a terminator"),
        ],
    )  # fmt: skip
    def test_in_a_grammar(self, tmp_path, text, line, reason):
        path = tmp_path / "mine.lark"
        path.write_text(text)
        with pytest.raises(GrammarError) as raised:
            overlaid(grammar=path)
        said = str(raised.value)
        place = f"{path}:{line}: " if line else f"{path}"
        assert said.startswith(place)
        assert reason in said
        with pytest.raises(GrammarError) as raised:
            overlaid(grammar=text)
        assert str(raised.value) == said.replace(str(path), "<grammar>")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(GrammarError, match="cannot read the grammar"):
            overlaid(grammar=tmp_path / "none.lark")

    def test_a_field_that_reads_otherwise(self):
        """Without its look-ahead for `mime=`, ` mime=x` is a recipient first."""
        text = (OVERLAYS / "mime.lark").read_text().partition("%override _SPACE")[0]
        with pytest.raises(GrammarError, match=r"the field .mime. is rendered as .* otherwise"):
            overlaid(OVERLAYS / "mime.toml", text)

    @pytest.mark.parametrize("mark", ["\ufeff", ""])
    def test_files_from_windows(self, tmp_path, mark):
        """A byte order mark and CRLF are no faults."""
        for name in ("mime.toml", "mime.lark"):
            text = mark + (OVERLAYS / name).read_text().replace("\n", "\r\n")
            (tmp_path / name).write_bytes(text.encode())
        encoding = overlaid(tmp_path / "mime.toml", tmp_path / "mime.lark")
        said = assistant("x", "final").with_extra("mime", "a/b")
        assert encoding.parse(encoding.render(said)).messages == [said]

    @pytest.mark.parametrize(
        ("path", "reason"),
        [("a\0b", "cannot read the"), ("", "cannot read the"), (".", "cannot read the")],
    )
    def test_paths_of_no_file(self, path, reason):
        with pytest.raises(GrammarError, match=reason):
            overlaid(path)
        with pytest.raises(GrammarError, match=reason):
            overlaid(grammar=path)

    @pytest.mark.parametrize("grammar", [5, b"header: x", ["x"]])
    def test_no_grammar(self, grammar):
        with pytest.raises(GrammarError, match="expected the text of a grammar or the path of one"):
            overlaid(grammar=grammar)

    def test_a_grammar_that_cannot_be_written(self):
        """`mime=` has more than one spelling, and [written] does not say which one to write."""
        spec = load_spec().with_field("mime", ["mime"], "The MIME type.")
        with pytest.raises(GrammarError) as raised:
            overlaid(spec, OVERLAYS / "mime.lark")
        assert "mime.lark:5: [written] of the spec does not say how to write _MIME" in str(
            raised.value
        )


class TestCommand:
    """`harmony --spec FILE --grammar FILE`."""

    def run(self, *args, text):
        command = [sys.executable, "-m", "harmony", *map(str, args)]
        env = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        return subprocess.run(
            command, input=text.encode(), capture_output=True, check=False, env=env
        )

    def test_reads_overlays(self):
        overlays = ("--spec", OVERLAYS / "mime.toml", "--grammar", OVERLAYS / "mime.lark")
        text = "<|start|>user mime=a/b<|message|>x<|end|>"
        done = self.run(*overlays, "parse", "--from-text", text=text)
        assert done.returncode == 0, done.stderr
        (message,) = json.loads(done.stdout)
        assert message["extra"] == {"mime": "a/b"}
        done = self.run("--spec", OVERLAYS / "loud.toml", "stop", text="")
        assert json.loads(done.stdout) == [200002, 200012, 200007]

    def test_a_dialect_of_ones_own(self):
        message = json.dumps(assistant("x", "final").with_recipient("f").to_dict())
        args = ("--spec", OVERLAYS / "loud.toml", "render-msg", "--dialect", "loud", "--text")
        done = self.run(*args, text=message)
        assert (
            done.stdout.decode() == "<|start|>assistant<|channel|>final to=f<|message|>x<|call|>\n"
        )

    def test_what_contradicts_itself(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text("[stop]\nany = ['gone']\n")
        done = self.run("--spec", path, "stop", text="")
        assert done.returncode == 1
        assert f"{path}:2: the spec names no special token 'gone'" in done.stderr.decode()


class TestEveryProduct:
    """Issue: parser, renderer, recovery, checker, constrained grammars and docs all follow."""

    def test_the_checker(self, critique):
        fine = assistant("Too long.", "critique")
        asked = Message.from_role_and_content(Role.USER, "Hi")
        answer = assistant("Hello.", "final")
        assert critique.check([asked, fine, answer]) == []
        stray = Message.from_role_and_content(Role.USER, "Hi").with_channel("critique")
        tool = Message.from_author_and_content(Author.new(Role.TOOL, "functions.f"), "1")
        for message in (stray, tool.with_channel("critique").with_recipient("assistant")):
            codes = [finding.code for finding in critique.check([message])]
            assert "HAR203" in codes
        assert "HAR202" in [d.code for d in load_harmony_encoding("HarmonyGptOss").check([fine])]

    def test_the_masks(self, critique, enc):
        tokens = enc.encode("<|channel|>critique<|message|>Too long.<|end|>", allowed_special="all")
        matcher = completion_grammar(critique).matcher()
        for token in tokens:
            matcher.accept(token)
        assert "critique" in completion_grammar(critique).to_gbnf()
        assert "critique" in completion_grammar(critique).to_xgrammar()
        refused = completion_grammar(enc).matcher()
        for token in tokens[:1]:
            refused.accept(token)
        with pytest.raises(ForbiddenToken):
            refused.accept(tokens[1])
        spec = load_spec().with_channel("critique", "Judgement.", roles=["user"])
        assert "critique" not in completion_grammar(overlaid(spec)).to_llguidance()

    def test_the_docs(self, mime, critique):
        pages = build_reference(mime)
        assert "with_mime" in pages["grammar.md"]
        assert "mime=" in pages["headers.md"]
        assert "critique" in build_reference(critique)["format.md"]

    def test_the_json_schemas(self, critic):
        schema = json_schema("message", critic.spec)
        assert "critic" in json.dumps(schema)
        assert "extra" in schema["$defs"]["Message"]["properties"]

    def test_conversion(self, critique):
        prompt = from_chat_request(
            {"messages": [{"role": "user", "content": "Hi"}]}, encoding=critique
        )
        tokens = critique.encode(
            "<|channel|>critique<|message|>Short.<|end|><|start|>assistant<|channel|>final<|message|>Hello.<|return|>",
            allowed_special="all",
        )
        answer = to_chat_completion(tokens, prompt)["choices"][0]["message"]
        assert (answer["reasoning"], answer["content"]) == ("Short.", "Hello.")
