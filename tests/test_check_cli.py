"""`harmony check`, `harmony rule`, `harmony schema`: inputs, outputs, settings, fixes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given

import harmony
from harmony import Conversation, Message, Role
from harmony.check import load_rules
from harmony.json_schemas import json_schema
from harmony.spec import load_spec
from tests.shell import ROOT
from tests.strategies import CONVERSATION
from tests.test_cli import harmony_

RULES = load_rules(load_spec())
CONVERSATIONS = jsonschema_rs.validator_for(json_schema("conversation"))
BAD = [
    {"role": "user", "content": "Hi <|end|>"},
    {"role": "system", "content": [{"type": "system_content"}], "id": 7},
    {"role": "assistant", "recipient": "functions.f", "channel": "analysis", "content": '{"a": '},
    {"role": "tool", "name": "f", "content": "1", "tool_call_id": "x"},
    {"role": "assistant", "content": "Done"},
]
BAD_CODES = ["HAR501", "HAR101", "HAR302", "HAR305", "HAR309", "HAR310", "HAR201"]
GOOD = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "channel": "final", "content": "Ho"},
]
TEXT = "<|start|>user<|message|>Hi\nthere<|end|><|start|>assistant<|message|>Ho<|end|>"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, value: Any) -> str:
    Path(name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return name


def check(*args: object, stdin: str = "") -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and the findings as JSON."""
    status, out, err = harmony_("check", "--format", "json", *args, stdin=stdin)
    assert err == ""
    return status, json.loads(out)


def codes(*args: object, stdin: str = "") -> list[str]:
    status, found = check(*args, stdin=stdin)
    assert status == (1 if found else 0)
    return [each["code"] for each in found]


def places(*args: object, stdin: str = "") -> list[tuple[str, int, int | None]]:
    return [(d["code"], d["line"], d["message_index"]) for d in check(*args, stdin=stdin)[1]]


