"""JSON Schemas: the one room that needs the extra ``check``.

jsonschema-rs validates: it passes all of the official test suite of draft 2020-12, its
regular expressions are those of JavaScript and cannot be made to run for ever, and its
errors say where. Nothing is fetched.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from harmony.check.json_reading import json_path
from harmony.errors import InvalidSchema, MissingExtra
from harmony.validation import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema_rs import ValidationError

# Compiled schemas that are remembered: a conversation has a handful of tools.
MOST_SCHEMAS = 256
MOST_VIOLATIONS = 100
# Depth at which Python values cannot be told apart from those that refer to themselves.
_DEEPEST = 200


class Violation(NamedTuple):
    """Where a value does not validate, and why."""

    path: str
    reason: str


class Schemas:
    """Validates values, and remembers the schemas.

    ``extra`` and ``rules`` are what an error names: what to install, or which rules to leave out.
    """

    def __init__(self, extra: str, rules: str) -> None:
        self._extra = extra
        self._rules = rules
        self._compiled: dict[str, Any] = {}

    def violations(self, schema: Any, value: Any) -> Iterator[Violation]:
        """Where ``value`` does not validate, in the order of the places.

        Raises:
            InvalidSchema: the schema is none.
            MissingExtra: jsonschema-rs is not installed.
        """
        validator = self._validator(schema)
        try:
            errors = list(islice(validator.iter_errors(value), MOST_VIOLATIONS))
        except UnicodeEncodeError:
            yield Violation("$", "it holds half of a surrogate pair, which is no character")
            return
        for error in sorted(errors, key=_place):
            yield Violation(json_path(error.instance_path), _sentence(error))

    def check(self, schema: Any) -> None:
        """Raise `InvalidSchema` if ``schema`` is no JSON Schema; `MissingExtra` as above."""
        self._validator(schema)

    def _validator(self, schema: Any) -> Any:
        try:
            import jsonschema_rs
        except ImportError:
            raise MissingExtra(
                "validating against a JSON Schema needs jsonschema-rs: "
                f"pip install 'harmony-format[{self._extra}]'. To check without it, leave out "
                f"these rules: ignore={self._rules!r}"
            ) from None
        try:
            key = repr(schema)
        except RecursionError:
            raise InvalidSchema("it is nested too deeply") from None
        validator = self._compiled.get(key)
        if validator is not None:
            return validator
        if not isinstance(schema, (dict, bool)):
            raise InvalidSchema(f"expected an object or a boolean, got {shortened(schema)}")
        _check_depth(schema)
        try:
            validator = jsonschema_rs.validator_for(schema, retriever=_fetch_nothing)
        except jsonschema_rs.ValidationError as error:
            path = "".join(f"/{part}" for part in error.instance_path)
            raise InvalidSchema(error.message, path=path) from None
        except (ValueError, TypeError, OverflowError, jsonschema_rs.ReferencingError) as error:
            reason = str(error).partition("\n")[0]
            raise InvalidSchema(reason) from None
        if len(self._compiled) >= MOST_SCHEMAS:
            self._compiled.clear()
        self._compiled[key] = validator
        return validator


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched")


def _place(error: ValidationError) -> list[tuple[bool, int, str]]:
    """By what violations are sorted: the second element before the tenth."""
    return [
        (isinstance(part, str), 0 if isinstance(part, str) else part, str(part))
        for part in error.instance_path
    ]


def _sentence(error: ValidationError) -> str:
    message = error.message
    return message if len(message) <= 200 else f"{message[:160]}… {message[-39:]}"  # noqa: PLR2004


def _check_depth(value: object, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise InvalidSchema("it is nested too deeply")
    if isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, depth + 1)
