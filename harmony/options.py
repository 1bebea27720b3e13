"""How a conversation is rendered: what callers may choose."""

from __future__ import annotations

import attrs

from harmony.validation import is_a


@attrs.define
class RenderConversationConfig:
    """Which messages of a conversation are rendered."""

    auto_drop_analysis: bool = attrs.field(default=True, validator=is_a(bool))
    """Drop what the format says to drop; with False everything is kept."""
    analysis_policy: str | None = attrs.field(default=None, validator=is_a(str, optional=True))
    """A policy by name, in place of that switch. Spec: [[analysis_policies]]."""

    @property
    def policy(self) -> str:
        """The policy that is asked for."""
        if self.analysis_policy is not None:
            return self.analysis_policy
        return "auto" if self.auto_drop_analysis else "keep_all"


@attrs.define
class RenderOptions:
    """What a single message cannot know of its conversation."""

    conversation_has_function_tools: bool = attrs.field(default=False, validator=is_a(bool))
    """Whether a developer message declares function tools."""
