"""The command line: what goes in, what comes out, and that no input brings a traceback."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harmony
from harmony import Conversation, Message, RenderConversationConfig, Role
from harmony.cli.entry import command, run
from harmony.cli.streaming import event_dict
from harmony.transcript import Diagnostic, TokenRange, Transcript
from tests.shell import ROOT, needs_bash, run_module, run_shell

WEATHER = ROOT / "examples" / "weather.json"
COMPLETION = ROOT / "examples" / "weather_completion.json"
READERS = [
    ["render-msg"],
    ["render-convo"],
    ["render-completion"],
    ["render-training"],
    ["parse"],
    ["parse", "--stream"],
    ["parse", "--recover"],
    ["encode"],
    ["decode"],
]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def harmony_(*args: object, stdin: bytes | str = b"", terminal: str = "") -> tuple[int, str, str]:
    """The exit status, standard output and standard error of the command, run in here.

    ``terminal`` names the stream that is one.
    """
    given = {"stdin": stdin.encode() if isinstance(stdin, str) else stdin}
    buffers = {name: io.BytesIO(given.get(name)) for name in ("stdin", "stdout", "stderr")}
    with pytest.MonkeyPatch.context() as patch:
        for name, buffer in buffers.items():
            kind = Terminal if name == terminal else io.TextIOWrapper
            patch.setattr(
                sys, name, kind(buffer, encoding="utf-8" if name == "stderr" else "ascii")
            )
        status = run([str(arg) for arg in args])
        sys.stdout.flush()
        sys.stderr.flush()
        return status, buffers["stdout"].getvalue().decode(), buffers["stderr"].getvalue().decode()


def good(*args: object, stdin: bytes | str = b"") -> str:
    status, out, err = harmony_(*args, stdin=stdin)
    assert (status, err) == (0, "")
    return out


def bad(*args: object, stdin: bytes | str = b"") -> str:
    status, out, err = harmony_(*args, stdin=stdin)
    assert (status, out) == (1, "")
    assert err.startswith("error: ")
    return err.removeprefix("error: ")


def misused(*args: object, stdin: bytes | str = b"") -> str:
    status, out, err = harmony_(*args, stdin=stdin)
    assert (status, out) == (2, "")
    return err


@pytest.fixture(scope="module")
def weather() -> Conversation:
    return Conversation.from_json(WEATHER.read_text())


# ---- rendering ---------------------------------------------------------------------------


def test_render_msg_is_the_library_s(enc):
    message = Message.from_role_and_content(Role.USER, "ça va ?")
    assert json.loads(good("render-msg", stdin=message.to_json())) == enc.render(message)


def test_render_msg_mentions_function_tools_if_told():
    system = '{"role": "system", "content": [{"type": "system_content"}]}'
    note = "commentary channel: 'functions'."
    assert note in good("render-msg", "--function-tools", "--text", stdin=system)
    assert note not in good("render-msg", "--text", stdin=system)


def test_render_convo_is_the_library_s(enc, weather):
    assert json.loads(good("render-convo", WEATHER)) == enc.render_conversation(weather)


def test_a_list_of_messages_is_a_conversation(weather):
    messages = json.dumps(weather.to_dict()["messages"])
    assert good("render-convo", stdin=messages) == good("render-convo", WEATHER)


@pytest.mark.parametrize("role", list(Role))
def test_render_completion_is_the_library_s(enc, weather, role):
    expected = enc.render_conversation_for_completion(weather, role)
    out = good("render-completion", "--role", role.value, WEATHER)
    assert json.loads(out) == expected


def test_render_completion_is_for_the_assistant():
    assert good("render-completion", WEATHER) == good(
        "render-completion", "--role", "assistant", WEATHER
    )


def answered() -> str:
    return json.dumps(
        [
            {"role": "user", "content": "2 + 2?"},
            {"role": "assistant", "channel": "analysis", "content": "Easy."},
            {"role": "assistant", "channel": "final", "content": "4"},
        ]
    )


def test_render_training_ends_with_return():
    out = good("render-training", "--text", stdin=answered())
    assert out == (
        "<|start|>user<|message|>2 + 2?<|end|>"
        "<|start|>assistant<|channel|>final<|message|>4<|return|>\n"
    )


@pytest.mark.parametrize("name", ["render-convo", "render-completion", "render-training"])
def test_keep_analysis(name):
    assert "Easy." not in good(name, "--text", stdin=answered())
    assert "Easy." in good(name, "--text", "--keep-analysis", stdin=answered())


@pytest.mark.parametrize("policy", ["auto", "keep_all", "drop_all", "keep_open_call"])
def test_analysis_policy(enc, policy):
    config = RenderConversationConfig(analysis_policy=policy)
    conversation = Conversation.from_dict({"messages": json.loads(answered())})
    expected = enc.render_conversation(conversation, config)
    out = good("render-convo", "--analysis-policy", policy, stdin=answered())
    assert json.loads(out) == expected


def test_dialect(channel_first, weather):
    out = good("render-convo", "--dialect", "channel-first", WEATHER)
    assert json.loads(out) == channel_first.render_conversation(weather)
    assert out != good("render-convo", WEATHER)


# ---- parsing -----------------------------------------------------------------------------


def test_parse_gives_messages_that_render_again(enc):
    tokens = json.loads(COMPLETION.read_text())
    messages = json.loads(good("parse", "--role", "assistant", COMPLETION))
    expected = enc.parse_messages_from_completion_tokens(tokens, Role.ASSISTANT)
    assert [Message.from_dict(message) for message in messages] == expected
    assert good("render-convo", stdin=json.dumps(messages)).startswith("[200006")


def test_parse_takes_an_object_with_tokens():
    tokens = json.dumps({"tokens": json.loads(COMPLETION.read_text())})
    assert good("parse", "--role", "assistant", stdin=tokens) == good(
        "parse", "--role", "assistant", COMPLETION
    )


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_parse_from_text(end):
    text = f"<|start|>user<|message|>Hi\n<|end|>{end}"
    (message,) = json.loads(good("parse", "--from-text", stdin=text))
    assert message["content"] == [{"type": "text", "text": "Hi\n"}]


def test_text_goes_round():
    text = good("render-convo", "--text", WEATHER)
    messages = good("parse", "--from-text", stdin=text)
    assert good("render-convo", "--text", "--keep-analysis", stdin=messages) == text


def test_structured_messages_go_round(weather):
    tokens = good("render-convo", WEATHER)
    messages = good("parse", "--structured", stdin=tokens)
    assert good("render-convo", stdin=messages) == tokens
    assert json.loads(messages)[1]["content"][0]["tools"].keys() == {"functions"}


def test_a_parse_error_is_shown_whole():
    error = bad("parse", "--from-text", stdin="<|start|>assistant<|channel|><|message|>Hi")
    assert error == (
        "`<|channel|>` is not followed by a channel name (token 3)\n"
        "  <|start|>assistant<|channel|><|message|>Hi\n"
        "                               ^^^^^^^^^^^\n"
        "expected: a word\n"
        "found: '<|message|>'\n"
        "remedy: A channel's name follows `<|channel|>` at once, as in `<|channel|>final`.\n"
    )


# ---- streaming ---------------------------------------------------------------------------


def events(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_stream_gives_the_events_of_each_token(enc):
    tokens = json.loads(COMPLETION.read_text())
    parser = harmony.StreamableParser(enc, Role.ASSISTANT)
    expected = [event_dict(event) for token in tokens for event in parser.feed([token])]
    out = good("parse", "--role", "assistant", "--stream", COMPLETION)
    assert events(out) == expected
    assert expected[0]["event"] == "header_parsed"
    assert expected[-1]["terminator"] == "<|return|>"


def test_stream_finishes_an_unterminated_message():
    # The two tokens spell "思" and the first byte of another character.
    text = "<|start|>user<|message|>Hi"
    out = good("parse", "--stream", "--from-text", stdin=text)
    assert [event["event"] for event in events(out)] == [
        "header_parsed",
        "content_delta",
        "message_finished",
    ]
    assert events(out)[-1]["terminator"] is None


def test_stream_gives_what_the_end_completes():
    # 222 is one byte of a character of several: U+FFFD once nothing more can come.
    out = good("parse", "--stream", stdin="[200006, 1428, 200008, 3686, 25701]")
    *_, last = deltas = [event for event in events(out) if event["event"] != "header_parsed"]
    text = last["message"]["content"][0]["text"]
    assert "".join(event["text"] for event in deltas[:-1]) == text
    assert text.endswith("\ufffd")


@pytest.mark.parametrize(
    "lines",
    ["200006\n1428\n200008\n3686\n200007\n", "[200006, 1428]\n\n[200008,\n3686,\n200007]"],
)
def test_stream_takes_ids_and_lists_line_by_line(lines):
    out = good("parse", "--stream", stdin=lines)
    assert out == good("parse", "--stream", stdin="[200006, 1428, 200008, 3686, 200007]")


def test_stream_writes_an_event_before_the_input_ends():
    process = subprocess.Popen(
        [sys.executable, "-m", "harmony", "parse", "--stream"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    with process:
        process.stdin.write(b"[200006, 1428, 200008]\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["role"] == "user"
        process.stdin.close()
        assert json.loads(process.stdout.readline())["event"] == "message_finished"
    assert process.returncode == 0


def test_stream_writes_the_events_before_a_fault():
    status, out, err = harmony_(
        "parse", "--stream", "--from-text", stdin="<|start|>user<|message|>Hi<|end|>oops"
    )
    assert (status, len(events(out))) == (1, 3)
    assert err.startswith("error: Unexpected token")


def test_stream_of_half_a_list_is_an_error():
    assert "not JSON" in bad("parse", "--stream", stdin="[200006,\n")


# ---- recovery ----------------------------------------------------------------------------


@pytest.fixture
def lenient(monkeypatch, enc):
    """An encoding whose lenient reading is known: one message, two diagnostics."""
    message = Message.from_role_and_content(Role.ASSISTANT, "Hi")
    seen = []

    def parse(tokens, role=None, *, strict=True, tools=None, structured=False):
        seen.append((list(tokens), role, strict, list(tools)))
        diagnostics = [
            Diagnostic("stray-text", "what it met", TokenRange(2, 5), "error", "met"),
            Diagnostic("junk", "what it made of it", TokenRange(7, 8)),
        ]
        return Transcript([message], tokens, [], enc.vocabulary, diagnostics)

    monkeypatch.setattr(enc, "parse", parse, raising=False)
    monkeypatch.setattr("harmony.cli.parsing.encoding", lambda: enc)
    return seen


def test_recover_writes_messages_and_diagnostics(lenient):
    status, out, err = harmony_(
        "parse", "--recover", "--role", "assistant", "--tool", "a.b", "--tool", "c", stdin="[1]"
    )
    assert status == 0
    assert json.loads(out)[0]["content"][0]["text"] == "Hi"
    assert err == (
        "error: stray-text (tokens 2-4): what it met\nwarning: junk (token 7): what it made of it\n"
    )
    assert lenient == [([1], Role.ASSISTANT, False, ["a.b", "c"])]


def test_recover_writes_diagnostics_as_json(lenient):
    status, out, err = harmony_("parse", "--recover", "--json", "--jsonl", stdin="\n[1]\n")
    assert (status, len(out.splitlines())) == (0, 1)
    assert events(err)[0] == {
        "line": 2,
        "code": "stray-text",
        "severity": "error",
        "message": "what it met",
        "tokens": [2, 5],
        "text": "met",
    }


@pytest.mark.parametrize(("no_color", "expected"), [("", "\x1b[31m"), ("1", "error: stray")])
def test_recover_is_coloured_on_a_terminal(lenient, monkeypatch, no_color, expected):
    monkeypatch.setenv("NO_COLOR", no_color)
    _, _, err = harmony_("parse", "--recover", stdin="[1]", terminal="stderr")
    assert expected in err


VECTORS = [
    json.loads(line)
    for line in (ROOT / "tests" / "vectors" / "recovery.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_recover_reads_a_stream_as_it_reads_all_at_once(vector):
    args = ["parse", "--recover", "--json", "--from-text"]
    args += ["--role", vector["role"]] if vector["role"] else []
    args += [f"--tool={tool}" for tool in vector["tools"]]
    status, out, err = harmony_(*args, stdin=vector["text"] + "\n")
    streamed_status, streamed_out, streamed_err = harmony_(
        *args, "--stream", stdin=vector["text"] + "\n"
    )
    assert (status, streamed_status) == (0, 0)
    finished = [event for event in events(streamed_out) if event["event"] == "message_finished"]
    assert [event["message"] for event in finished] == json.loads(out)
    assert sorted(streamed_err.splitlines()) == sorted(err.splitlines())
    # Each message has its header and all its text.
    opened = [event for event in events(streamed_out) if event["event"] == "header_parsed"]
    assert len(opened) == len(finished)
    texts = [event["text"] for event in events(streamed_out) if event["event"] == "content_delta"]
    contents = [event["message"]["content"][0]["text"] for event in finished]
    assert "".join(texts) == "".join(contents)


# ---- tokens ------------------------------------------------------------------------------


def test_encode_and_decode():
    ids = good("encode", stdin='"Hello, wörld\\n"')
    assert good("decode", stdin=ids) == '"Hello, wörld\\n"\n'
    assert good("decode", "--text", stdin=ids) == "Hello, wörld\n\n"
    assert good("encode", "--from-text", stdin="Hello, wörld\n\n") == ids
    assert good("encode", stdin='{"text": "Hello, wörld\\n"}') == ids


def test_encode_special():
    assert "disallowed special token '<|end|>'" in bad("encode", stdin='"<|end|>"')
    assert good("encode", "--special", "allow", stdin='"<|end|>"') == "[200007]\n"
    text = json.loads(good("encode", "--special", "text", stdin='"<|end|>"'))
    assert max(text) < 199998


def test_decode_writes_utf_8_whatever_the_locale():
    result = run_module("decode", "--text", stdin=b"[16407]", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert result.stdout.decode("utf-8") == "思\n"


def test_a_lone_surrogate_is_an_escape():
    message = json.dumps({"role": "user", "content": "\ud800"})
    assert good("render-msg", "--text", stdin=message).endswith("\ufffd<|end|>\n")
    assert json.loads(harmony.cli.documents.as_json("\ud800")) == "\ud800"


def test_stop(enc):
    assert json.loads(good("stop")) == enc.stop_tokens()
    ids = enc.stop_tokens_for_assistant_actions()
    assert json.loads(good("stop", "--assistant-actions")) == ids
    assert good("stop", "--assistant-actions", "--text") == "<|return|>\n<|call|>\n"


def test_vocab(enc):
    facts = json.loads(good("vocab"))
    assert facts["name"] == "o200k_harmony"
    assert facts["size"] == len(enc.vocabulary.table)
    assert facts["ordinary_tokens"] == len(enc.vocabulary.tokens)
    assert {"name": "end", "text": "<|end|>", "id": 200007} in facts["special_tokens"]


def test_vocab_export(tmp_path, monkeypatch):
    path = json.loads(good("vocab", "--export", tmp_path / "new"))["path"]
    monkeypatch.setenv("TIKTOKEN_ENCODINGS_BASE", str(Path(path).parent))
    assert run_module("decode", stdin=b"[3686]").stdout == b'"hi"\n'
    (tmp_path / "file").touch()
    assert "is a file" in misused("vocab", "--export", tmp_path / "file")
    assert "cannot write" in bad("vocab", "--export", tmp_path / "file" / "below")


# ---- lines -------------------------------------------------------------------------------


def test_jsonl_keeps_the_order_and_goes_on_after_a_bad_line():
    lines = ['{"role": "user", "content": "a"}', "", "{", '{"role": "x", "content": ""}']
    lines += ["[" * 100_000, "\udcff", '{"role": "user", "content": "b"}']
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    status, out, err = harmony_("render-msg", "--jsonl", "--text", stdin=data)
    assert status == 1
    assert out == '"<|start|>user<|message|>a<|end|>"\n"<|start|>user<|message|>b<|end|>"\n'
    assert [error.split(":")[1] for error in err.splitlines()] == [
        " line 3",
        " line 4",
        " line 5",
        " line 6",
    ]


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["render-convo"], answered()),
        (["render-completion"], answered()),
        (["render-training"], answered()),
        (["parse", "--role", "assistant"], COMPLETION.read_text().strip()),
        (["parse", "--from-text"], '"<|start|>user<|message|>Hi<|end|>"'),
        (["encode"], '"a\\nb"'),
        (["encode", "--from-text"], '"a\\nb"'),
        (["decode"], "[3686, 198]"),
        (["decode", "--text"], "[3686, 198]"),
    ],
)
def test_jsonl_gives_a_line_a_line(args, line):
    one, two, *rest = good(*args, "--jsonl", stdin=f"{line}\n{line}\n").splitlines()
    assert (one, rest) == (two, [])
    json.loads(one)


def test_jsonl_goes_on_after_what_is_nested_too_deeply_for_us(monkeypatch):
    def deep(*_):
        raise RecursionError

    monkeypatch.setattr("harmony.cli.tokens.token_ids", deep)
    status, out, err = harmony_("decode", "--jsonl", stdin="[1]\n[2]\n")
    assert (status, out, len(err.splitlines())) == (1, "", 2)
    assert "nested too deeply" in bad("decode", stdin="[1]")


# ---- faults ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the input is empty; expected JSON"),
        (b" \n", "the input is empty; expected JSON"),
        (b"{", "the input is not JSON: Expecting property name"),
        (b"\xff\xfe", "Invalid utf-8: the input is not UTF-8"),
        (b"[" * 100_000, "the JSON is nested too deeply"),
        (b"9" * 5000, "the input is not JSON: Exceeds the limit"),
    ],
)
@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_what_is_no_json_is_refused(reader, data, says):
    if reader == ["parse", "--stream"] and not data.strip():
        assert good(*reader, stdin=data) == ""
    else:
        assert bad(*reader, stdin=data).startswith(says)


@pytest.mark.parametrize("document", ["null", "3", "true", '{"a": 1}', "[null]", "[[1]]", "[{}]"])
@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_what_has_the_wrong_type_is_refused(reader, document):
    if reader == ["parse", "--stream"] and document == "3":
        document = "3.0"
    assert "Traceback" not in bad(*reader, stdin=document)


@pytest.mark.parametrize("document", ["[true]", "[1.0]", '["1"]', '{"tokens": 1}'])
def test_what_is_no_id_is_refused(document):
    assert "expected a list of token ids" in bad("parse", stdin=document)


@pytest.mark.parametrize("id", [-1, 201089, 10**30])
def test_an_id_out_of_range_is_refused(id):
    assert f"Invalid token for decoding: {id}" in bad("decode", stdin=f"[{id}]")


@given(data=st.one_of(st.binary(), st.text().map(str.encode)), reader=st.sampled_from(READERS))
def test_any_bytes_give_a_result_or_an_error(data, reader):
    status, _, err = harmony_(*reader, stdin=data)
    assert status in (0, 1)
    assert "bug in harmony" not in err


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["role", "content", "messages", "tokens", "text", "type", "tools"])
            | st.text(),
            inner,
        )
    ),
)


@given(value=json_values, reader=st.sampled_from(READERS))
def test_any_json_gives_a_result_or_an_error(value, reader):
    status, _, err = harmony_(*reader, stdin=json.dumps(value))
    assert status in (0, 1)
    assert "bug in harmony" not in err


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_a_missing_file_is_a_usage_error(reader, tmp_path):
    assert "does not exist" in misused(*reader, tmp_path / "none.json")
    assert "is a directory" in misused(*reader, tmp_path)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["parse", "--role", "bob"], "'bob' is no role; there are: system, developer, user"),
        (["render-convo", "--dialect", "x"], "'x' is no dialect; there are: reference"),
        (["render-convo", "--analysis-policy", "x"], "'x' is no analysis policy"),
        (["render-convo", "--keep-analysis", "--analysis-policy", "auto"], "exclude each other"),
        (["parse", "--stream", "--jsonl"], "exclude each other"),
        (["parse", "--stream", "--structured"], "exclude each other"),
    ],
)
def test_usage_errors(args, says):
    assert says in misused(*args)


def test_a_fault_of_ours_is_no_traceback(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("harmony.cli.tokens.token_ids", broken)
    assert bad("decode", stdin="[1]") == (
        "ZeroDivisionError: oops\nThis is a bug in harmony; please report it.\n"
    )


def test_ctrl_c_is_quiet(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("harmony.cli.tokens.token_ids", interrupted)
    assert harmony_("decode", stdin="[1]")[:2] == (130, "")


def test_a_file_that_cannot_be_read_is_an_error(monkeypatch):
    def unreadable(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("harmony.cli.documents.read", unreadable)
    assert bad("decode", COMPLETION) == "Input/output error\n"


def test_reading_from_a_terminal_says_so():
    _, _, err = harmony_("decode", stdin="[3686]", terminal="stdin")
    assert "reading from the terminal" in err


@needs_bash
@pytest.mark.parametrize(
    ("script", "status", "says"),
    [
        ("yes 1 | head -50000 | sed 's/.*/[1]/' | harmony decode --jsonl | head -1", 0, ""),
        ("harmony stop <&-", 0, ""),
        ("harmony decode <&-", 2, "there is no standard input; name a FILE"),
        ("harmony stop >&-", 2, "there is no standard output to write to"),
        ("harmony stop >/dev/full", 1, "error: cannot write the output: No space left on device"),
        ("harmony decode - <<< '[3686]'", 0, ""),
    ],
)
def test_what_a_shell_does(script, status, says, tmp_path):
    if "/dev/full" in script and not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("there is no /dev/full")
    # The reader's early end is no failure of ours, nor of `yes`.
    result = run_shell("set +o pipefail\n" + script, tmp_path)
    err = result.stderr.decode()
    assert result.returncode == status
    assert says in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


# ---- help --------------------------------------------------------------------------------


def test_version():
    assert good("--version") == f"harmony, version {harmony.__version__}\n"


@pytest.mark.parametrize("name", ["", *command.commands])
def test_every_help_has_an_example_that_runs(name, tmp_path):
    text = good(*[name] if name else [], "--help")
    examples = re.findall(r"^ +\$ (.*)$", text, re.MULTILINE)
    assert examples
    script = re.sub(r"--(export|out) \w+", rf"--\1 {tmp_path}", "\n".join(examples))
    result = run_shell(script, tmp_path)
    assert result.returncode == 0, result.stderr.decode()


def test_help_lists_every_command_in_one_line():
    text = good("--help")
    for name, subcommand in command.commands.items():
        assert re.search(
            rf"^  {name} +{re.escape(subcommand.get_short_help_str(80))}$", text, re.MULTILINE
        )


def test_names_complete():
    from click.shell_completion import ShellComplete

    complete = ShellComplete(command, {}, "harmony", "_HARMONY_COMPLETE")
    found = complete.get_completions(["render-convo", "--dialect"], "ch")
    assert [item.value for item in found] == ["channel-first"]


# ---- what is imported --------------------------------------------------------------------

HEAVY = {"lark", "tiktoken", "click", "regex", "hypothesis", "asyncio"}


def imported(code: str) -> set[str]:
    """The modules that are imported once ``code`` has run."""
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.__stderr__)"],
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    return set(result.stderr.decode().split())


def test_import_harmony_is_light():
    assert not imported("import harmony") & (HEAVY | {"attrs", "attr"})


@pytest.mark.parametrize("args", [["stop"], ["--help"], ["vocab"]])
def test_a_light_command_is_light(args):
    code = f"from harmony.cli.entry import run\nrun({args!r})"
    assert not imported(code) & (HEAVY - {"click"})


def test_decoding_builds_no_tokenizer():
    code = f"from harmony.cli.entry import run\nrun(['decode', {str(COMPLETION)!r}])"
    assert "tiktoken" not in imported(code)


def test_parsing_builds_no_tokenizer():
    code = (
        "from harmony.cli.entry import run\n"
        f"run(['parse', '--role', 'assistant', {str(COMPLETION)!r}])"
    )
    assert "tiktoken" not in imported(code)
