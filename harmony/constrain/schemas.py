"""The JSON Schemas of a request: looked at once, and handed to each engine as it needs them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.constrain.rules import Rules
from harmony.constrain.schema_llguidance import rewritten
from harmony.constrain.schema_places import Document
from harmony.constrain.schema_rules import convert
from harmony.constrain.value_rules import Converter
from harmony.errors import InvalidSchema, UnsupportedSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

LLGUIDANCE, GBNF, XGRAMMAR = "llguidance", "gbnf", "xgrammar"
Schema: TypeAlias = "dict[str, Any] | bool"
ENGINES = (LLGUIDANCE, GBNF, XGRAMMAR)
OBJECT = "object"


@attrs.frozen
class Unenforced:
    """A keyword of a schema that an engine does not enforce. Check it afterwards."""

    schema: str
    """Whose schema: a recipient, or ``"response_format"``."""
    keyword: str
    """The keyword: ``"uniqueItems"``."""
    path: str
    """Where it stands in the schema, as a JSON pointer."""
    engines: tuple[str, ...]
    """Which engines leave it out: ``"llguidance"``, ``"gbnf"``, ``"xgrammar"``."""
    reason: str
    """Why."""

    def __str__(self) -> str:
        engines = ", ".join(self.engines)
        return f"{self.schema}: {self.keyword!r} at {self.path}, in {engines}: {self.reason}"


class _Raise:
    """Raises for each keyword that cannot be expressed."""

    def __init__(self, schema: str) -> None:
        self._schema = schema

    def __call__(self, keyword: str, path: str, reason: str) -> None:
        raise UnsupportedSchema(
            f"the schema of {self._schema} has {keyword!r}, which cannot be enforced: {reason}. "
            "Take it out, or pass lenient=True and check the result afterwards",
            keyword=keyword,
            path=path,
        )


class _Note:
    """Takes a note of each keyword that cannot be expressed."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], str] = {}

    def __call__(self, keyword: str, path: str, reason: str) -> None:
        self.found.setdefault((keyword, path), reason)


@attrs.frozen(eq=False)
class Schemas:
    """The schemas that a grammar refers to, by key: a recipient, or ``"response_format"``."""

    documents: Mapping[str, Document]
    """The schemas."""
    lenient: bool
    """Whether what cannot be expressed is left out."""

    @classmethod
    def read(
        cls,
        arguments: Mapping[str, Schema],
        answer: Schema | None,
        answer_key: str,
        used: set[str],
        *,
        lenient: bool,
    ) -> Schemas:
        """Look at the schemas of arguments, each an object, and at that of the answer.

        Those in ``used`` are kept, but all have to be valid.

        Raises:
            InvalidSchema: one is not valid; the tool and the path are named.
            UnsupportedSchema: unless ``lenient``, no engine can express one.
        """
        documents = {
            key: _document(key, _of_objects(key, schema)) for key, schema in arguments.items()
        }
        if answer is not None:
            documents[answer_key] = _document(answer_key, answer)
        schemas = cls({key: found for key, found in documents.items() if key in used}, lenient)
        if not lenient:
            for key, document in schemas.documents.items():
                schemas._check(key, document)
        return schemas

    def _check(self, key: str, document: Document) -> None:
        """That some engine can express a schema. Raises `UnsupportedSchema`."""
        try:
            rewritten(document, _Raise(key))
        except UnsupportedSchema:
            convert(Converter(Rules(), (), 0), document, "schema", _Raise(key))

    def for_llguidance(self) -> dict[str, Any]:
        """The schemas as llguidance takes them. Raises `UnsupportedSchema` unless lenient."""
        return {
            key: rewritten(document, _Note() if self.lenient else _Raise(key))
            for key, document in self.documents.items()
        }

    def into(self, converter: Converter) -> dict[str, str]:
        """Convert the schemas with our own converter; the name of the rule for each.

        Raises:
            UnsupportedSchema: unless lenient, one cannot be expressed.
        """
        return {key: self.one_into(key, converter) for key in self.documents}

    def one_into(self, key: str, converter: Converter) -> str:
        """Convert one schema; the name of its rule. Raises as `into` does."""
        problem = _Note() if self.lenient else _Raise(key)
        index = list(self.documents).index(key)
        return convert(converter, self.documents[key], f"json-{index}", problem).name

    @functools.cached_property
    def unenforced(self) -> tuple[Unenforced, ...]:
        """What some engine leaves out; empty unless lenient."""
        if not self.lenient:
            return ()
        found: list[Unenforced] = []
        for key, document in self.documents.items():
            theirs, ours = _Note(), _Note()
            rewritten(document, theirs)
            convert(Converter(Rules(), (), 0), document, "schema", ours)
            for keyword, path in {**theirs.found, **ours.found}:
                notes = {LLGUIDANCE: theirs, GBNF: ours, XGRAMMAR: ours}
                engines = tuple(e for e in ENGINES if (keyword, path) in notes[e].found)
                reason = (notes[engines[0]].found)[keyword, path]
                found.append(Unenforced(key, keyword, path, engines, reason))
        return tuple(found)


def _of_objects(key: str, schema: Schema) -> Schema:
    """The schema of arguments, which are an object: ``{}`` means any object."""
    if schema is True:
        return {"type": OBJECT}
    if isinstance(schema, dict):
        names = schema.get("type", OBJECT)
        if OBJECT not in ([names] if isinstance(names, str) else names or ()):
            raise InvalidSchema(
                f"the parameters of {key} have the type {names!r}; arguments are an object",
                path="/type",
            )
        return {**schema, "type": OBJECT}
    return schema


def _document(key: str, schema: Schema) -> Document:
    try:
        return Document(schema)
    except InvalidSchema as error:
        reason = str(error).removesuffix(f" (at {error.path or '/'} in the schema)")
        raise InvalidSchema(
            f"the schema of {key} is not valid: {reason}", path=error.path
        ) from None
