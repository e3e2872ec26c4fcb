"""A model is taught answers as a part of the library, and goes on to be optimised."""

import pytest
import tiny_models
import torch

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm import load_language_model
from fmrl_robot.train.fine_tuning import TuningConfig, answer_loss, fine_tune

PAIRS = [
    ("where is the red cube?", "in the bowl"),
    ("trot", "then stand still"),
    ("put it away", "forward"),
    ("stand", "x"),
]


@pytest.fixture(scope="module", params=["causal", "encoder_decoder"])
def folder(request, tmp_path_factory):
    return getattr(tiny_models, request.param)(tmp_path_factory.mktemp(request.param))


def load(folder):
    torch.manual_seed(0)
    return load_language_model(f"transformers:{folder}")


def rows(model, end=True):
    ends = list(model.end_ids[:1]) if end else []
    return [(model.read(p), [*model.encode(a), *ends]) for p, a in PAIRS]


def loss_of(model):
    with torch.no_grad():
        return float(answer_loss(model, rows(model)))


@pytest.mark.parametrize("weights", ["lora", "full"])
def test_answers_are_learned_and_the_untouched_model_stays(folder, weights, tmp_path):
    from fmrl_robot.fm import LoraSettings

    model = load(folder)
    before = loss_of(model)
    many = LoraSettings(
        targets=("q_proj", "v_proj", "o_proj", "up_proj", "down_proj", "q", "v", "o", "wi", "wo")
    )
    rate = 2e-2 if weights == "lora" else 5e-3
    config = TuningConfig(
        weights=weights, lora=many, steps=60, batch=4, learning_rate=rate, warmup_steps=3
    )
    figures = fine_tune(model, PAIRS, config)
    after = loss_of(model)
    assert after < 0.5 * before and figures["examples"] == 240
    with model.adapter(None):
        assert loss_of(model) == pytest.approx(before, abs=1e-4)
    if weights == "lora":  # laid in a row while they learned, and whole in the file
        model.save_adapter("tuned", tmp_path / "tuned")
        again = load(folder)
        again.load_adapter("tuned", tmp_path / "tuned")
        assert loss_of(again) == pytest.approx(after, abs=1e-4)


def test_the_same_seed_ends_in_the_same_bits(folder):
    found = []
    for _ in range(2):
        model = load(folder)
        fine_tune(model, PAIRS, TuningConfig(steps=5, batch=2, weights="full"))
        found.append([w.detach().clone() for w in model.module.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_what_it_refuses(folder):
    model = load(folder)
    with pytest.raises(ValueError, match="at least one pair"):
        fine_tune(model, [])
    with pytest.raises(ConfigError, match="supervised fine-tuning needs a model with Tunes"):
        fine_tune(object(), PAIRS)


def test_policy_optimisation_goes_on_from_what_was_taught(tmp_path):
    from fmrl_robot.agents import LMPolicy, LMPolicyConfig, Question

    model = load(tiny_models.causal(tmp_path / "causal"))
    question = Question("put it away", (" x", "forward", " bowl"))
    fine_tune(model, PAIRS, TuningConfig(steps=60, batch=4, learning_rate=2e-2, ended=False))
    policy = LMPolicy(model, LMPolicyConfig(adapter=""))
    with torch.no_grad():
        taught = policy.distribution([question]).log_probs.exp()[0, 1]
        with model.adapter(None):
            before = policy.distribution([question]).log_probs.exp()[0, 1]
    assert taught > before + 0.2
