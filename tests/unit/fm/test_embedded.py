"""The embedded planner against the instructions written by hand before it was trained."""

import pytest

from fmrl_robot.errors import Retryable
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.capabilities import capabilities
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planners import gait_language, plan_language
from fmrl_robot.planners.saytap_commands import COMMANDS, problems
from fmrl_robot.reproduce.language import evaluate
from fmrl_robot.types import Scene

KINDS = ("arm", "quadruped")
GRAMMARS = {"arm": plan_language.GRAMMAR, "quadruped": gait_language.GRAMMAR}


@pytest.fixture(scope="module")
def model():
    return load_language_model("embedded")


@pytest.fixture(scope="module")
def random_model():
    import torch

    model = load_language_model("embedded")
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in (
            *model.module.decoder.parameters(),
            *model.module.enc_to_dec_proj.parameters(),
        ):
            weights.normal_(std=0.02)
    return model


def share(results):
    return sum(not r.wrong for r in results) / len(results)


@pytest.mark.parametrize("kind", KINDS)
def test_it_plans_what_guided_its_corpus(model, kind):
    results = evaluate(model, f"seen_{kind}")
    assert share(results) >= 0.85, [(r.text, r.wrong) for r in results if r.wrong]


@pytest.mark.parametrize("kind", KINDS)
def test_with_random_weights_it_does_not(random_model, kind):
    # A sixth of the file, because noise is long-winded; the model's card has the whole of it.
    assert share(evaluate(random_model, f"seen_{kind}", every=6)) < 0.20


def test_saytaps_commands_sampled_at_one_half(model):
    right = 0
    for command in COMMANDS:
        planner = SayTap(model, temperature=0.5)
        planner.reset(command.text, "go2")
        for _ in range(5):
            plan = planner.propose(Scene(stamp_s=0.0))
            right += not problems(plan.subgoals, command.segments)
    assert right >= 0.92 * 125


@pytest.mark.parametrize("kind", KINDS)
def test_not_even_random_weights_leave_the_grammar(random_model, kind):
    ended = 0
    for seed in range(6):
        try:
            (answer,) = random_model.generate(
                f"{kind}: say anything =>", grammar=GRAMMARS[kind], temperature=1.0, seed=seed,
                max_tokens=120,
            )  # fmt: skip
        except Retryable:
            continue
        ended += 1
        assert accepts(GRAMMARS[kind], answer.text), answer.text
    assert ended


def test_without_the_grammar_random_weights_leave_it_at_once(random_model):
    with pytest.raises(Retryable) as caught:
        random_model.generate("arm: say anything =>", temperature=1.0, seed=1, max_tokens=8)
    assert "did not end" in str(caught.value)


def test_it_generates_and_scores(model):
    assert capabilities(model) == ("Generates", "Scores", "Exposes", "Tunes")
    prompt = "quadruped: please stand very still =>"
    (scores,) = model.score([prompt], [["stand(0)", "bound(1)"]])
    assert scores.sums.argmax() == 0 and (scores.sums <= 0).all() and scores.usage.role == "score"


def test_a_question_is_metered_and_asked_once(model):
    (first,) = model.generate("quadruped: do pace slowly ahead =>", grammar=GRAMMARS["quadruped"])
    (second,) = model.generate("quadruped: do pace slowly ahead =>", grammar=GRAMMARS["quadruped"])
    assert first.text == second.text and not first.usage.cached and second.usage.cached
    assert first.usage.prompt_tokens > 3 and first.usage.latency_s > 0
    assert second.usage.latency_s == 0


def test_sampling_is_seeded(model):
    texts = [
        model.generate("arm: do something =>", grammar=GRAMMARS["arm"], temperature=2.0, seed=s)[
            0
        ].text
        for s in (1, 1, 2, 3, 4)
    ]
    assert texts[0] == texts[1] and len(set(texts)) > 1
