"""What all tests share: the encodings, ours and the oracle's, from one embedded vocabulary."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harmony import HarmonyEncoding, load_harmony_encoding
from harmony.spec import Spec, load_spec
from harmony.vocabulary import export

ROOT = Path(__file__).resolve().parent.parent

# One profile: the machines that run the tests are shared, so a slow example is no failure.
settings.register_profile(
    "harmony",
    deadline=None,
    max_examples=int(os.environ.get("HARMONY_MAX_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("harmony")


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load_spec()


@pytest.fixture(scope="session")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory, spec: Spec) -> Path:
    """A folder with the vocabulary file, which the oracle needs on disk."""
    folder = tmp_path_factory.mktemp("vocabulary")
    export(folder, spec)
    return folder


@pytest.fixture(scope="session")
def enc() -> HarmonyEncoding:
    return load_harmony_encoding("HarmonyGptOss")


@pytest.fixture(scope="session")
def channel_first() -> HarmonyEncoding:
    return load_harmony_encoding("HarmonyGptOss", dialect="channel-first")


@pytest.fixture(scope="session")
def oracle():
    """openai_harmony's encoding."""
    from tests.peer import peer_encoding

    return peer_encoding()
