"""What an encoding has of the checker, which is imported when it is first asked."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

from harmony.messages import Role

if TYPE_CHECKING:
    from harmony.check.checker import Checked, Checker
    from harmony.check.formats import Formats
    from harmony.check.rules import Selectors
    from harmony.declared_tools import Tools
    from harmony.encoding import HarmonyEncoding
    from harmony.transcript import Diagnostic


class Checks:
    """The part of `HarmonyEncoding` that checks. Spec: [check]."""

    @functools.cached_property
    def checker(self) -> Checker:
        """What checks conversations."""
        from harmony.check.checker import Checker

        return Checker(cast("HarmonyEncoding", self))

    def check(
        self,
        conversation: Checked,
        *,
        select: Selectors = None,
        ignore: Selectors = None,
        tools: Tools = None,
        response_format: Formats = None,
        context: int | None = None,
        role: Role | None = None,
    ) -> list[Diagnostic]:
        """What is wrong with a conversation, a prompt or a completion. Spec: [check], [[rules]].

        Args:
            conversation: a `Conversation` or its messages; token ids, which are read leniently;
                or a `Transcript`, whose diagnostics are findings too.
            select: rules to check: codes (``"HAR305"``), beginnings of codes (``"HAR3"``), names of
                rules or families (``"calls"``); all for None.
            ignore: rules to leave out, likewise; the narrower of two selectors holds.
            tools: the declared tools, beside those that the conversation declares itself;
                in the forms that `parse` takes.
            response_format: the JSON Schema that answers keep to, in place of those that the
                conversation declares; as in Chat Completions, a `ResponseFormat`, or several.
            context: the most tokens that a prompt may have.
            role: the role that a completion's prompt ended with, after `<|start|>`; without it,
                tokens that do not open a message are the assistant's.

        Returns:
            The findings in the order of the messages; none if all is well. `apply_fixes` does
            what they propose.

        Raises:
            UnknownName: there is no such rule.
            InvalidMessage: something is of another type.
            MissingExtra: there is something to validate against a JSON Schema, and the extra
                ``check`` is not installed.
        """
        return self.checker.check(
            conversation,
            select=select,
            ignore=ignore,
            tools=tools,
            response_format=response_format,
            context=context,
            role=None if role is None else Role(role),
        )