class TestInputs:
    @pytest.mark.parametrize(
        "document", [{"messages": BAD}, BAD, [{"messages": BAD}], {"messages": BAD, "id": 1}]
    )
    def test_json(self, document):
        assert codes(write("a.json", document)) == BAD_CODES
        assert codes(stdin=json.dumps(document)) == BAD_CODES
        assert codes("-", stdin=json.dumps(document, indent=2)) == BAD_CODES

    def test_one_message(self):
        assert codes(stdin=json.dumps(BAD[4])) == ["HAR201"]

    @pytest.mark.parametrize(
        "wrap", [lambda t: t, lambda t: {"tokens": t}, lambda t: [t], lambda t: [{"tokens": t}]]
    )
    def test_tokens(self, enc, wrap):
        tokens = enc.encode(TEXT, allowed_special="all")
        assert codes(stdin=json.dumps(wrap(tokens))) == ["HAR201"]

    @pytest.mark.parametrize(
        "document", [TEXT, TEXT + "\n", json.dumps(TEXT), json.dumps({"text": TEXT})]
    )
    def test_text(self, document):
        assert codes(stdin=document) == ["HAR201"]

    def test_lines(self):
        lines = (
            "\n".join(
                json.dumps(each) for each in (GOOD, {"messages": BAD}, TEXT, [200006, 1428, 200008])
            )
            + "\n\n"
        )
        expected = [(code, 2) for code in BAD_CODES] + [("HAR201", 3)]
        for arguments in (
            (write("a.jsonl", lines),),
            ("--input", "jsonl", write("a.txt", lines)),
            (write("a", lines),),
        ):
            assert [place[:2] for place in places(*arguments)] == expected

    def test_nothing_to_check(self):
        assert codes(stdin="[]") == []
        assert codes(stdin='{"messages": []}') == []

    def test_several_files(self):
        good, bad = write("good.json", GOOD), write("bad.json", BAD)
        status, found = check(good, bad, good)
        assert status == 1
        assert {each["file"] for each in found} == {"bad.json"}

    def test_declarations_beside_the_messages(self):
        told = [
            {
                "role": "assistant",
                "channel": "commentary",
                "recipient": "functions.g",
                "content": "{}",
            }
        ]
        tools = [{"type": "function", "function": {"name": "f", "description": "d"}}]
        assert codes(stdin=json.dumps({"tools": tools, "messages": told})) == ["HAR301"]
        document = {"messages": GOOD, "response_format": {"type": "json_object"}}
        assert codes(stdin=json.dumps(document)) == ["HAR404"]

    def test_a_role(self):
        assert codes("--role", "user", stdin='"<|message|>Hi<|end|>"') == []
        assert codes(stdin='"<|message|>Hi<|end|>"') == ["HAR201"]

    @pytest.mark.parametrize(
        ("stdin", "complaint"),
        [
            ("{", "the input is not JSON"),
            ("", "the input is neither JSON nor text"),
            ("Hi there", "the input is neither JSON nor text"),
            ("\xff", "the input is neither JSON nor text"),
            ('{"a": 1}', "expected a conversation"),
            ("{}", "an object with the keys of none"),
            ("5", "expected a list of token ids"),
            ('{"messages": 5}', "expected an object (a dict), got int"),
            ('[{"role": "user"}]', "the field 'content' is missing"),
            ('[{"role": "nobody", "content": ""}]', "Unknown role"),
            ("[1, true]", "item 1 is bool"),
            ("[" * 100_000, "nested too deeply"),
        ],
    )
    def test_faulty(self, stdin, complaint):
        status, _, err = harmony_("check", "--isolated", stdin=stdin)
        assert status == 1
        assert err.startswith("error:")
        assert complaint in err
        assert harmony_("check", "--exit-zero", stdin=stdin)[0] == 1

    def test_bytes_that_are_no_text(self):
        status, _, err = harmony_("check", stdin=b"\xff\xfe")
        assert (status, "not UTF-8" in err) == (1, True)

    def test_a_faulty_line_does_not_hide_the_others(self):
        lines = "\n".join(["{", json.dumps(BAD), '{"messages": 5}', json.dumps(GOOD)])
        status, out, err = harmony_("check", "--format", "json", write("a.jsonl", lines))
        assert status == 1
        assert {each["line"] for each in json.loads(out)} == {2}
        assert [line[:16] for line in err.splitlines()] == [
            "error: a.jsonl:1",
            "error: a.jsonl:3",
        ]

    def test_misuse(self):
        for arguments in (("nowhere.json",), ("-", "-"), ("--context", "-1"), ("--format", "xml")):
            assert harmony_("check", *arguments, stdin="[]")[0] == 2
        status, _, err = harmony_("check", "--select", "HAR9", stdin="[]")
        assert (status, "no rule is called 'HAR9'" in err) == (1, True)

    def test_a_missing_extra_is_said_once(self, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
        document = {
            "messages": GOOD,
            "tools": [{"name": "f", "description": "d", "parameters": {}}],
        }
        status, _, err = harmony_("check", write("a.jsonl", "\n".join([json.dumps(document)] * 3)))
        assert (status, err.count("harmony-format[check]")) == (1, 1)


class TestPlaces:
    def test_lines_of_messages(self):
        document = {"tools": [{"name": "f", "description": "["}], "messages": BAD[:2] + BAD[4:]}
        text = json.dumps(document, indent=1)
        lines = text.splitlines()
        for code, line, index in places(stdin=text):
            assert lines[line - 1].strip().startswith("{"), code
            assert f'"{document["messages"][index]["role"]}"' in lines[line]

    def test_lines_of_lists(self):
        text = "[\n" + ",\n".join(json.dumps(message) for message in BAD) + "\n]"
        assert [line for _, line, _ in places(stdin=text)] == [2, 3, 4, 4, 5, 5, 6]
        text = "[\n" + ",\n".join(json.dumps({"messages": m}) for m in (GOOD, BAD[4:])) + "\n]"
        assert places(stdin=text) == [("HAR201", 3, 0)]

    def test_lines_of_text(self):
        assert places(stdin=TEXT) == [("HAR201", 2, 1)]

    @pytest.mark.parametrize("indent", [None, 1])
    def test_a_string_that_looks_like_structure(self, indent):
        told = [{"role": "user", "content": 'a "\n}]{[ \\'}, BAD[4]]
        (place,) = places(stdin=json.dumps(told, indent=indent))
        assert place[1] == (1 if indent is None else 6)


class TestOutputs:
    def human(self, *args: object, stdin: str = "") -> str:
        _, out, err = harmony_("check", *args, stdin=stdin)
        assert err == ""
        return out

    def test_human(self):
        out = self.human(write("bad.json", json.dumps(BAD, indent=1)), "--select", "HAR302,HAR305")
        call = "…|>assistant to=functions.f<|channel|>analysis<|message|>"
        assert out == (
            "bad.json:15, message 2: warning HAR302 call-channel: the function functions.f is "
            "called on the channel analysis, not on commentary\n"
            '    <|start|>assistant to=functions.f<|channel|>analysis<|message|>{"a": <|call|…\n'
            "                                                ^^^^^^^^\n"
            "    fix: set the channel to 'commentary'\n"
            "bad.json:15, message 2: error HAR305 arguments-json: the arguments are not JSON: "
            "Expecting value at character 6\n"
            f'    {call}{{"a": <|call|>\n'
            f"    {' ' * len(call)}^^^^^^\n"
            "2 findings in 1 conversation; 1 can be fixed with --fix\n"
        )

    def test_human_of_tokens(self):
        text = "<|start|>assistant<|message|>日本 Ho<|call|>"
        missing = "warning HAR201 channel-missing: the message names no channel"
        ending = "a message that calls nobody ends with <|call|>, not with <|end|>"
        assert self.human(stdin=text).splitlines() == [
            f"standard input:1, message 0, tokens 0-2: {missing}",
            "    <|start|>assistant<|message|>日本 Ho<|call|>",
            "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
            "    fix: set the channel to 'final'",
            f"standard input:1, message 0, token 5: error HAR304 call-terminator: {ending}",
            "    <|start|>assistant<|message|>日本 Ho<|call|>",
            f"    {' ' * text.index('<|call|>')}^^^^^^^^",
            "    fix: render the conversation anew",
            "2 findings in 1 conversation; 2 can be fixed with --fix",
        ]

    def test_nothing(self):
        assert self.human(stdin=json.dumps(GOOD)) == "no findings in 1 conversation\n"
        two = write("a.jsonl", "\n".join([json.dumps(GOOD)] * 2))
        assert self.human(two) == "no findings in 2 conversations\n"
        assert self.human(stdin=json.dumps(BAD[4])).endswith(
            "1 finding in 1 conversation; 1 can be fixed with --fix\n"
        )

    @pytest.mark.parametrize("code", ["HAR310", "HAR801", "HAR501", "HAR703", "HAR601", "HAR309"])
    def test_every_place_can_be_shown(self, enc, code):
        rule = RULES[code]
        bad = rule.bad
        told: Any = {"messages": bad.messages} if bad.messages else bad.tokens or bad.text
        arguments: list[object] = ["--select", code]
        if bad.context:
            arguments += ["--context", bad.context]
        out = self.human(*arguments, stdin=json.dumps(told))
        assert f" {code} {rule.name}: " in out
        assert "^" in out

    def test_a_message_that_cannot_be_rendered(self):
        out = self.human(stdin='[{"role": "tool", "content": "1", "recipient": "assistant"}]')
        assert "HAR308" in out
        assert "^" not in out

    def test_exit_zero(self):
        bad = write("bad.json", BAD)
        assert harmony_("check", bad)[0] == 1
        assert harmony_("check", "--exit-zero", bad)[0] == 0
        assert harmony_("check", "--ignore", "ALL", bad)[0] == 0

    def test_json_is_what_the_library_finds(self, enc):
        _, found = check(stdin=json.dumps(BAD))
        expected = enc.check(Conversation.from_dict({"messages": BAD}))
        assert [{k: v for k, v in each.items() if k not in ("file", "line")} for each in found] == [
            diagnostic.to_dict() for diagnostic in expected
        ]

    def test_github(self):
        lines = self.human("--format", "github", write("a,b:%.json", BAD)).splitlines()
        assert lines[0] == (
            "::warning file=a%2Cb%3A%25.json,line=1,title=HAR501 special-token-spelled::"
            "message 0: the content spells <|end|>"
        )
        assert [line.split()[0] for line in lines].count("::error") == 2
        assert len(lines) == len(BAD_CODES)
        (line,) = self.human(
            "--format", "github", "--context", "1", "--select", "HAR7", stdin=json.dumps(GOOD)
        ).splitlines()
        assert "title=HAR703 prompt-too-long::the prompt has" in line
        info = self.human(
            "--format", "github", stdin="<|channel|>final<|message|>Hi<|return|><|return|>"
        )
        assert info.startswith("::notice file=-,line=1,")

    def test_sarif(self):
        log = json.loads(
            self.human("--format", "sarif", write("a b.json", json.dumps(BAD, indent=1)))
        )
        (run,) = log["runs"]
        assert log["version"] == "2.1.0"
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == sorted(BAD_CODES)
        assert run["tool"]["driver"]["version"] == harmony.__version__
        assert [result["ruleId"] for result in run["results"]] == BAD_CODES
        for result in run["results"]:
            rule = rules[result["ruleIndex"]]
            assert rule["id"] == result["ruleId"]
            assert result["level"] == rule["defaultConfiguration"]["level"]
            (location,) = result["locations"]
            assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.json"
            assert location["physicalLocation"]["region"]["startLine"] >= 2
            assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("messages[")
        assert run["results"][1]["properties"]["fix"]["description"] == "move it to the front"
        empty = json.loads(self.human("--format", "sarif", stdin="[]"))
        assert empty["runs"][0]["results"] == []
        (whole,) = json.loads(
            self.human("--format", "sarif", "--context", "1", stdin=json.dumps(GOOD))
        )["runs"][0]["results"]
        assert "logicalLocations" not in whole["locations"][0]
        assert whole["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "stdin"

    def test_sarif_keeps_to_its_schema(self):
        """The parts of SARIF 2.1.0 that this log uses, from the standard, section 3."""
        text = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
        level = {"enum": ["none", "note", "warning", "error"]}
        schema = {
            "required": ["version", "runs"],
            "properties": {
                "version": {"const": "2.1.0"},
                "runs": {
                    "items": {
                        "required": ["tool"],
                        "properties": {
                            "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                            "tool": {
                                "required": ["driver"],
                                "properties": {
                                    "driver": {
                                        "required": ["name"],
                                        "properties": {
                                            "rules": {
                                                "items": {
                                                    "required": ["id"],
                                                    "properties": {
                                                        "shortDescription": text,
                                                        "fullDescription": text,
                                                        "defaultConfiguration": {"properties": {"level": level}},
                                                    },
                                                }
                                            }
                                        },
                                    }
                                },
                            },
                            "results": {
                                "items": {
                                    "required": ["message"],
                                    "properties": {"level": level, "message": text, "properties": {"type": "object"}},
                                }
                            },
                        },
                    }
                },
            },
        }  # fmt: skip
        jsonschema_rs.validate(
            schema, json.loads(self.human("--format", "sarif", stdin=json.dumps(BAD)))
        )

    def test_colours_and_progress_on_a_terminal(self, monkeypatch):
        monkeypatch.setattr("harmony.cli.checking.LONG", 100)
        long = write("long.jsonl", "\n".join([json.dumps(GOOD)] * 50 + ["{"]))
        status, _, err = harmony_("check", long, terminal="stderr")
        assert status == 1
        assert "long.jsonl" in err
        assert "100%" in err
        assert "100%" not in harmony_("check", long)[2]
        monkeypatch.delenv("NO_COLOR", raising=False)
        assert "\x1b[" in harmony_("check", write("bad.json", BAD), terminal="stdout")[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in harmony_("check", "bad.json", terminal="stdout")[1]


class TestFix:
    def test_a_conversation(self):
        document = {"id": 5, "messages": BAD}
        path = write("bad.json", json.dumps(document, indent=2))
        status, out, err = harmony_("check", "--fix", path)
        assert (status, err) == (1, "")
        assert out.endswith("2 findings in 1 conversation, 5 fixed\n")
        # The places are those in the file as it is now.
        assert "bad.json:13, message 1: warning HAR501" in out
        fixed = json.loads(Path(path).read_text())
        assert fixed["id"] == 5
        assert fixed["messages"][0] == BAD[1]
        assert fixed["messages"][3] == {
            "role": "tool",
            "name": "functions.f",
            "content": "1",
            "tool_call_id": "x",
            "recipient": "assistant",
        }
        assert codes(path) == ["HAR501", "HAR305"]
        assert not list(Path().glob(".*"))

    @pytest.mark.parametrize(
        "document",
        [BAD[4], BAD[4:], {"messages": BAD[4:]}, [{"messages": GOOD}, {"messages": BAD[4:]}]],
    )
    def test_every_form(self, document):
        path = write("bad.json", document)
        assert harmony_("check", "--fix", path)[0] == 0
        fixed = Path(path).read_text()
        assert len(fixed.splitlines()) == 1
        assert fixed.strip() == json.dumps(document).replace('"Done"', '"Done", "channel": "final"')

    def test_a_field_that_goes_away(self):
        path = write("bad.json", [{**GOOD[0], "channel": "final"}])
        harmony_("check", "--fix", path)
        assert json.loads(Path(path).read_text()) == GOOD[:1]

    def test_lines(self):
        lines = [json.dumps(GOOD), "", "{", json.dumps({"messages": BAD[4:]}), json.dumps(TEXT)]
        path = write("a.jsonl", "\n".join(lines) + "\n")
        status, _, err = harmony_("check", "--fix", path)
        assert (status, err.count("error")) == (1, 1)
        after = Path(path).read_text().splitlines()
        assert after[:3] == lines[:3]
        assert json.loads(after[3])["messages"][0]["channel"] == "final"
        assert json.loads(after[4]) == TEXT.replace("assistant<|m", "assistant<|channel|>final<|m")

    def test_a_link_stays_one(self):
        path = write("bad.json", BAD[4])
        Path("link.json").symlink_to(path)
        assert harmony_("check", "--fix", "link.json")[0] == 0
        assert Path("link.json").is_symlink()
        assert json.loads(Path(path).read_text())["channel"] == "final"

    def test_what_is_right_is_not_touched(self):
        path = write("good.json", "[ " + json.dumps(GOOD)[1:])
        before = Path(path).stat().st_mtime_ns, Path(path).read_text()
        assert harmony_("check", "--fix", path)[0] == 0
        assert (Path(path).stat().st_mtime_ns, Path(path).read_text()) == before

    @pytest.mark.parametrize(
        ("text", "fixed"),
        [
            (
                "<|channel|>final<|channel|>final<|message|>Hi<|return|>",
                "<|channel|>final<|message|>Hi<|return|>",
            ),
            ("<|message|>Hi", "<|channel|>final<|message|>Hi"),
            (
                "<|start|>assistant<|channel|>final<|message|>Hi<|return|><|start|>user<|message|>Ho<|end|><|start|>assistant",
                "<|start|>assistant<|channel|>final<|message|>Hi<|end|><|start|>user<|message|>Ho<|end|><|start|>assistant",
            ),
            (
                "<|start|>user<|channel|>final<|message|>Hi<|end|><|start|>assistant<|channel|>analysis<|message|>So",
                "<|start|>user<|message|>Hi<|end|><|start|>assistant<|channel|>analysis<|message|>So",
            ),
            (
                "<|start|>functions.f<|channel|>commentary<|message|>{}<|end|>",
                "<|start|>functions.f to=assistant<|channel|>commentary<|message|>{}<|end|>",
            ),
            (
                "<|start|>user<|message|>Hi<|return|>\n",
                "<|start|>user<|message|>Hi<|end|>\n",
            ),
        ],
    )
    def test_text_and_tokens(self, enc, text, fixed):
        path = write("a.txt", text)
        harmony_("check", "--fix", path)
        assert Path(path).read_text() == fixed
        tokens = enc.encode(text.strip(), allowed_special="all")
        for wrap in (
            lambda t: t,
            lambda t: {"tokens": t, "id": 1},
            lambda t: {"text": enc.decode(t), "id": 1},
        ):
            path = write("a.json", wrap(tokens))
            harmony_("check", "--fix", path)
            expected = enc.encode(fixed.strip(), allowed_special="all")
            assert json.loads(Path(path).read_text()) == wrap(expected)

    def test_standard_input(self):
        status, out, err = harmony_("check", "--fix", stdin=json.dumps(BAD[4]))
        assert (status, json.loads(out)) == (0, {**BAD[4], "channel": "final"})
        assert err == "no findings in 1 conversation, 1 fixed\n"
        status, out, _ = harmony_("check", "--fix", stdin=json.dumps(GOOD))
        assert (status, json.loads(out)) == (0, GOOD)
        status, out, err = harmony_("check", "--fix", stdin=json.dumps(BAD[2]))
        assert (status, json.loads(out)["channel"]) == (1, "commentary")
        assert "HAR305" in err


class TestSettings:
    def test_select_and_ignore(self):
        bad = write("bad.json", BAD)
        assert codes("--select", "HAR3", "--ignore", "HAR302,tool-recipient", bad) == [
            "HAR305",
            "HAR309",
        ]
        write("pyproject.toml", '[tool.harmony]\nselect = ["calls", "HAR5"]\nignore = ["HAR305"]')
        assert codes(bad) == ["HAR501", "HAR302", "HAR309", "HAR310"]
        assert codes("--ignore", "HAR302,HAR31", bad) == ["HAR501", "HAR305", "HAR309"]
        assert codes("--isolated", bad) == BAD_CODES
        write("other.toml", '[tool.harmony]\nselect = ["HAR101"]')
        assert codes("--config", "other.toml", bad) == ["HAR101"]

    def test_the_nearest_settings_hold(self, folder, monkeypatch):
        write("pyproject.toml", '[tool.harmony]\nselect = ["HAR101"]')
        inner = folder / "a" / "b"
        inner.mkdir(parents=True)
        (folder / "a" / "pyproject.toml").write_text("[project]\nname = 'x'")
        monkeypatch.chdir(inner)
        assert codes(write("bad.json", BAD)) == ["HAR101"]

    def test_per_file_ignores(self, monkeypatch):
        write(
            "pyproject.toml",
            '[tool.harmony.per-file-ignores]\n"old/*.json" = ["HAR3", "HAR5"]\n"b*" = ["HAR1"]',
        )
        Path("old").mkdir()
        assert codes(write("old/a.json", BAD)) == ["HAR101", "HAR201"]
        assert codes(write("old/bad.json", BAD)) == ["HAR201"]
        assert codes(Path("old/a.json").resolve()) == ["HAR101", "HAR201"]
        Path("inner").mkdir()
        monkeypatch.chdir("inner")
        assert codes("../old/a.json") == ["HAR101", "HAR201"]
        monkeypatch.chdir("..")
        assert codes(write("a.json", BAD)) == BAD_CODES

    def test_declarations(self):
        told = [
            {
                "role": "assistant",
                "channel": "commentary",
                "recipient": "functions.g",
                "content": "{}",
            }
        ]
        path = write("a.json", told)
        write("tools.json", ["functions.f"])
        write("format.json", {"type": "object"})
        assert codes("--tools", "tools.json", path) == ["HAR301"]
        good = write("good.json", GOOD)
        assert codes("--response-format", "format.json", good) == ["HAR404"]
        assert codes("--context", "3", good) == ["HAR703"]
        write(
            "pyproject.toml",
            '[tool.harmony]\ntools = "tools.json"\nresponse-format = "format.json"\ncontext = 3',
        )
        assert codes(path) == ["HAR301", "HAR703"]
        assert codes(good) == ["HAR404", "HAR703"]
        write(
            "pyproject.toml",
            '[tool.harmony]\ntools = ["functions.g"]\n[tool.harmony.response-format]\ntype = "text"',
        )
        assert codes(path) == codes(good) == []

    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ("[tool.harmony]\nselekt = []", "has no setting 'selekt'; there are: select, ignore"),
            ("[tool.harmony]\nselect = 'HAR1'", "select should be a list of codes"),
            ("[tool.harmony]\ncontext = -1", "context should be a number of tokens"),
            ("[tool.harmony]\ncontext = true", "context should be a number of tokens"),
            ("[tool.harmony]\nper-file-ignores = []", "per-file-ignores should be a table"),
            ("[tool.harmony]\ntools = 'nowhere.json'", "cannot read"),
            ("[tool]\nharmony = 5", "[tool.harmony] should be a table"),
            ("[", "cannot read"),
        ],
    )
    def test_wrong_settings(self, settings, complaint):
        write("pyproject.toml", settings)
        status, _, err = harmony_("check", stdin="[]")
        assert status == 2
        assert complaint in err


