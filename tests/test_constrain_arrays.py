"""Masks in other libraries' arrays, and as a logits processor."""

from __future__ import annotations

import array
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

from harmony import ForbiddenToken, InvalidMessage
from harmony.constrain import GrammarLogitsProcessor, completion_grammar

SIZE = 201_088


class Tensor:
    """What of torch's tensors is used: a pointer, a type, a place."""

    def __init__(self, values: np.ndarray, dtype: str = "torch.int32", kind: str = "cpu") -> None:
        self.values, self.dtype = values, dtype
        self.ndim = values.ndim
        self.device = type("Device", (), {"type": kind, "__str__": lambda _: kind})()

    def __getitem__(self, row: int):
        return Tensor(self.values[row], self.dtype, self.device.type)

    def is_contiguous(self) -> bool:
        return self.values.flags["C_CONTIGUOUS"]

    def numel(self) -> int:
        return self.values.size

    def element_size(self) -> int:
        return self.values.itemsize

    def data_ptr(self) -> int:
        return self.values.ctypes.data


@pytest.fixture(scope="module")
def matcher(enc):
    matcher = completion_grammar(enc).matcher()
    for token in enc.encode("<|channel|>final<|message|>Hi", allowed_special="all"):
        matcher.accept(token)
    return matcher


def allowed(bits: np.ndarray) -> list[int]:
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little")).tolist()


class TestFill:
    @pytest.mark.parametrize("kind", [np.int32, np.uint32, np.uint8, np.int64])
    @pytest.mark.parametrize("wrap", [lambda values: values, Tensor])
    def test_bits(self, matcher, kind, wrap):
        width = -(-SIZE // (8 * np.dtype(kind).itemsize))
        values = np.full((3, width), -1 if np.dtype(kind).kind == "i" else 255, dtype=kind)
        before = values.copy()
        matcher.fill(wrap(values), 1)
        assert allowed(values[1]) == matcher.allowed()
        assert (values[[0, 2]] == before[[0, 2]]).all()

    @pytest.mark.parametrize(
        "wrap", [lambda values: values, lambda values: Tensor(values, "torch.bool")]
    )
    def test_booleans(self, matcher, wrap):
        values = np.ones((2, SIZE), dtype=bool)
        matcher.fill(wrap(values), 0)
        assert np.flatnonzero(values[0]).tolist() == matcher.allowed()
        assert values[1].all()

    def test_one_dimension_and_buffers(self, matcher):
        values = np.zeros(SIZE // 32, dtype=np.int32)
        matcher.fill(values)
        assert allowed(values) == matcher.allowed()
        buffer = bytearray(SIZE // 8)
        matcher.fill(buffer)
        assert bytes(buffer) == matcher.mask()[: len(buffer)]
        words = array.array("i", bytes(SIZE // 8))
        matcher.fill(words, 0)
        assert words.tobytes() == bytes(buffer)

    @pytest.mark.parametrize(
        ("target", "row", "sentence"),
        [
            (None, 0, "expected an array of numpy or torch, or a buffer, got None"),
            ("text", 0, "expected an array of numpy or torch, or a buffer, got str"),
            (bytes(SIZE), 0, "the array is read-only"),
            (np.zeros((1, 10), dtype=np.int32), 0, "a row of 10 elements of 4 bytes is too short for a vocabulary of 201096 tokens"),
            (np.zeros((1, SIZE // 32), dtype=np.int32), 1, "the array has no row 1"),
            (np.zeros((1, SIZE // 32), dtype=np.int32), "x", "the array has no row 'x'"),
            (np.zeros((SIZE // 32, 1), dtype=np.int32).T[:, ::2], 0, "cannot be written to"),
            (Tensor(np.zeros((1, SIZE // 32), dtype=np.int32), kind="cuda"), 0, "expected a tensor in main memory"),
            (Tensor(np.zeros((2, SIZE), dtype=np.int32)[:, ::32]), 0, "whose rows are contiguous"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_filled(self, matcher, target, row, sentence):
        with pytest.raises(InvalidMessage) as raised:
            matcher.fill(target, row)
        assert sentence in str(raised.value)

    def test_neither_library_is_imported(self):
        code = (
            "import sys, harmony; from harmony.constrain import completion_grammar\n"
            "m = completion_grammar(harmony.load_harmony_encoding('HarmonyGptOss')).matcher()\n"
            "m.mask(); m.fill(bytearray(30_000))\n"
            "assert not {'numpy', 'torch', 'transformers', 'lark', 'jsonschema'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestLogitsProcessor:
    SCHEMA: ClassVar = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
              "additionalProperties": False}  # fmt: skip

    def test_completions(self, enc):
        grammar = completion_grammar(
            enc, response_format=self.SCHEMA, reasoning="off", preambles=False, whitespace=0
        )
        processor = GrammarLogitsProcessor(grammar)
        rng = np.random.default_rng(1)
        prompt = enc.encode("<|start|>assistant", allowed_special="all")
        ids = np.array([prompt] * 4)
        for step in range(12):
            scores = processor(ids, rng.normal(size=(4, SIZE)).astype(np.float32))
            if step == 6:  # A beam search reorders the rows.
                ids, scores = ids[[3, 3, 0, 1]], scores[[3, 3, 0, 1]]
            ids = np.concatenate([ids, scores.argmax(axis=1)[:, None]], axis=1)
        for row in ids.tolist():
            text = enc.decode(row)
            assert text.startswith(
                ('<|start|>assistant<|channel|>final<|message|>{"a":true}<|return|>',
                 '<|start|>assistant<|channel|>final<|message|>{"a":false}<|return|>')
            )  # fmt: skip

    def test_a_row_that_is_done_is_left_alone(self, enc):
        processor = GrammarLogitsProcessor(completion_grammar(enc))
        scores = np.ones((1, 201_200), dtype=np.float32)
        masked = processor(np.array([[1]]), scores)
        assert np.flatnonzero(np.isfinite(masked)).tolist() == [200005]
        done = enc.encode("<|channel|>final<|message|>Hi<|return|>", allowed_special="all")
        for count in range(1, len(done) + 1):
            masked = processor(np.array([[1, *done[:count]]]), scores)
        assert np.isfinite(masked).all()
        assert np.isfinite(processor(np.array([[1, *done, 5]]), scores)).all()

    def test_a_forbidden_token(self, enc):
        processor = GrammarLogitsProcessor(completion_grammar(enc))
        scores = np.ones((1, SIZE), dtype=np.float32)
        processor(np.array([[1]]), scores)
        with pytest.raises(ForbiddenToken):
            processor(np.array([[1, 2]]), scores)
