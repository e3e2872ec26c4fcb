"""The embedded planner against the instructions written by hand before it was trained."""

import pytest

from fmrl_robot.errors import Retryable
from fmrl_robot.evaluations.language import evaluate
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.capabilities import capabilities
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.fm.transformers_lm.generation import Wanted
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planners import gait_language, plan_language
from fmrl_robot.planners.saytap_commands import COMMANDS, problems
from fmrl_robot.planning import Context
from fmrl_robot.types import Scene

KINDS = ("arm", "quadruped")
MOST_TOKENS = 20
"""Of an answer; the longest right plan has 12."""
GRAMMARS = {"arm": plan_language.GRAMMAR, "quadruped": gait_language.GRAMMAR}


class Brief:
    """A model whose answers are cut off at MOST_TOKENS: noise would go on for ever."""

    def __init__(self, model):
        self._model, self.model_id, self.short_prompts = model, model.model_id, model.short_prompts

    def generate(self, prompt, *, max_tokens, **asked):
        return self._model.generate(prompt, max_tokens=min(max_tokens, MOST_TOKENS), **asked)


class AtOnce:
    """A model that is asked one sample at a time and draws several of one prompt together."""

    def __init__(self, model, count):
        self._model, self._count = model, count
        self.model_id, self.short_prompts = model.model_id, model.short_prompts
        self._drawn = {}

    def generate(self, prompt, *, seed, **asked):
        if not self._drawn.get(prompt):
            drawn = self._model.generate(prompt, n=self._count, seed=seed, **asked)
            self._drawn[prompt] = list(drawn)
        return (self._drawn[prompt].pop(),)


@pytest.fixture
def model(embedded):
    return embedded


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
    results = evaluate(Brief(model), f"seen_{kind}")
    assert share(results) >= 0.85, [(r.text, r.wrong) for r in results if r.wrong]


@pytest.mark.parametrize("kind", KINDS)
def test_with_random_weights_it_does_not(random_model, kind):
    # A sixth of the file, because noise is long-winded; the model's card has the whole of it.
    assert share(evaluate(Brief(random_model), f"seen_{kind}", every=6)) < 0.20


def test_saytaps_commands_sampled_at_one_half(model):
    right = 0
    for command in COMMANDS:
        planner = SayTap(AtOnce(model, 5), temperature=0.5)
        planner.reset(command.text, "go2")
        for _ in range(5):
            plan = planner.propose(Context.of(Scene(stamp_s=0.0)))
            right += not problems(plan.subgoals, command.segments)
    assert right >= 0.92 * 125


@pytest.mark.parametrize("kind", KINDS)
def test_not_even_random_weights_leave_the_grammar(random_model, kind):
    # Past generate, which would refuse them all for the one that does not end.
    wanted = Wanted(grammar=GRAMMARS[kind], temperature=1.0, n=6, max_tokens=120)
    samples = random_model._writer.write(random_model.read(f"{kind}: say anything =>"), wanted)
    ended = [s.text for s in samples if s.ended]
    assert ended and [t for t in ended if not accepts(GRAMMARS[kind], t)] == []


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
        model.generate(
            "arm: put a cube there =>", grammar=GRAMMARS["arm"], temperature=3.0, seed=s
        )[0].text
        for s in (1, 1, 2, 3, 4, 5, 6)
    ]
    assert texts[0] == texts[1] and len(set(texts)) > 1