class TestRule:
    @pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
    def test_each_is_explained(self, rule):
        status, out, err = harmony_("rule", rule.code)
        assert (status, err) == (0, "")
        assert out.startswith(f"{rule.code} {rule.name} ({rule.severity})\n")
        assert rule.text in out
        assert rule.prose.strip() in out
        assert (rule.bad.text or "").splitlines()[:1] == [] or rule.bad.text.splitlines()[0] in out
        assert harmony_("rule", rule.name)[1] == out

    def test_a_family(self):
        out = harmony_("rule", "HAR3")[1]
        assert out == harmony_("rule", "calls")[1]
        assert [out.count(code) for code in ("HAR301 ", "HAR310 ", "HAR401 ")] == [1, 1, 0]

    def test_all_are_listed(self):
        out = harmony_("rule")[1]
        assert out.splitlines()[0] == "structure: Who speaks when."
        for rule in RULES.values():
            assert f"  {rule.code} {rule.name} ({rule.severity}): {rule.text}\n" in out

    def test_json(self):
        rules = json.loads(harmony_("rule", "--json")[1])
        assert [rule["code"] for rule in rules] == list(RULES)
        (rule,) = json.loads(harmony_("rule", "--json", "HAR306")[1])
        assert rule["family"] == "calls"
        assert rule["bad"]["tools"][0]["name"] == "f"
        assert set(rule) == {
            "code",
            "name",
            "family",
            "severity",
            "section",
            "fix",
            "extra",
            "text",
            "prose",
            "bad",
            "good",
        }

    def test_unknown(self):
        status, _, err = harmony_("rule", "HAR999")
        assert (status, "no rule is called 'HAR999'" in err) == (1, True)


