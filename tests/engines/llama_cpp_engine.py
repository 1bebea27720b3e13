"""llama.cpp as something to draw from: a vocabulary without a model, written with `gguf`."""

from __future__ import annotations

import ctypes
import functools
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

NAME = f"llama-cpp-python {llama_cpp.__version__}"
NORMAL, CONTROL = 1, 3


def visible_bytes() -> dict[int, str]:
    """GPT-2's letters for bytes: printable ones for themselves, the others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + n) for n, b in enumerate(others)}


@functools.cache
def vocabulary(enc):
    size = enc.spec.table("vocabulary")["model_size"]
    letters, first = visible_bytes(), enc.vocabulary.first_special
    pieces = [enc.vocabulary.decode_bytes([id]) for id in range(size)]
    texts = [
        "".join(letters[byte] for byte in piece) if id < first else piece.decode()
        for id, piece in enumerate(pieces)
    ]
    path = Path(tempfile.mkdtemp()) / "vocabulary.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-4o")
    writer.add_token_list(texts)
    writer.add_token_types([NORMAL] * first + [CONTROL] * (size - first))
    # A grammar needs the pieces only, but the loader wants some merge.
    writer.add_token_merges([f"{letters[0x20]} t"])
    writer.add_bos_token_id(first)
    writer.add_eos_token_id(enc.spec.token("return").id)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    assert model, "llama.cpp cannot load the vocabulary"
    vocab = llama_cpp.llama_model_get_vocab(model)
    ends = [id for id in range(size) if llama_cpp.llama_vocab_is_eog(vocab, id)]
    return model, vocab, ends, size, quiet


class Engine:
    """One grammar, at the start of a completion after `reset`."""

    judges_stops = False

    def __init__(self, enc, grammar, form: str = "token") -> None:
        self._total = enc.vocabulary.size
        _, vocab, self._ends, self._size, _ = vocabulary(enc)
        text = grammar.to_gbnf(form)
        self._sampler = llama_cpp.llama_sampler_init_grammar(vocab, text.encode(), b"root")
        if not self._sampler:
            raise ValueError("llama.cpp refuses the grammar")
        self._data = (llama_cpp.llama_token_data * self._size)()
        fields = [("id", np.int32), ("logit", np.float32), ("p", np.float32)]
        self._array = np.frombuffer(self._data, dtype=np.dtype(fields))
        self._ids = np.arange(self._size, dtype=np.int32)
        self._pieces, self._first_special = enc.vocabulary.table, enc.vocabulary.first_special
        self._text = b""
        self.done = False

    def __del__(self) -> None:
        if getattr(self, "_sampler", None):
            llama_cpp.llama_sampler_free(self._sampler)

    def reset(self) -> None:
        llama_cpp.llama_sampler_reset(self._sampler)
        self._text = b""
        self.done = False

    def mask(self) -> bytes:
        self._array["id"], self._array["logit"] = self._ids, 0
        array = llama_cpp.llama_token_data_array(self._data, self._size, -1, False)
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(array))
        allowed = np.isfinite(self._array["logit"])
        if self._in_character():
            # llama.cpp allows a special token after half a character, and then aborts.
            allowed[self._first_special :] = False
        bits = np.packbits(allowed, bitorder="little").tobytes()
        return bits.ljust((self._total + 7) // 8, b"\0")

    def _in_character(self) -> bool:
        """Whether the last bytes begin a character and do not end it."""
        for count in range(1, 4):
            if self._text[-count:][:1] >= b"\xc0":
                lead = self._text[-count]
                return count < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4)
        return False

    def accept(self, token: int) -> None:
        self._text = (self._text + self._pieces[token])[-4:] if token < self._first_special else b""
        if token in self._ends:
            self.done = True  # It ends the generation; the grammar does not see it.
        else:
            llama_cpp.llama_sampler_accept(self._sampler, token)
