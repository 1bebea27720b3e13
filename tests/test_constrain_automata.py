"""Automata over characters: patterns, numbers, lengths, what must not occur."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony.constrain import formats, numbers
from harmony.constrain.automata import (
    EVERY,
    Both,
    Length,
    Not,
    Table,
    TooComplex,
    Without,
    Words,
    joined,
    overlap,
    table,
    without,
)  # fmt: skip
from harmony.constrain.regex import Irregular, Pattern, parsed
from harmony.constrain.strings import common_start, hex_range
from tests.rule_texts import matches


def accepts(machine, text: str) -> bool:
    state = machine.start
    for letter in text:
        state = machine.step(state, ord(letter))
        if state is None:
            return False
    return machine.accepts(state)


def walks(found: Table | None, text: str) -> bool:
    """Whether a table accepts the text."""
    if found is None:
        return False
    state = 0
    for letter in text:
        targets = [
            t for t, parts in found.edges[state].items() if overlap(parts, ord(letter), ord(letter))
        ]
        assert len(targets) <= 1
        if not targets:
            return False
        (state,) = targets
    return state in found.accepting


class TestPatterns:
    """Guide: patterns, where they are regular; as ECMA 262 reads them."""

    @pytest.mark.parametrize(
        "pattern",
        [
            "a", "^a$", "^a|b$", "a*b+c?", "^(ab|c){2,3}$", "[a-c]", "[^a-c]", "^[a\\]]*$",
            "\\d+", "^\\w\\W\\s?$", "^.$", "a{2}", "a{2,}", "^(?:a|b)*?c$", "(?<n>a)b", "^\\x41\\u0042$",
            "{", "^$", "", "x|", "(^a|b)c", "a(b$|c)", "[-a]", "[a-]", "^\\.\\/\\-$", "^[\\d_]+$", "^\\t$", "[\\b]",
        ],
    )  # fmt: skip
    @settings(max_examples=60)
    @given(text=st.text("abcdABx_ -./\n\t8{},é\b", max_size=6))
    def test_as_python_has_it(self, pattern, text):
        ours = pattern.replace("(?P<", "(?<")
        theirs = pattern.replace("(?<n>", "(?P<n>").replace("$", "\\Z")
        expected = re.search(theirs, text, re.ASCII) is not None
        assert accepts(Pattern(ours), text) == expected
        assert walks(table(Pattern(ours)), text) == expected

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [
            ("(?=a)", "look-around is not regular"), ("(?<!a)b", "look-around"), ("(a)\\1", "back-references"),
            ("\\k<n>", "back-references"), ("\\bx", "word boundaries"), ("\\p{L}", "Unicode properties"),
            ("(", "a group does not end"), (")", "unbalanced ')' at character 0"), ("*", "nothing to repeat"),
            ("a**", "nothing to repeat"), ("a{3,2}", "the repeat {3,2} is empty"), ("[a", "it ends too early"),
            ("[b-a]", "a range of a class is empty"), ("[\\d-z]", "a range of a class"), ("\\x4", "character's code"),
            ("\\u{110000}", "character's code"), ("a\\", "it ends too early"), ("^*", "an anchor is repeated"),
            ("(?i:a)", "'(?i' is not read"), ("(?<n", "the name of a group does not end"), ("(" * 2000, "nested too deeply"),
        ],
    )  # fmt: skip
    def test_what_is_not_regular(self, pattern, reason):
        with pytest.raises(Irregular) as raised:
            parsed(pattern)
        assert reason in str(raised.value)

    def test_escapes(self):
        assert accepts(Pattern("^\\u{1F600}\\cA\\0$"), "😀\x01\0")
        assert not accepts(Pattern("^.$"), "\u2028")
        assert accepts(Pattern("^\\s$"), "\u3000")

    def test_too_complex(self):
        with pytest.raises(TooComplex):
            Pattern("a{5000}")
        with pytest.raises(TooComplex):
            table(Pattern("(a|b)*a(a|b){14}"))


class TestNumbers:
    """Guide: integer bounds are exact."""

    limits = st.one_of(
        st.integers(-10**6, 10**6), st.integers(-1000, 1000).map(lambda n: n / 8),
        st.sampled_from([0, 1e20, -1e-7, 1e7, 0.1]),
    )  # fmt: skip

    @settings(max_examples=200)
    @given(limits, st.sampled_from(sorted(numbers.KEEPS)), st.data())
    def test_bounds(self, limit, keyword, data):
        near = Decimal(str(limit)) + data.draw(
            st.sampled_from([Decimal(n) / 1000 for n in (-1000, -125, -1, 0, 1, 10, 1000)])
        )
        number = data.draw(
            st.one_of(
                st.just(near),
                st.decimals(-2000, 2000, places=3),
                st.integers(-2000, 2000).map(Decimal),
            )
        )
        text = f"{number:f}"
        text = text if number or not text.startswith("-") else text[1:]
        machine = numbers.machine([(keyword, limit)], [], whole=False)
        exact = Decimal(str(limit))
        expected = {
            "minimum": number >= exact, "exclusiveMinimum": number > exact,
            "maximum": number <= exact, "exclusiveMaximum": number < exact,
        }[keyword]  # fmt: skip
        assert accepts(machine, text) == expected
        if number == int(number):
            whole = numbers.machine([(keyword, limit)], [], whole=True)
            assert accepts(whole, str(int(number))) == expected

    @given(
        st.sampled_from([1, 3, 7, 25, 100, 0.5, 0.25, 1.5, 0.01, 1e3]),
        st.integers(-5000, 5000),
        st.integers(0, 3),
    )
    def test_multiples(self, unit, count, places):
        number = Decimal(count) / 10**places
        text = f"{number:f}"
        text = text if number or not text.startswith("-") else text[1:]
        machine = numbers.machine([], [numbers.multiple_of(unit)], whole=False)
        assert accepts(machine, text) == (number % Decimal(str(unit)) == 0)

    def test_syntax(self):
        number, whole = numbers.machine([], [], whole=False), numbers.machine([], [], whole=True)
        for text, is_number, is_whole in [
            ("0", 1, 1), ("-0", 1, 0), ("-12", 1, 1), ("1.50", 1, 0), ("1e5", 1, 0), ("1E-99", 1, 0), ("1e100", 0, 0),
            ("01", 0, 0), ("+1", 0, 0), ("1.", 0, 0), (".5", 0, 0), ("", 0, 0), ("-", 0, 0), ("1e", 0, 0),
        ]:  # fmt: skip
            assert (accepts(number, text), accepts(whole, text)) == (
                bool(is_number),
                bool(is_whole),
            )
        bounded = numbers.machine([("minimum", 0)], [numbers.multiple_of(2)], whole=False)
        assert not accepts(bounded, "2e1")
        assert numbers.multiple_of(12345.678) is None


class TestFormats:
    @given(st.dates())
    def test_dates(self, day):
        assert accepts(Pattern(formats.pattern_of("date")), day.isoformat())

    @given(st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]\Z"))
    def test_no_other_dates(self, text):
        try:
            date.fromisoformat(text)
        except ValueError:
            expected = False
        else:
            expected = text.isascii()
        assert accepts(Pattern(formats.pattern_of("date")), text) == expected

    @given(st.datetimes(timezones=st.timezones()))
    def test_date_times(self, moment: datetime):
        text = moment.isoformat()
        whole_minutes = re.fullmatch(r".*[+-]\d\d:\d\d", text) is not None
        assert accepts(Pattern(formats.pattern_of("date-time")), text) == whole_minutes

    @given(st.ip_addresses())
    def test_addresses(self, address):
        pattern = formats.pattern_of(f"ipv{address.version}")
        assert accepts(Pattern(pattern), str(address))
        assert accepts(Pattern(formats.pattern_of("ipv6")), address.exploded) == (
            address.version == 6
        )

    @given(st.uuids())
    def test_uuids(self, uuid):
        assert accepts(Pattern(formats.pattern_of("uuid")), str(uuid))

    @pytest.mark.parametrize("name", formats.PATTERNS)
    def test_every_format_is_an_automaton(self, name):
        assert table(Pattern(formats.pattern_of(name))) is not None
        assert formats.pattern_of("color") is None


class TestMachines:
    @given(st.text("<|end>x", max_size=12))
    def test_without(self, text):
        words = ["<|end|>", "<|en", "x<"]
        expected = not any(word in text for word in words)
        assert accepts(Without(words), text) == expected
        assert walks(table(Without(words)), text) == expected

    @given(st.text("ab", max_size=4))
    def test_put_together(self, text):
        words = Words(frozenset(["a", "ab", "bb"]))
        assert accepts(words, text) == (text in words.words)
        assert accepts(Not(words), text) == (text not in words.words)
        both = Both((Not(words), Length(1, 2)))
        assert walks(table(both), text) == (text not in words.words and 1 <= len(text) <= 2)
        assert accepts(Length(2, None), text) == (len(text) >= 2)

    def test_nothing(self):
        assert table(Both((Words(frozenset(["a"])), Words(frozenset(["b"]))))) is None

    def test_intervals(self):
        assert joined([(5, 6), (1, 2), (3, 3), (9, 9)]) == ((1, 3), (5, 6), (9, 9))
        assert without([(1, 9)], [(3, 4), (9, 9)]) == ((1, 2), (5, 8))
        assert overlap([(1, 4), (6, 9)], 3, 7) == ((3, 4), (6, 7))
        assert not overlap(EVERY, 0xD800, 0xDFFF)

    @given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
    def test_hexadecimal_ranges(self, one, other):
        from harmony.constrain.rules import choice

        low, high = sorted((one, other))
        rules = {"r": choice(*hex_range(f"{low:04x}", f"{high:04x}"))}
        for code in {low, high, (low + high) // 2}:
            assert matches(rules, "r", f"{code:04x}")
            assert matches(rules, "r", f"{code:04X}")
        for code in {low - 1, high + 1} & set(range(0x10000)):
            assert not matches(rules, "r", f"{code:04x}")

    def test_what_texts_begin_with(self):
        assert common_start(["<|end|>", "<|call|>"]) == "<|"
        assert common_start(["a"]) == "a"
        assert common_start(["a", "ab"]) == "a"
        assert common_start([]) == ""