def schema(name: str) -> dict[str, Any]:
    status, out, err = harmony_("schema", name)
    assert (status, err) == (0, "")
    written = json.loads(out)
    jsonschema_rs.meta.validate(written)
    return written


class TestSchemas:
    """Issue: "which the tests validate the real ones against"."""

    def test_conversations(self):
        validator = jsonschema_rs.validator_for(schema("conversation"))
        files = [ROOT / "examples" / "weather.json"]
        for path in files:
            validator.validate(json.loads(path.read_text()))
        validator.validate({"messages": BAD})
        for rule in RULES.values():
            for example in (rule.good, rule.bad):
                if example.messages is not None:
                    validator.validate({"messages": example.messages})
        for wrong in ([], {}, {"messages": 5}, {"messages": [{}]}):
            assert not validator.is_valid(wrong)

    @given(CONVERSATION)
    def test_whatever_is_written_validates(self, conversation):
        CONVERSATIONS.validate(json.loads(conversation.to_json()))

    def test_what_the_parser_writes(self, enc):
        validator = jsonschema_rs.validator_for(schema("message"))
        prompt = harmony_("render-completion", ROOT / "examples" / "weather.json")[1]
        out = harmony_("parse", "--structured", "--recover", stdin=prompt)[1]
        written = json.loads(out)
        assert {each["content"][0]["type"] for each in written} >= {
            "system_content",
            "developer_content",
            "text",
        }
        for message in written:
            validator.validate(message)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"role": "nobody", "content": "x"},
            {"role": "user"},
            {"content": "x"},
            {"role": "user", "content": 5},
            {"role": "user", "content": [{"type": "text"}]},
            {"role": "user", "content": [{"type": "image", "text": "x"}]},
            {"role": "user", "content": "x", "channel": 5},
            {"role": "system", "content": [{"type": "system_content", "reasoning_effort": "Most"}]},
        ],
        ids=str,
    )
    def test_what_is_refused(self, wrong):
        assert not jsonschema_rs.validator_for(schema("message")).is_valid(wrong)
        with pytest.raises(harmony.HarmonyError):
            Message.from_dict(wrong)

    def test_findings(self):
        validator = jsonschema_rs.validator_for(schema("diagnostic"))
        for stdin in (json.dumps(BAD), TEXT, "<|channel|>final<|channel|>final<|message|>Hi"):
            _, found = check(stdin=stdin)
            assert found
            for each in found:
                validator.validate(each)
        assert not validator.is_valid({"code": "HAR101"})
        assert not validator.is_valid({"code": "HAR101", "message": "x", "tokens": [1]})

    def test_what_a_lenient_parse_reports(self):
        validator = jsonschema_rs.validator_for(schema("diagnostic"))
        text = '"<|channel|>final<|channel|>final<|message|>Hi"'
        _, _, err = harmony_(
            "parse",
            "--role",
            "assistant",
            "--recover",
            "--json",
            "--from-text",
            "--jsonl",
            stdin=text,
        )
        (line,) = err.splitlines()
        assert json.loads(line)["code"] == "several-channels"
        validator.validate(json.loads(line))

    def test_events(self):
        validator = jsonschema_rs.validator_for(schema("events"))
        out = harmony_("parse", "--stream", "--from-text", stdin=TEXT)[1]
        events = [json.loads(line) for line in out.splitlines()]
        assert {event["event"] for event in events} == {
            "header_parsed",
            "content_delta",
            "message_finished",
        }
        for event in events:
            validator.validate(event)
        assert not validator.is_valid({"event": "content_delta"})

    def test_unknown(self):
        assert harmony_("schema", "nonsense")[0] == 2
        with pytest.raises(harmony.UnknownName, match="no schema 'nonsense'"):
            json_schema("nonsense")


