"""Tiny models with random weights, one of each kind, made once."""

import numpy as np
import pytest
import tiny_models

from fmrl_robot.fm import load_language_model

MAKERS = {
    "causal": tiny_models.causal,
    "chat": lambda folder: tiny_models.causal(folder, chat=True),
    "sentencepiece": lambda folder: tiny_models.causal(
        folder, words=tiny_models.sentencepiece_like()
    ),
    "sliding": tiny_models.sliding,
    "recurrent": tiny_models.recurrent,
    "encoder_decoder": tiny_models.encoder_decoder,
    "sees": tiny_models.sees_images,
    "sees_chat": lambda folder: tiny_models.sees_images(folder, chat=True),
    "sees_in_3d": tiny_models.sees_in_3d,
}


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = MAKERS[kind](tmp_path_factory.mktemp(kind))
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def model_of(folder_of):
    """Models to look at; who changes one loads its own."""
    loaded = {}

    def model(kind):
        if kind not in loaded:
            loaded[kind] = load_language_model(f"transformers:{folder_of(kind)}")
        return loaded[kind]

    return model


@pytest.fixture(scope="session")
def embedded():
    """The embedded planner to look at; who changes it loads its own."""
    return load_language_model("embedded")


@pytest.fixture
def fresh(folder_of):
    return lambda kind: load_language_model(f"transformers:{folder_of(kind)}")


@pytest.fixture(scope="session")
def pictures():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in ((40, 48), (90, 70))]
