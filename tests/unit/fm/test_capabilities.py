"""A method that asks for what its model lacks fails when it is built, naming both."""

import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import capabilities, load_text_embedder, require
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.registry import VISION_MODELS

ALL = ("Generates", "Scores", "Embeds", "Sees", "Exposes", "Tunes", "Images")
OFFERED = {
    "scripted": {"Generates", "Scores"},
    "embedded": {"Generates", "Scores", "Exposes", "Tunes"},
    "causal": {"Generates", "Scores", "Exposes", "Tunes"},
    "sees": {"Generates", "Scores", "Exposes", "Tunes", "Images"},
    "texts": {"Embeds"},
    "vision": {"Embeds", "Sees"},
}


@pytest.fixture(scope="module")
def model(model_of, embedded):
    made = {
        "scripted": lambda: ScriptedLM({"": "x"}),
        "embedded": lambda: embedded,
        "texts": lambda: load_text_embedder("embedded"),
        "vision": lambda: VISION_MODELS.load("embedded")(),
    }
    return lambda kind: made.get(kind, lambda: model_of(kind))()


@pytest.mark.parametrize("kind", OFFERED)
def test_each_model_offers_what_it_can_and_no_more(kind, model):
    thing = model(kind)
    assert set(capabilities(thing)) == OFFERED[kind]
    for capability in ALL:
        if capability in OFFERED[kind]:
            require(thing, capability, by="some_method")
            continue
        with pytest.raises(ConfigError) as caught:
            require(thing, capability, by="some_method")
        assert caught.value.code == ErrorCode.CAPABILITY_MISSING
        for named in ("some_method", thing.model_id, capability, *OFFERED[kind]):
            assert named in str(caught.value)


def test_a_reward_that_needs_eyes_refuses_a_model_without_when_it_is_built():
    from fmrl_robot.rewards.vlm_rm import VLMRM

    with pytest.raises(ConfigError, match=r"vlm_rm needs a model with Sees, 'all-MiniLM-L6-v2'"):
        VLMRM(load_text_embedder("embedded"))


def test_nothing_is_said_to_offer_nothing():
    with pytest.raises(ConfigError, match="'object' offers nothing"):
        require(object(), "Scores", by="twosome")
