"""Constrained decoding: outputs that cannot be malformed.

`completion_grammar` derives from the format's grammar, and from the tools and the response
format of a request, what the model may write: as a grammar for llguidance, llama.cpp or
xgrammar, or as masks in this process.
"""

from harmony.constrain.completion import CompletionGrammar, completion_grammar
from harmony.constrain.logits import GrammarLogitsProcessor
from harmony.constrain.matcher import Matcher
from harmony.constrain.schemas import Unenforced

__all__ = [
    "CompletionGrammar",
    "GrammarLogitsProcessor",
    "Matcher",
    "Unenforced",
    "completion_grammar",
]
