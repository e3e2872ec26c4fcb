"""Continuations computed in a tree of their beginnings are what each is alone, gradients too."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmrl_robot.fm.transformers_lm import prefix_tree as trees
from fmrl_robot.fm.transformers_lm import scoring

KINDS = ("causal", "sliding", "recurrent", "encoder_decoder", "sees")
PROMPTS = ("put the red cube in the bowl, then", "trot", "")
TAILS = (" put the cube", " put the cube in", " put the bowl", " trot", "", " trot")
TOLERANCE = 1e-4


def questions_of(model, prompts=PROMPTS, tails=TAILS):
    # Prompts differ in how many continuations they have.
    return [
        (model.encode_prompt(p), [model.encode(t) for t in tails[: len(tails) - i]])
        for i, p in enumerate(prompts)
    ]


def alone(model, prompt, ids):
    return model.forward([(prompt, ids)])


@pytest.mark.parametrize("kind", KINDS)
def test_choices_show_what_each_continuation_shows_alone(kind, model_of):
    model = model_of(kind)
    questions = questions_of(model)
    with torch.no_grad():
        shown = model.forward_choices(questions)
        for i, (prompt, several) in enumerate(questions):
            assert shown.mask[i].sum(1).tolist()[: len(several)] == [len(c) for c in several]
            for j, ids in enumerate(several):
                row, n = alone(model, prompt, ids), len(ids)
                states = shown.hidden[i, shown.places[i, j, :n]]
                for mine, plain in (
                    (shown.token_logprobs[i, j, :n], row.token_logprobs[0]),
                    (states, row.hidden[0, :n]),
                    (shown.logits[i, shown.places[i, j, :n]], row.logits[0]),
                    (shown.hidden[i, 0], row.hidden[0, 0]),
                ):
                    torch.testing.assert_close(mine, plain, atol=TOLERANCE, rtol=TOLERANCE)
    assert not shown.token_logprobs[~shown.mask].any()
    assert not shown.token_logits[~shown.mask].any()


def test_of_the_shipped_prior_choices_are_its_scores():
    from fmrl_robot.fm import load_language_model

    model = load_language_model("embedded:lm-prior")
    prompts = [f"Task: put the {c} cube in the bowl.\nSteps: 1." for c in ("red", "light blue")]
    tails = [" pick up the red cube", " pick up the blue cube", " open the drawer", " wait"]
    with torch.no_grad():
        shown = model.forward_choices(questions_of(model, prompts, tails))
    assert model._loaded.reads_trees
    repeated = [model.score([p], [[t]])[0].sums[0] for p in prompts for t in tails]
    mine = [
        float(shown.token_logprobs[i, j].sum())
        for i in range(2)
        for j in range(len(tails))
        if j < len(tails) - i
    ]
    assert repeated[: len(mine)] == pytest.approx(mine, abs=TOLERANCE)


@pytest.mark.parametrize("kind", ["causal", "sliding"])
def test_gradients_are_those_of_the_prompt_repeated(kind, fresh):
    model = fresh(kind)
    weights = model.trainable("full")
    questions = questions_of(model)
    weight = torch.randn(3, len(TAILS), generator=torch.Generator().manual_seed(0))
    scores = model.forward_choices(questions).token_logprobs.sum(-1)
    together = torch.autograd.grad((weight * scores).sum(), weights, allow_unused=True)
    total = sum(
        weight[i, j] * alone(model, prompt, ids).token_logprobs.sum()
        for i, (prompt, several) in enumerate(questions)
        for j, ids in enumerate(several)
    )
    apart = torch.autograd.grad(total, weights, allow_unused=True)
    assert any(g is not None and g.abs().max() > 0.1 for g in apart)
    for mine, plain in zip(together, apart, strict=True):
        assert (mine is None) == (plain is None)
        if mine is not None:
            scale = float(plain.abs().max()) + 1.0
            torch.testing.assert_close(mine / scale, plain / scale, atol=TOLERANCE, rtol=0.0)


@pytest.mark.parametrize(
    ("kind", "reads"),
    [("causal", True), ("sees", True), ("sliding", False), ("recurrent", False),
     ("encoder_decoder", False)],
)  # fmt: skip
def test_only_models_that_attend_to_all_that_came_before_read_trees(kind, reads, model_of):
    assert trees.reads_trees(model_of(kind)._loaded) is reads


def test_a_model_that_ignores_the_mask_is_found_out(fresh):
    """What config and signature cannot tell the first try does."""
    model = fresh("causal")
    hook = model.module.register_forward_pre_hook(
        lambda _, args, named: (args, {**named, "attention_mask": None}), with_kwargs=True
    )
    assert not trees.reads_trees(model._loaded)
    before = model.forward_choices(questions_of(model)).token_logprobs
    hook.remove()
    torch.testing.assert_close(
        before, fresh("causal").forward_choices(questions_of(model)).token_logprobs,
        atol=TOLERANCE, rtol=TOLERANCE,
    )  # fmt: skip


continuations = st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(continuations)
def test_a_tree_holds_every_beginning_once(several):
    tree = trees.prefix_tree(several)
    beginnings = {tuple(ids[:n]) for ids in several for n in range(1, len(ids))}
    assert len(tree.tokens) == len(beginnings)
    for ids, states in zip(several, tree.states, strict=True):
        assert [tree.tokens[s - 1] for s in states[1:]] == ids[:-1]
        for depth, state in enumerate(states[1:]):
            way = [s - 1 for s in states[1 : depth + 2]]
            assert np.flatnonzero(tree.seen[state - 1]).tolist() == sorted(way)
            assert tree.depths[state - 1] == depth


@pytest.mark.parametrize("most", [0, 3, 256])
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_score_is_the_same_in_a_tree_and_behind_a_cached_prompt(
    most, data, model_of, monkeypatch
):
    words = st.sampled_from(["put", " the", " cube", " trot", "x"])
    tails = data.draw(st.lists(st.lists(words, max_size=5).map("".join), min_size=2, max_size=6))
    model = model_of("causal")
    with monkeypatch.context() as patch:
        patch.setattr(scoring, "TREE_TOKENS", most)
        (scores,) = model.score(["trot"], [tails])
    want = [model.score(["trot"], [[tail]])[0].sums[0] for tail in tails]
    np.testing.assert_allclose(scores.sums, want, atol=TOLERANCE)


def test_ten_candidates_of_one_prompt_are_one_pass(model_of):
    calls = []
    model = model_of("causal")
    trees.reads_trees(model._loaded)
    hook = model.module.register_forward_hook(lambda *_: calls.append(1))
    model.score(["trot"], [TAILS])
    model.score(["trot", "stand"], [TAILS, TAILS])
    hook.remove()
    assert len(calls) == 2
