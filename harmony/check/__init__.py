"""Whether a conversation is right: the rules of Harmony. Spec: [check], [[rules]]."""

from harmony.check.checker import Checker
from harmony.check.fixes import apply_fixes
from harmony.check.rules import Example, Rule, load_rules, selected_rules

__all__ = ["Checker", "Example", "Rule", "apply_fixes", "load_rules", "selected_rules"]
