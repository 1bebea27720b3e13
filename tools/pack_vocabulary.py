"""Pack a ``.tiktoken`` file into harmony/data: ``python -m tools.pack_vocabulary FILE``.

Only needed when the vocabulary itself changes; a test compares the embedded one with the
SHA-256 in spec/harmony.toml.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from harmony import resources
from harmony.spec import load_spec
from harmony.vocabulary import PACKED_FILE, packed, ranks_read


def main() -> None:
    content = Path(sys.argv[1]).read_bytes()
    expected = load_spec().table("vocabulary")["sha256"]
    if hashlib.sha256(content).hexdigest() != expected:
        sys.exit(f"{sys.argv[1]}: not the vocabulary with SHA-256 {expected}")
    resources.path("data", PACKED_FILE).write_bytes(packed(ranks_read(content)))


if __name__ == "__main__":
    main()
