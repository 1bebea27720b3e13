"""A type of the complete style as text, and how it is put into a larger one."""

from __future__ import annotations

import attrs

# How strongly a type holds together: what is weaker than its place needs parentheses.
UNION, INTERSECTION, WHOLE = range(3)


@attrs.frozen
class Written:
    """A type as text."""

    text: str
    strength: int = WHOLE
    remarks: tuple[str, ...] = ()
    """The comments above it."""
    default: str | None = None
    """The comment that names the default: behind a member, above anything else."""
    alternatives: tuple[Written, ...] = ()
    """Of a union."""

    def annotated(self, indent: str) -> str:
        """The type, its comments in front."""
        comments = [*self.remarks, *([f"// {self.default}"] if self.default is not None else [])]
        return "".join(f"{comment}\n{indent}" for comment in comments) + self.text

    def operand(self, strength: int, indent: str) -> str:
        """The type, in parentheses where it is weaker than ``strength`` or has comments."""
        if self.strength >= strength and not self.remarks and self.default is None:
            return self.text
        return f"({self.annotated(indent)})"

    @property
    def is_one_line(self) -> bool:
        """Whether it may stand in one line with others."""
        return not self.remarks and self.default is None and "\n" not in self.text


def member(name: str, written: Written, indent: str) -> str:
    """A member of an object, its comments above it and its default behind it."""
    comments = "".join(f"{indent}{comment}\n" for comment in written.remarks)
    default = "" if written.default is None else f" // {written.default}"
    return f"{comments}{indent}{name}: {written.text},{default}\n"
