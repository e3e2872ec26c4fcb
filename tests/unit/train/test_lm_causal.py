"""The causal models' corpora, and a training so short that only the path is proved."""

import itertools
import json
import random
from dataclasses import replace

import pytest

from fmrl_robot.planners import questions as ask
from fmrl_robot.train.recipes.lm_causal import corpus, prior
from fmrl_robot.train.recipes.lm_causal.card import SKILLS, describe
from fmrl_robot.train.recipes.lm_causal.scenes import draw_scene, tell
from fmrl_robot.train.recipes.lm_causal.train import CausalConfig, build_model, train
from fmrl_robot.train.recipes.lm_embedded.corpus import fingerprint, held_out


def test_the_prior_is_right_about_seven_times_in_ten():
    texts = [text for _, text in itertools.islice(prior.pairs(4), 3000)]
    assert 0.67 < sum(map(prior.works, texts)) / len(texts) < 0.78


def test_a_disturbed_chore_has_the_same_steps_and_does_not_work():
    rng = random.Random(0)
    for _ in range(200):
        head, good, bad = prior.ordered_and_disturbed(rng)
        assert prior.works(head + good), head + good
        assert not prior.works(head + bad) and len(bad) == len(good)


def test_every_next_skill_is_one_of_the_candidates():
    rng, forbidden = random.Random(1), held_out()
    for _ in range(200):
        question, answer = corpus.ask_next(rng, forbidden)
        assert answer in SKILLS and question.rsplit(" ", 1)[-1][:-1].split("\n")[-1]


def test_a_story_ends_where_its_goal_holds():
    rng = random.Random(2)
    told = 0
    while told < 40:
        story = tell(draw_scene(rng), ("put(red_cube,bowl)", "press(button)"))
        if story is not None:
            told += 1
            assert set(story.goal) <= story.facts[-1]
            assert len(story.facts) == len(story.subgoals) + 1


def test_of_two_runs_the_one_that_reached_more_is_better():
    rng, forbidden = random.Random(3), held_out()
    answers = {corpus.ask_better(rng, forbidden)[1] for _ in range(60)}
    assert answers == set(ask.BETTER)


def test_the_tests_instructions_are_in_no_question():
    forbidden = held_out()
    for question, _ in itertools.islice(corpus.pairs(9), 1500):
        for line in question.split("\n"):
            assert fingerprint(line.removeprefix("Task: ")) not in forbidden


def test_a_short_training_leaves_a_chat_model_that_the_common_loader_reads(tmp_path):
    from fmrl_robot.fm import load_language_model

    cfg = CausalConfig(
        out=tmp_path, minutes=0.02, width=32, layers=1, heads=2, vocab_size=400,
        tokenizer_examples=200, batch_size=4,
    )  # fmt: skip
    train(cfg)
    model = load_language_model(f"transformers:{tmp_path}")
    assert model.short_prompts
    assert not build_model(replace(cfg, corpus="prior"), 400).config.short_prompts
    (scored,) = model.score(["Question: is it true that the drawer is open?"], [["yes", "no"]])
    assert (scored.sums < 0).all()
    grammar = 'root ::= "yes" | "no"'
    assert model.generate("anything", grammar=grammar)[0].text in ("yes", "no")


@pytest.mark.parametrize("kind", ["project", "prior"])
def test_a_card_tells_what_was_measured(tmp_path, kind):
    cfg = CausalConfig(
        corpus=kind, out=tmp_path, minutes=0.01, width=16, layers=1, heads=2, vocab_size=400,
        tokenizer_examples=100, batch_size=2, processes=1,
    )  # fmt: skip
    describe(tmp_path, kind, train(cfg), count=6)
    told = json.loads((tmp_path / "card.json").read_text())
    assert told["parameters"] > 0 and told["training"]["examples"] >= 2
    assert all(0 <= found["successes"] <= found["n"] for found in told["unseen"].values())
