"""Types of the reference style, back to JSON Schema. Reads grammar/typescript.lark.

A schema that is read is canonical: written and read again it is the same. What a type does
not say cannot come back: an integer reads as a number, and `anyOf`, written as `any`, as `{}`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from harmony.errors import InvalidType
from harmony.json_text import compact
from harmony.text_grammar import fault, template_pattern, terminals, text_grammar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lark import Token, Tree

Schema: TypeAlias = dict[str, Any]


def read_reference_type(text: str, words: dict[str, Any]) -> Schema:
    """The schema that ``text`` is the type of; ``words`` is the table [typescript].

    Whether the schema is written as ``text`` again is the caller's to verify.

    Raises:
        InvalidType: ``text`` is not in the grammar, or stands for no schema.
    """
    from lark import UnexpectedInput

    bound = bound_terminals(words)
    try:
        tree = text_grammar("typescript", bound, ("type",)).parse(text)
    except UnexpectedInput as error:
        offset, sentence = fault(error, text)
        raise InvalidType(sentence, offset=offset) from None
    return _Reader(words).type(tree)


def bound_terminals(words: dict[str, Any]) -> str:
    """The terminals that grammar/typescript.lark imports from `.spec`, in Lark's language."""
    # A string stands unescaped, so it may hold a line feed: `"\n"` is a common default.
    value = r'(?:"[^"]*"(?=\n)|[^\n]*)'
    return terminals(
        {"DEFAULT": " // " + template_pattern(words["default_comment"], {"value": value})}
    )


