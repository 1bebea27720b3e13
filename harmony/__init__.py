"""Harmony, the language of gpt-oss: rendered to tokens and parsed back, from one grammar.

Everything of `openai_harmony` has its name, signature and result here; the rest is ours.
Modules are imported when a name of theirs is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harmony.check.fixes import apply_fixes as apply_fixes
    from harmony.contents import ChannelConfig as ChannelConfig
    from harmony.contents import Content as Content
    from harmony.contents import DeveloperContent as DeveloperContent
    from harmony.contents import ReasoningEffort as ReasoningEffort
    from harmony.contents import ResponseFormat as ResponseFormat
    from harmony.contents import SystemContent as SystemContent
    from harmony.contents import TextContent as TextContent
    from harmony.encoding import HarmonyEncoding as HarmonyEncoding
    from harmony.errors import CheckFailed as CheckFailed
    from harmony.errors import ForbiddenToken as ForbiddenToken
    from harmony.errors import GrammarError as GrammarError
    from harmony.errors import HarmonyError as HarmonyError
    from harmony.errors import InvalidMessage as InvalidMessage
    from harmony.errors import InvalidRequest as InvalidRequest
    from harmony.errors import InvalidSchema as InvalidSchema
    from harmony.errors import InvalidToken as InvalidToken
    from harmony.errors import InvalidUtf8 as InvalidUtf8
    from harmony.errors import MissingExtra as MissingExtra
    from harmony.errors import ParseError as ParseError
    from harmony.errors import RenderError as RenderError
    from harmony.errors import UnknownName as UnknownName
    from harmony.errors import UnsupportedSchema as UnsupportedSchema
    from harmony.errors import VocabularyError as VocabularyError
    from harmony.events import ContentDelta as ContentDelta
    from harmony.events import Event as Event
    from harmony.events import HeaderParsed as HeaderParsed
    from harmony.events import MessageFinished as MessageFinished
    from harmony.loading import HarmonyEncodingName as HarmonyEncodingName
    from harmony.loading import load_harmony_encoding as load_harmony_encoding
    from harmony.messages import Author as Author
    from harmony.messages import Conversation as Conversation
    from harmony.messages import Message as Message
    from harmony.messages import Role as Role
    from harmony.options import RenderConversationConfig as RenderConversationConfig
    from harmony.options import RenderOptions as RenderOptions
    from harmony.rendering import Rendering as Rendering
    from harmony.stream import StreamableParser as StreamableParser
    from harmony.stream_surface import StreamState as StreamState
    from harmony.text_recovery import recover_text as recover_text
    from harmony.tools import ToolDescription as ToolDescription
    from harmony.tools import ToolNamespaceConfig as ToolNamespaceConfig
    from harmony.transcript import Diagnostic as Diagnostic
    from harmony.transcript import Edit as Edit
    from harmony.transcript import Fix as Fix
    from harmony.transcript import Span as Span
    from harmony.transcript import TokenRange as TokenRange
    from harmony.transcript import Transcript as Transcript

__version__ = "0.1.0"

_HOMES = {
    "check.fixes": "apply_fixes",
    "contents": (
        "ChannelConfig Content DeveloperContent ReasoningEffort ResponseFormat SystemContent "
        "TextContent"
    ),
    "encoding": "HarmonyEncoding",
    "errors": (
        "CheckFailed ForbiddenToken GrammarError HarmonyError InvalidMessage InvalidRequest "
        "InvalidSchema InvalidToken InvalidUtf8 MissingExtra ParseError RenderError UnknownName "
        "UnsupportedSchema VocabularyError"
    ),
    "events": "ContentDelta Event HeaderParsed MessageFinished",
    "loading": "HarmonyEncodingName load_harmony_encoding",
    "messages": "Author Conversation Message Role",
    "options": "RenderConversationConfig RenderOptions",
    "rendering": "Rendering",
    "stream": "StreamableParser",
    "stream_surface": "StreamState",
    "text_recovery": "recover_text",
    "tools": "ToolDescription ToolNamespaceConfig",
    "transcript": "Diagnostic Edit Fix Span TokenRange Transcript",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 (sorted gives a list of strings)


def __getattr__(name: str) -> object:
    try:
        home = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"module 'harmony' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f"harmony.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
