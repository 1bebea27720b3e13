"""oss-harmony, in a process of its own: it is imported as `openai_harmony`, as the other is.

Run as a script by the Python that has it, this file reads conversations on standard input,
one in JSON a line, and writes what they render to. Imported, it builds that Python and talks
to it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PACKAGE = "oss-harmony==0.0.11"


def rendered(encoding, library, conversation, keep_analysis: bool) -> dict[str, list]:
    """What ``library`` renders of a conversation, in all four ways."""
    config = library.RenderConversationConfig(auto_drop_analysis=not keep_analysis)
    return {
        "conversation": encoding.render_conversation(conversation, config),
        "training": encoding.render_conversation_for_training(conversation, config),
        "completion": [
            encoding.render_conversation_for_completion(conversation, role, config)
            for role in library.Role
        ],
        "messages": [encoding.render(message) for message in conversation],
    }


def serve() -> None:
    """Answer each line of standard input with one line."""
    import openai_harmony

    encoding = openai_harmony.load_harmony_encoding("HarmonyGptOss")
    for line in sys.stdin:
        conversation = openai_harmony.Conversation.from_json(line)
        answer = [rendered(encoding, openai_harmony, conversation, keep) for keep in (False, True)]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class OssHarmony:
    """The process."""

    def __init__(self, python: Path, vocabulary: Path) -> None:
        self._process = subprocess.Popen(
            [python, __file__],
            env={**os.environ, "TIKTOKEN_ENCODINGS_BASE": str(vocabulary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def rendered(self, conversation_json: str) -> list[dict[str, list]]:
        """`rendered` with analysis dropped, and with analysis kept."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(conversation_json + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def environment(cache: Path) -> Path:
    """The Python of an environment that has oss-harmony, made in ``cache`` the first time."""
    folder = cache / f"{PACKAGE}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not folder.exists():
        # Made aside and then moved, since test processes may run side by side.
        with tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as aside:
            made = Path(aside) / "venv"
            venv.create(made, with_pip=True)
            own = made / python.relative_to(folder)
            subprocess.run([own, "-m", "pip", "install", "-q", PACKAGE], check=True)
            try:
                made.rename(folder)
            except OSError:  # Another process was first.
                shutil.rmtree(made, ignore_errors=True)
    return python


if __name__ == "__main__":
    serve()