def test_roles_are_the_library_s():
    roles = schema("message")["$defs"]["Message"]["properties"]["role"]["enum"]
    assert roles == [role.value for role in sorted(Role, key=load_spec().role_names.index)]


def test_an_overlay_of_the_spec():
    overlay = """
    [[roles]]
    name = "critic"
    authority = 6
    purpose = "x"

    [[rules]]
    code = "HAR201"
    severity = "error"
    """
    write("mine.toml", overlay)
    told = write(
        "a.json", [{"role": "critic", "content": "x"}, {"role": "assistant", "content": "x"}]
    )
    status, out, _ = harmony_("--spec", "mine.toml", "check", told)
    assert (status, out.count("error HAR201")) == (1, 1)
    assert "critic" in harmony_("--spec", "mine.toml", "schema", "message")[1]
    assert "channel-missing (error)" in harmony_("--spec", "mine.toml", "rule", "HAR201")[1]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ('select = ["HAR999"]', "no rule is called 'HAR999'"),
        ('per-file-ignores = {"old" = ["HAR999"]}', "no rule is called 'HAR999'"),
        ("tools = [3]", "tools: expected tools"),
        ('response-format = {type = "json_schema"}', "of type 'json_schema' has no schema"),
    ],
)
def test_a_wrong_setting_is_told_once(settings, complaint):
    """Not for each line of a file, nor only when a file is met that it is about."""
    write("mine.toml", f"[tool.harmony]\n{settings}\n")
    told = write("a.jsonl", '{"messages": []}\n' * 3)
    status, _, err = harmony_("check", "--config", "mine.toml", told)
    assert (status, err.count(complaint), err.count("\n")) == (1, 1, 1)
