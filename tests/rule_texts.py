"""Rules over characters read both ways: which texts they match, and random ones of them."""

from __future__ import annotations

from harmony.constrain.rules import Characters, Choice, Ref, Repeat, Sequence, Text

# A pipe, a letter beyond the basic plane, an escape, white space: what strings trip over.
FAVOURITES = [ord(c) for c in 'aZ09<|>{}[]:,. -é中😀\\"/\n\t\x7f']


def matches(rules: dict, root: str, text: str) -> bool:
    """Whether the rule ``root`` matches all of ``text``."""
    known: dict[tuple, frozenset[int]] = {}

    def ends(node, start: int) -> frozenset[int]:
        key = (id(node), start)
        if key not in known:
            known[key] = frozenset()
            known[key] = frozenset(found(node, start))
        return known[key]

    def found(node, start: int) -> set[int]:
        match node:
            case Text(fixed):
                return {start + len(fixed)} if text.startswith(fixed, start) else set()
            case Characters(intervals):
                inside = start < len(text) and any(a <= ord(text[start]) <= b for a, b in intervals)
                return {start + 1} if inside else set()
            case Ref(name):
                return set(ends(rules[name], start))
            case Choice(parts):
                return {end for part in parts for end in ends(part, start)}
            case Sequence(parts):
                places = {start}
                for part in parts:
                    places = {end for place in places for end in ends(part, place)}
                return places
            case Repeat(part, least, most):
                places, reached = {start}, set()
                count = 0
                while places and (most is None or count <= most):
                    if count >= least:
                        if places <= reached:
                            break
                        reached |= places
                    places = {end for place in places for end in ends(part, place)}
                    count += 1
                return reached
        raise AssertionError(node)

    return len(text) in ends(rules[root], 0)


def random_text(rules: dict, root: str, rng, depth: int = 60) -> str:  # noqa: C901 (one a kind)
    """A text that the rule ``root`` matches."""
    shortest = _shortest(rules)

    def cost(node) -> float:
        match node:
            case Text() | Characters():
                return 1
            case Ref(name):
                return shortest[name]
            case Choice(parts):
                return min((cost(part) for part in parts), default=float("inf"))
            case Sequence(parts):
                return sum(cost(part) for part in parts)
            case Repeat(part, least, _):
                return cost(part) * least if least else 0

    def drawn(node, left: int) -> str:
        match node:
            case Text(fixed):
                return fixed
            case Characters(intervals):
                likely = [c for c in FAVOURITES if any(a <= c <= b for a, b in intervals)]
                if likely and rng.random() < 0.7:
                    return chr(rng.choice(likely))
                return chr(rng.randint(*rng.choice(intervals)))
            case Ref(name):
                return drawn(rules[name], left - 1)
            case Choice(parts):
                if left <= 0 or rng.random() < 0.15:
                    return drawn(min(parts, key=cost), left - 1)
                return drawn(rng.choice(parts), left)
            case Sequence(parts):
                return "".join(drawn(part, left) for part in parts)
            case Repeat(part, least, most):
                top = least + 3 if most is None else most
                count = least if left <= 0 else rng.randint(least, min(top, least + 3))
                return "".join(drawn(part, left - 1) for _ in range(count))
        raise AssertionError(node)

    return drawn(rules[root], depth)


def _shortest(rules: dict) -> dict[str, float]:
    found = dict.fromkeys(rules, float("inf"))

    def cost(node) -> float:
        match node:
            case Text() | Characters():
                return 1
            case Ref(name):
                return found[name] + 1
            case Choice(parts):
                return min((cost(part) for part in parts), default=float("inf"))
            case Sequence(parts):
                return sum(cost(part) for part in parts)
            case Repeat(part, least, _):
                return cost(part) * least if least else 0
        raise AssertionError(node)

    while True:
        again = {name: min(found[name], cost(node)) for name, node in rules.items()}
        if again == found:
            return found
        found = again