@attrs.frozen
class _Reader:
    """Walks the parse tree: each method takes a tree of the rule of its name."""

    words: dict[str, Any]

    def type(self, tree: Tree[Token]) -> Schema:
        child = _subtree(tree.children[0])
        if child.data == "alternatives":
            return self.alternatives(child)
        return {"oneOf": self._variants(child.children, of_property=False)}

    # ---- one line: words, literals, arrays, objects ----------------------------------------

    def alternatives(self, tree: Tree[Token]) -> Schema:
        parts = [self._alternative(_subtree(child)) for child in tree.children]
        nullable = len(parts) > 1 and parts[-1] == (self.words["null_type"], 0)
        # Two words are a list of types, as in `string | null`; all else is nullable.
        if nullable and not all(self._is_type_name(part) for part in parts[:-1]):
            parts.pop()
        else:
            nullable = False
        (*before, (_, depth)) = parts
        if any(inner for _, inner in before):
            raise _unclear("`[]` stands behind the last alternative only", tree)
        schema = self._one_of([atom for atom, _ in parts], tree)
        for _ in range(depth):
            schema = {"type": "array", "items": schema}
        return schema | {"nullable": True} if nullable else schema

    def _alternative(self, tree: Tree[Token]) -> tuple[Schema | str, int]:
        atom, *arrays = tree.children
        return (str(atom) if _is_token(atom) else self.object(_subtree(atom))), len(arrays)

    def _is_type_name(self, part: tuple[Schema | str, int]) -> bool:
        atom, depth = part
        untyped = (self.words["unknown_type"], self.words["untyped_array"])
        return isinstance(atom, str) and atom[0] != '"' and atom not in untyped and not depth

    def _one_of(self, atoms: list[Schema | str], tree: Tree[Token]) -> Schema:
        if len(atoms) == 1:
            return self._single(atoms[0])
        names = [atom for atom in atoms if isinstance(atom, str)]
        literals = [name[1:-1] for name in names if name[0] == '"']
        if len(names) < len(atoms) or 0 < len(literals) < len(names):
            raise _unclear("objects, literals and names of types do not mix", tree)
        return {"type": "string", "enum": literals} if literals else {"type": names}

    def _single(self, atom: Schema | str) -> Schema:
        if not isinstance(atom, str):
            return atom
        if atom[0] == '"':
            return {"type": "string", "enum": [atom[1:-1]]}
        if atom == self.words["unknown_type"]:
            return {}
        if atom == self.words["untyped_array"]:
            return {"type": "array"}
        # Alone, `null` and `object` are not the types of these names.
        return {"type": atom if atom in self.words["types"].values() else [atom]}

    def object(self, tree: Tree[Token]) -> Schema:
        schema: Schema = {"type": "object"}
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for child in tree.children:
            if _is_token(child):
                schema["description"] = str(child).lstrip(" ").removeprefix("// ")[:-1]
                continue
            member = _subtree(child)
            found = _by_rule(member)
            key = found["KEY"] if "KEY" in found else found["UNION_KEY"]
            name = str(key).lstrip(" ").rstrip(" ").removesuffix(":")
            if not name.endswith("?"):
                required.append(name)
            read = self.member if member.data == "member" else self.union_member
            properties[name.removesuffix("?")] = read(member)
        schema["properties"] = properties
        return schema | {"required": required} if required else schema

    # ---- members ---------------------------------------------------------------------------

    def member(self, tree: Tree[Token]) -> Schema:
        found = _by_rule(tree)
        written = _subtree(found["type"].children[0])
        schema = self._comments(found.get("comments"))
        default = str(found.get("DEFAULT", ""))
        if written.data == "alternatives":
            schema |= self.alternatives(written)
        else:
            items, swallowed = self._union_of_items(written)
            schema |= {"type": "array", "items": items}
            default = default or swallowed
        if default:
            self._set_default(default, schema, tree)
        return schema

    def _union_of_items(self, tree: Tree[Token]) -> tuple[Schema, str]:
        r"""The items of an array, and its default if a comment has swallowed it.

        A union behind a key is always that, since a property's own union stands below its
        key: `key?: \n | string\n | number[],`, where `[]` seems to be the last variant's.
        """
        variants = list(map(_subtree, tree.children))
        note = _by_rule(variants[-1]).get("note")
        if note is not None:
            pattern = r"(?P<note>.*?)\[\](?P<more>(?:\[\])*),(?P<default> // .*)?"
            whole = re.fullmatch(pattern, "".join(map(str, note.children)), re.DOTALL)
            if whole is None:
                raise _unclear("a member ends with a comma", tree)
            note.children[:] = [f"{whole['note']}{whole['more']}"]
            return {"oneOf": self._variants(variants, of_property=False)}, whole["default"] or ""
        alternatives = _by_rule(variants[-1]).get("alternatives")
        ending = _subtree(alternatives.children[-1]).children if alternatives else []
        if not ending or ending[-1] != "[]":
            raise _unclear("a union behind a key is an array's", tree)
        ending.pop()
        return {"oneOf": self._variants(variants, of_property=False)}, ""

    def union_member(self, tree: Tree[Token]) -> Schema:
        found = _by_rule(tree)
        variants = [_subtree(child) for child in tree.children if not _is_token(child)]
        variants = [variant for variant in variants if variant.data == "variant"]
        notes = self._comments(found.get("comments"), examples_first=True)
        return {**notes, "oneOf": self._variants(variants, of_property=True)}

    def _comments(self, tree: Any, *, examples_first: bool = False) -> Schema:
        """Title, description, examples (and a union's default) above a member."""
        if tree is None:
            return {}
        text = "".join(map(str, tree.children))
        start = " " * (len(text) - len(text.lstrip(" "))) + "// "
        schema: Schema = {}
        title, blank, rest = text.partition(f"\n{start.rstrip(' ')}\n")
        if blank:
            schema["title"] = title.removeprefix(start)
            text = rest
        text = self._examples(text, start, schema, examples_first=examples_first)
        if examples_first:
            text = self._default_above(text, start, schema)
        if text:
            schema["description"] = text.removeprefix(start).removesuffix("\n")
        return schema

    def _examples(self, text: str, start: str, schema: Schema, *, examples_first: bool) -> str:
        """Takes the examples out of ``text``, from its beginning or its end."""
        heading = f"{start}{self.words['examples_comment']}\n"
        pattern = template_pattern(self.words["example_comment"], {"example": "([^\n]*)"})
        line = rf"{re.escape(start)}{pattern}\n"
        listed = rf"{re.escape(heading)}(?P<listed>(?:{line})*)"
        place = rf"\A{listed}" if examples_first else rf"(?:\A|(?<=\n)){listed}\Z"
        found = re.search(place, text)
        if found is None:
            return text
        # Only strings are listed; there was something else if there are none.
        schema["examples"] = re.findall(line, found["listed"]) or [None]
        return text[: found.start()] + text[found.end() :]

    def _default_above(self, text: str, start: str, schema: Schema) -> str:
        pattern = template_pattern(self.words["default_comment"], {"value": "([^\n]*)"})
        found = re.search(rf"(?:\A|(?<=\n)){re.escape(start)}{pattern}\n\Z", text)
        if found is None:
            return text
        value = self._default(found[1], schema)
        if isinstance(value, _NoDefault):
            # Only an enum's default stands without quotes.
            schema["enum"], value = [found[1]], found[1]
        schema["default"] = value
        return text[: found.start()]

    def _set_default(self, comment: str, schema: Schema, tree: Tree[Token]) -> None:
        pattern = template_pattern(self.words["default_comment"], {"value": "(.*)"})
        found = re.fullmatch(f" // {pattern}", comment, re.DOTALL)
        assert found is not None
        value = self._default(found[1], schema)
        if isinstance(value, _NoDefault):
            if "type" in schema:
                raise _unclear("this default is no JSON value", tree)
            # Only an enum's default stands without quotes; one without a type is `any`.
            schema["enum"], value = [found[1]], found[1]
        schema["default"] = value

    # ---- unions ----------------------------------------------------------------------------

    def _variants(self, trees: Iterable[Any], *, of_property: bool) -> list[Schema]:
        """The variants of a union, whose own unions stand among them, deeper."""
        levels: list[tuple[int, list[Schema]]] = []
        for tree in trees:
            found = _by_rule(tree)
            depth = len(found["VARIANT"])
            while len(levels) > 1 and depth < levels[-1][0]:
                levels.pop()
            if not levels or depth > levels[-1][0]:
                if levels:
                    nested: list[Schema] = []
                    levels[-1][1][-1]["oneOf"] = nested
                    levels.append((depth, nested))
                else:
                    levels.append((depth, []))
            schema = self._variant(found, of_property=of_property and len(levels) == 1)
            levels[-1][1].append(schema)
        return levels[0][1] if levels else []

    def _variant(self, found: dict[str, Any], *, of_property: bool) -> Schema:
        written = found.get("alternatives")
        schema: Schema = {"oneOf": []} if written is None else self.alternatives(written)
        if "note" not in found:
            return schema
        text = "".join(map(str, found["note"].children)).removeprefix(" // ")
        pattern = template_pattern(self.words["default_comment"], {"value": "(.*)"})
        # A description may itself say "default: none"; only a JSON value makes it one.
        for default in re.finditer(rf"(?:\A| )(?={pattern}\Z)", text, re.DOTALL):
            value = self._default(default[1], schema, quoted=not of_property)
            if not isinstance(value, _NoDefault):
                schema["default"] = value
                if default.end():
                    schema["description"] = text[: default.start()]
                return schema
        schema["description"] = text
        return schema

    def _default(self, text: str, schema: Schema, *, quoted: bool = False) -> Any:
        """The value of a default: JSON, but a string stands unescaped, as does an enum's."""
        if schema.get("enum"):
            if not quoted:
                return text
        elif len(text) > 1 and text[0] == text[-1] == '"':
            return text[1:-1]
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return _NoDefault()
        return value if compact(value) == text else _NoDefault()


class _NoDefault:
    """What a text stands for that is no default."""


def _is_token(node: Any) -> bool:
    return isinstance(node, str)


def _subtree(node: Any) -> Tree[Token]:
    assert not isinstance(node, str)
    return node  # type: ignore[no-any-return]


def _by_rule(tree: Tree[Token]) -> dict[str, Any]:
    """The children, by the names of their rules and terminals."""
    children: list[Any] = tree.children
    return {child.type if _is_token(child) else child.data: child for child in children}


def _unclear(sentence: str, tree: Tree[Token]) -> InvalidType:
    return InvalidType(sentence, offset=tree.meta.start_pos)
