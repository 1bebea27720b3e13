"""What went wrong, where, and what to do about it.

::

    HarmonyError (RuntimeError)
    ├── InvalidMessage (ValueError)   a message, content or option of the wrong type or value
    ├── InvalidRequest (ValueError)   a request of an API that cannot be converted; names the field
    ├── InvalidSchema (ValueError)    a JSON Schema that cannot be rendered; names the path in it
    │   └── UnsupportedSchema         a JSON Schema that no grammar can enforce; names the keyword
    ├── InvalidType (ValueError)      text that is no type of a tools section; names the offset
    ├── UnknownName (ValueError)      no encoding, dialect, role or policy has that name
    ├── RenderError                   a message that the format cannot express
    ├── ParseError                    tokens that are not in the format
    ├── CheckFailed                   a parse with `validate=True` met violations; lists them all
    ├── InvalidToken (ValueError)     an id outside the vocabulary, or text that is a special token
    │   └── ForbiddenToken            a token that a grammar does not allow; names what it does
    ├── InvalidUtf8 (ValueError)      tokens whose bytes are not UTF-8
    ├── VocabularyError               the vocabulary file is missing, or is another one
    ├── GrammarError (ValueError)     a spec or grammar file that does not hold together
    └── MissingExtra (ImportError)    an optional dependency; names the extra that brings it

Every error pickles and copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harmony.messages import Message
    from harmony.transcript import Diagnostic, Transcript


class HarmonyError(RuntimeError):
    """The root of all errors that this library raises on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors with fields of their own take keyword arguments, which BaseException's own
        # __reduce__ would lose; so an error is rebuilt empty and its fields are laid back.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    kind: type[HarmonyError], args: tuple[Any, ...], fields: dict[str, Any]
) -> HarmonyError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class InvalidMessage(HarmonyError, ValueError):
    """A message, content, conversation or option has the wrong type or value."""


class InvalidRequest(HarmonyError, ValueError):
    """A request, or a message of it, cannot be converted.

    ``path`` names the field in the request: ``"messages[2].tool_call_id"``.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


class InvalidSchema(HarmonyError, ValueError):
    """A JSON Schema cannot be written as a type.

    ``path`` names the place in the schema, as a JSON pointer (``/properties/city``).
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{message} (at {path or '/'} in the schema)")
        self.path = path


class UnsupportedSchema(InvalidSchema):
    """A JSON Schema holds what a grammar cannot enforce while tokens are sampled.

    ``keyword`` is the keyword, ``path`` the place in the schema, as a JSON pointer.
    """

    def __init__(self, message: str, *, keyword: str, path: str = "") -> None:
        super().__init__(message, path=path)
        self.keyword = keyword


class InvalidType(HarmonyError, ValueError):
    """A text is not one that a JSON Schema is written as.

    ``offset`` is the index of the character from which on it departs.
    """

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(f"{message} (character {offset})")
        self.reason = message
        self.offset = offset


class UnknownName(HarmonyError, ValueError):
    """Nothing has that name: an encoding, a dialect, a role, an analysis policy."""


class RenderError(HarmonyError):
    """A message cannot be expressed in the format, such as a tool's message without a name."""


class InvalidToken(HarmonyError, ValueError):
    """An id that the vocabulary does not have, or text that spells a special token.

    Attributes:
        position: index of the id among all the tokens; None where it is about a text.
        parsed: the messages that were read before it, where tokens were parsed.
    """

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.parsed: list[Message] = []


class ForbiddenToken(InvalidToken):
    """A grammar does not allow a token.

    Attributes:
        token: the id.
        position: how many tokens were accepted before it.
        allowed: what was allowed instead, as text: all of it, or the first of many.
    """

    def __init__(
        self, message: str, *, token: int, position: int, allowed: Sequence[str] = ()
    ) -> None:
        super().__init__(message, position=position)
        self.token = token
        self.allowed = tuple(allowed)


class InvalidUtf8(HarmonyError, ValueError):
    """The bytes of some tokens are not UTF-8."""


class VocabularyError(HarmonyError):
    """The vocabulary file is missing, unreadable or not the one that the spec names."""


class GrammarError(HarmonyError, ValueError):
    """A spec or a grammar, of the user's or the library's own, does not hold together."""


class MissingExtra(HarmonyError, ImportError):
    """An optional dependency is not installed. The message names the extra that brings it."""


class ParseError(HarmonyError):
    """Tokens are not in the format.

    Attributes:
        message: one sentence, without the position.
        position: index of the token at which the fault was found; the number of tokens
            where the input ended too early.
        expected: what could have stood there, in the spec's names.
        found: what stood there, as text; ``""`` at the end of the input.
        state: where the parser was: ``"ExpectStart"``, ``"Header"`` or ``"Content"``.
        parsed: the messages that were read before the fault.
        excerpt: the decoded tokens around the fault, with a caret under it (two lines).
        remedy: what to do about it, or ``""``.
    """

    def __init__(
        self,
        message: str,
        *,
        position: int,
        expected: Sequence[str] = (),
        found: str = "",
        state: str = "",
        parsed: Sequence[Message] = (),
        excerpt: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message)
        self.position = position
        self.expected = tuple(expected)
        self.found = found
        self.state = state
        self.parsed = list(parsed)
        self.excerpt = excerpt
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [f"{self.message} (token {self.position})"]
        if self.excerpt:
            lines.append(self.excerpt)
        if self.expected:
            lines.append(f"expected: {', '.join(self.expected)}")
        lines.append(f"found: {self.found!r}" if self.found else "found: the end of the input")
        if self.parsed:
            lines.append(f"parsed before it: {len(self.parsed)} message(s), in `.parsed`")
        if self.remedy:
            lines.append(f"remedy: {self.remedy}")
        return "\n".join(lines)


class CheckFailed(HarmonyError):
    """Tokens are in the format, but break its rules. Spec: [[rules]].

    Attributes:
        diagnostics: the violations of severity ``"error"``, in the order of the messages.
        transcript: what was parsed.
    """

    def __init__(
        self, message: str, *, diagnostics: Sequence[Diagnostic], transcript: Transcript
    ) -> None:
        super().__init__(message)
        self.diagnostics = list(diagnostics)
        self.transcript = transcript
