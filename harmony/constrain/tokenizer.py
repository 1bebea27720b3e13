"""llguidance's tokenizer, made once a process from our vocabulary."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

from harmony.errors import MissingExtra

if TYPE_CHECKING:
    from types import ModuleType

    from harmony.encoding import HarmonyEncoding

_LOCK = threading.Lock()
_TOKENIZERS: dict[tuple[object, ...], Any] = {}


@functools.cache
def llguidance() -> ModuleType:
    """The engine. Raises `MissingExtra` where it is not installed."""
    try:
        import llguidance
        import llguidance.tiktoken
    except ImportError as error:
        raise MissingExtra(
            "masks need llguidance, which is not installed: "
            "pip install 'harmony-format[constrain]'. The exported grammars do without it"
        ) from error
    return llguidance


def tokenizer_of(encoding: HarmonyEncoding) -> Any:
    """The tokenizer of the encoding's vocabulary. It takes one to two seconds to make.

    Its end of sequence is a token that the format does not use, so that the stop tokens are
    tokens of the grammar like all others.

    Raises:
        MissingExtra: llguidance is not installed.
    """
    engine = llguidance()
    vocabulary = encoding.vocabulary
    texts = vocabulary.special_texts
    key = (id(vocabulary.tokens), tuple(texts.items()), end_of_sequence(encoding))
    with _LOCK:
        if key not in _TOKENIZERS:
            _TOKENIZERS[key] = engine.tiktoken.lltokenizer_from_encoding(
                vocabulary.encoder, n_vocab=vocabulary.size, eos_token=end_of_sequence(encoding)
            )
        return _TOKENIZERS[key]


def end_of_sequence(encoding: HarmonyEncoding) -> int:
    """The id that the engine takes as the end of sequence, in process: never a stop token."""
    spec = encoding.spec
    stops = {token.id for token in spec.stop_set("any")}
    bound = {token.id for token in spec.special_tokens.values() if token.terminal}
    named = [spec.token(name).id for name in spec.table("recovery")["terminators"]]
    candidates = [*named, *sorted(spec.special_texts)]
    return next(id for id in candidates if id not in stops | bound)
