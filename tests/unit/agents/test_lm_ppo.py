"""A language model learns from what its choices bring, however batches are laid out."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import tiny_models
import torch

from fmrl_robot.agents import (
    LMPPO,
    LMPolicy,
    LMPolicyConfig,
    LMPPOConfig,
    LMRollout,
    Question,
    TextStep,
    collect,
)
from fmrl_robot.fm import LoraSettings, load_language_model

CANDIDATES = (" put the red cube", " put the cube", " trot forward slowly, then", " x")
PROMPTS = ("the bowl is red; the robot should", "trot", "stand still and then put the cube in")
QUESTIONS = tuple(Question(p, CANDIDATES[: 4 - i]) for i, p in enumerate(PROMPTS))
RIGHT = {PROMPTS[0]: 2, PROMPTS[1]: 0, PROMPTS[2]: 1}
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.causal(tmp_path_factory.mktemp("causal"), initializer_range=0.1)


@pytest.fixture(scope="module")
def both_sides(tmp_path_factory):
    return tiny_models.encoder_decoder(tmp_path_factory.mktemp("t5"))


def policy_of(folder, **config):
    torch.manual_seed(0)
    settings = LMPolicyConfig(**({"weights": "full"} | config))
    return LMPolicy(load_language_model(f"transformers:{folder}"), settings)


class Bandit:
    """Every decision is an episode; one candidate of each prompt is right."""

    def __init__(self, worlds=6, right=RIGHT):
        self.asked, self.worlds, self.right = 0, worlds, right

    def questions(self):
        return [QUESTIONS[(self.asked + i) % 3] for i in range(self.worlds)]

    def step(self, choices):
        right = [
            float(self.right[q.prompt] == c) for q, c in zip(self.questions(), choices, strict=True)
        ]
        self.asked += 1
        ends = [True] * self.worlds
        return TextStep(
            reward=right, done=ends, time_out=[False] * self.worlds, duration=[2.0] * self.worlds
        )


FAST = LMPPOConfig(
    steps=8, epochs=2, minibatch=24, learning_rate=5e-3, critic_rate=1e-2, max_grad_norm=1.0
)
HEAVY = {"lora": LoraSettings(targets=("q_proj", "v_proj", "o_proj", "down_proj", "up_proj"))}


def chances(policy):
    with torch.no_grad():
        return policy.distribution(QUESTIONS).log_probs.exp()


def second_likeliest(policy):
    """What is not chosen at first, but now and then."""
    return {
        q.prompt: int(c) for q, c in zip(QUESTIONS, chances(policy).topk(2)[1][:, 1], strict=True)
    }


def chance_of_right(policy, right=RIGHT):
    return [float(row[right[q.prompt]]) for q, row in zip(QUESTIONS, chances(policy), strict=True)]


@pytest.mark.parametrize(
    ("config", "rate"),
    [({"norm": "token"}, 5e-3), ({"norm": "word"}, 5e-3), ({"weights": "lora", **HEAVY}, 1e-2),
     ({"credit": "token"}, 5e-3)],
    ids=["full", "by word", "lora", "credit by token"],
)  # fmt: skip
def test_what_is_rewarded_is_chosen(folder, config, rate):
    policy = policy_of(folder, **config)
    right = second_likeliest(policy)
    before = chance_of_right(policy, right)
    assert max(before) < 0.5
    learner = LMPPO(policy, Bandit(right=right), replace(FAST, learning_rate=rate))
    curves = [learner.iterate() for _ in range(15)]
    assert min(chance_of_right(policy, right)) > 0.7, before
    assert all(np.isfinite(list(c.values())).all() for c in curves)
    assert np.mean([c["episode/reward"] for c in curves[-5:]]) > 0.8


@pytest.mark.parametrize("norm", ["sum", "token", "word", "logit"])
def test_the_policy_is_the_softmax_of_normalised_scores(folder, norm):
    policy = policy_of(folder, norm=norm)
    plain = load_language_model(f"transformers:{folder}")
    with torch.no_grad():
        found = policy.distribution(QUESTIONS)
        for i, question in enumerate(QUESTIONS):
            (score,) = plain.score([question.prompt], [question.candidates])
            if norm == "logit":
                rows = [(plain.read(question.prompt), plain.encode(c)) for c in question.candidates]
                shown = plain.forward(rows)
                logits = shown.logits.gather(-1, shown.ids[..., None])[..., 0]
                figures = (logits * shown.mask).sum(-1)
            else:
                named = {"sum": "sums", "token": "token_means", "word": "word_means"}[norm]
                figures = torch.tensor(getattr(score, named), dtype=torch.float32)
            count = len(question.candidates)
            torch.testing.assert_close(
                found.log_probs[i, :count], figures.log_softmax(-1), atol=TOLERANCE, rtol=TOLERANCE
            )
            assert not found.log_probs[i, count:].exp().any()


def rollout_of(policy, steps=3, worlds=6):
    return collect(Bandit(worlds), policy, steps, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("credit", ["action", "token"])
def test_before_anything_is_learned_nothing_has_moved(folder, credit):
    """Log-probabilities at decision time are those of the update, ratios are 1."""
    policy = policy_of(folder, credit=credit)
    rollout = rollout_of(policy)
    decisions = list(zip(rollout.questions, rollout.choice.flatten().tolist(), strict=True))
    old, mask = rollout.log_prob.flatten(0, 1), rollout.mask.flatten(0, 1)
    for numbers in policy.passes(decisions):
        units = policy.units([decisions[i] for i in numbers], divergence=True)
        width = units.mask.shape[1]
        assert torch.equal(units.mask, mask[numbers][:, :width])
        assert not mask[numbers][:, width:].any()
        torch.testing.assert_close(
            units.log_prob[units.mask], old[numbers][:, :width][units.mask],
            atol=TOLERANCE, rtol=TOLERANCE,
        )  # fmt: skip
        assert units.divergence.abs().max() < 1e-5
        assert (units.entropy[units.mask] > 0.0).all()


def shuffled(rollout, order):
    """The same worlds in another order."""
    steps, n = rollout.choice.shape
    asked = [rollout.questions[t * n + i] for t in range(steps) for i in order]
    parts = {
        name: getattr(rollout, name)[:, order]
        for name in ("choice", "log_prob", "value", "mask", "reward", "done", "time_out",
                     "duration")
    }  # fmt: skip
    return LMRollout(questions=asked, last=rollout.last[order], **parts)


@pytest.mark.parametrize("credit", ["action", "token"])
def test_order_and_company_change_no_step(folder, credit):
    # One step of plain descent on all decisions, for Adam makes much of little at first.
    config = replace(FAST, epochs=1, minibatch=1000)
    rollout = rollout_of(policy_of(folder, credit=credit))
    steps = {}
    for name, order, passes in (
        ("as it was", [0, 1, 2, 3, 4, 5], 8),
        ("another order", [3, 0, 5, 1, 4, 2], 8),
        ("one by one", [0, 1, 2, 3, 4, 5], 1),
        ("in twos", [2, 1, 0, 5, 4, 3], 2),
    ):
        policy = policy_of(folder, credit=credit, passes=passes)
        learner = LMPPO(policy, Bandit(), config)
        learner.actor = torch.optim.SGD(policy.weights, 1.0)
        before = [w.detach().clone() for w in policy.weights]
        learner.update(shuffled(rollout, order))
        steps[name] = torch.cat(
            [(w.detach() - b).flatten() for w, b in zip(policy.weights, before, strict=True)]
        )
    size = steps["as it was"].norm()
    assert size > 0.01
    for other in steps.values():
        assert (other - steps["as it was"]).norm() < 1e-3 * size


def test_a_weight_on_the_divergence_keeps_the_policy_near_the_untouched_model(folder):
    found = {}
    for kl in (0.0, 3.0):
        policy = policy_of(folder)
        learner = LMPPO(policy, Bandit(), replace(FAST, kl=kl))
        for _ in range(12):
            learner.iterate()
        with torch.no_grad():
            now = policy.distribution(QUESTIONS)
            with policy.model.adapter(None):
                untouched = policy.distribution(QUESTIONS)
            found[kl] = float(now.divergence(untouched).mean())
    assert found[3.0] < 0.2 * found[0.0]


@pytest.mark.parametrize("weights", ["lora", "full"])
def test_the_critic_reads_the_untouched_model_whatever_the_actor_has_become(folder, weights):
    policy = policy_of(folder, weights=weights, kept=1)
    plain = load_language_model(f"transformers:{folder}")
    with torch.no_grad():
        want = [plain.forward([(plain.read(q.prompt), [])]).hidden[0, 0] for q in QUESTIONS]
        for parameter in policy.weights:
            parameter += 0.1
    decisions = [(q, 0) for q in QUESTIONS]
    states = policy._frozen_states(decisions, tokens=False)
    for mine, theirs in zip(states, want, strict=True):
        torch.testing.assert_close(mine[0], theirs, atol=TOLERANCE, rtol=TOLERANCE)
    value = policy.values_of(QUESTIONS).sum()
    assert not any(g is not None for g in torch.autograd.grad(
        value, policy.weights, allow_unused=True, retain_graph=True
    ))  # fmt: skip


def test_a_run_that_goes_on_ends_in_the_same_bits(folder):
    def state(learner):
        return torch.cat([w.detach().flatten() for w in learner.policy.weights])

    whole = LMPPO(policy_of(folder), Bandit(), FAST)
    for _ in range(2):
        whole.iterate()
    kept = copy.deepcopy(whole.state_dict())
    whole.iterate()
    again = LMPPO(policy_of(folder), Bandit(), FAST)
    again.load_state_dict(kept)
    again.worlds.asked = 2 * FAST.steps
    again.iterate()
    assert torch.equal(state(whole), state(again))


def test_equal_questions_are_one_row_of_a_pass(folder):
    policy = policy_of(folder)
    rows = []
    hook = policy.model.module.register_forward_hook(
        lambda _, __, named, ___: rows.append(named["input_ids"].shape[0]), with_kwargs=True
    )
    decisions = [(q, i % 3 % len(q.candidates)) for i in range(4) for q in QUESTIONS]
    (numbers,) = policy.passes(decisions)
    policy.units([decisions[i] for i in numbers], divergence=False)
    hook.remove()
    assert len(decisions) == 12 and rows == [3]


def test_a_model_with_two_sides_learns_too(both_sides):
    policy = policy_of(both_sides, norm="sum")
    learner = LMPPO(policy, Bandit(), replace(FAST, learning_rate=3e-3))
    before = chance_of_right(policy)
    for _ in range(6):
        learner.iterate()
    assert sum(chance_of_right(policy)) > sum(before)
