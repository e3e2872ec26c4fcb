"""The wrapper before a model: what is known is not asked, what is asked is paid for."""

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm import questions, require
from fmrl_robot.fm.asking import Asked, guarded
from fmrl_robot.fm.budget import Budget, Prices
from fmrl_robot.fm.capabilities import capabilities
from fmrl_robot.fm.disk_cache import DiskCache
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.types import Completion, ContinuationScores, Usage

RED, BLUE = np.full((2, 3, 3), 7, np.uint8), np.full((3, 2, 3), 7, np.uint8)


class Model:
    """Says how often it was asked."""

    model_id = "model@1"
    short_prompts = False

    def __init__(self):
        self.asked = []

    def generate(self, prompt, *, n=1, role="plan", logprobs=False, **more):
        self.asked.append((prompt, more))
        logs = (-0.1, -float("inf")) if logprobs else ()
        return tuple(
            Completion(
                text=f"{prompt} {len(self.asked)} {i}", usage=self.usage(role),
                token_logprobs=logs, token_ids=(7, i),
            )
            for i in range(n)
        )  # fmt: skip

    def score(self, prompts, continuations, *, role="score"):
        self.asked.append(tuple(prompts))
        return [
            ContinuationScores(
                token_logprobs=tuple((-0.5, -len(c) / 3) for c in some),
                words=tuple(1 for _ in some), usage=self.usage(role),
            )
            for some in continuations
        ]  # fmt: skip

    def embed_texts(self, texts):
        self.asked.append(tuple(texts))
        return np.array([[len(t), 1 / 3, -1e-30] for t in texts], np.float32)

    def embed_images(self, images):
        self.asked.append(len(images))
        return np.array([[i.mean(), *i.shape] for i in images], np.float32)

    def embed_clips(self, clips):
        self.asked.append(len(clips))
        return np.array([[len(c), sum(f.shape[0] for f in c)] for c in clips], np.float32)

    def usage(self, role):
        return Usage(role=role, model=self.model_id, prompt_sha256="", prompt_tokens=3,
                     completion_tokens=2, latency_s=0.5, cost=0.1)  # fmt: skip


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def asked(model, tmp_path):
    return Asked(model, cache=DiskCache(tmp_path))


def test_a_known_answer_is_not_asked_for_again_and_costs_nothing(asked, model, tmp_path):
    (first,) = asked.generate("x", role="plan")
    (again,) = asked.generate("x", role="caption")
    (later,) = Asked(model, cache=DiskCache(tmp_path)).generate("x")
    assert first.text == again.text == later.text == "x 1 0" and len(model.asked) == 1
    assert not first.usage.cached and again.usage.cached and later.usage.cached
    assert (again.usage.role, again.usage.cost, again.usage.latency_s) == ("caption", 0.0, 0.0)
    assert again.usage.prompt_tokens == 3
    assert asked.budget.spent.calls == 1 and asked.budget.spent.usd == 0.1


def test_samples_come_back_with_ids_and_log_probabilities_to_the_bit(asked, model):
    first, again = (
        asked.generate("x", n=3, logprobs=True, temperature=0.5, seed=2) for _ in range(2)
    )
    assert [(c.text, c.token_logprobs, c.token_ids) for c in again] == [
        (f"x 1 {i}", (-0.1, -float("inf")), (7, i)) for i in range(3)
    ]
    assert [c.text for c in first] == [c.text for c in again] and len(model.asked) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"n": 2}, {"grammar": "root ::= x"}, {"schema": {"type": "string"}}, {"stop": ["\n"]},
        {"max_tokens": 9}, {"temperature": 0.5}, {"logprobs": True}, {"images": [RED]},
        {"extra": 1}, {"temperature": 0.5, "seed": 1}, {"temperature": 0.5, "top_p": 0.9},
        {"images": [BLUE]}, {"images": [RED, BLUE]}, {"images": [BLUE, RED]},
        {"schema": {"type": "object", "properties": {"a": {}, "b": {}}}},
        {"schema": {"type": "object", "properties": {"b": {}, "a": {}}}},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_matters_makes_another_question(asked, model, other):
    plain, sampled = {}, {"temperature": 0.5}
    for arguments in (plain, sampled, other, plain, sampled, other):
        asked.generate("x", **arguments)
    assert len(model.asked) == (2 if other == sampled else 3)


def test_what_does_not_matter_makes_none(asked, model):
    asked.generate("x")
    asked.generate("x", seed=7, top_p=0.5)  # at temperature 0 nothing is drawn
    asked.generate("x", n=1, temperature=0, max_tokens=256, stop=(), images=[], role="other")
    assert len(model.asked) == 1
    asked.generate("x", stop=("a", "b"), max_tokens=5)
    asked.generate("x", max_tokens=5, stop=["a", "b"])
    assert len(model.asked) == 2


def test_another_model_and_another_format_are_other_questions(monkeypatch):
    keys = {questions.generation(model, "x", {}).key for model in ("a@1", "a@2")}
    monkeypatch.setattr(questions, "FORMAT", 2)
    keys.add(questions.generation("a@1", "x", {}).key)
    assert len(keys) == 3 and all(len(key) == 64 for key in keys)


def test_of_a_batch_only_what_is_new_is_asked(asked, model):
    asked.score(["a", "b"], [["x"], ["y", "zz"]])
    first, same, new = asked.score(["b", "b", "c"], [["y", "zz"], ["y", "zz"], ["x"]])
    assert model.asked == [("a", "b"), ("c",)]
    assert first.token_logprobs == same.token_logprobs == ((-0.5, -1 / 3), (-0.5, -2 / 3))
    assert first.usage.cached and not new.usage.cached and first.words == (1, 1)
    assert asked.budget.spent.calls == 3 and asked.budget.spent.tokens == 15


def test_who_asks_the_same_twice_in_a_batch_pays_once(model):
    first, same = guarded(model, None, Budget()).score(["b", "b"], [["y"], ["y"]])
    assert model.asked == [("b",)] and first.token_logprobs == same.token_logprobs
    assert (first.usage.cached, same.usage.cached) == (False, True)
    assert (first.usage.cost, same.usage.cost) == (0.1, 0.0)


def test_vectors_come_back_to_the_bit(asked, model):
    fresh = asked.embed_texts(["a", "bb", "a"])
    assert model.asked == [("a", "bb")]
    kept = asked.embed_texts(["bb", "ccc", "a"])
    assert model.asked == [("a", "bb"), ("ccc",)] and kept.dtype == np.float32
    assert (kept[[2, 0]] == fresh[:2]).all() and kept.shape == (3, 3)
    assert asked.embed_texts([]).shape == (0,)


def test_pictures_and_clips_are_known_by_their_pixels(asked, model):
    asked.embed_images([RED, BLUE])
    kept = asked.embed_images([BLUE, RED.copy(), np.asfortranarray(RED)])
    asked.embed_clips([[RED, BLUE], [RED]])
    asked.embed_clips([[RED], [RED, BLUE]])
    # The same bytes in another shape are another picture.
    assert kept[0].tolist() == [7, 3, 2, 3] and kept[1].tolist() == [7, 2, 3, 3]
    assert model.asked == [2, 2]


def test_pictures_reach_a_model_that_scores_and_are_part_of_the_question(
    model_of, pictures, tmp_path
):
    model = model_of("sees")
    asked = Asked(model, cache=DiskCache(tmp_path))
    prompts, tails = ["what is it", "and now"], [["a", "b"], ["c"]]
    want = model.score(prompts, tails, images=[pictures[:1], []])
    first = asked.score(prompts, tails, images=[pictures[:1], []])
    again = asked.score(prompts, tails, images=[[p.copy() for p in pictures[:1]], []])
    other, known = asked.score(prompts, tails, images=[pictures[1:], []])
    for scores, usages in ((first, {False}), (again, {True})):
        assert [s.token_logprobs for s in scores] == [s.token_logprobs for s in want]
        assert {s.usage.cached for s in scores} == usages
    assert other.token_logprobs != first[0].token_logprobs and not other.usage.cached
    assert known.usage.cached  # a prompt without pictures is the same question as ever
    assert asked.score(prompts[1:], tails[1:])[0].usage.cached
    with pytest.raises(ConfigError, match="reads text only") as caught:
        guarded(model_of("causal"), tmp_path).score(["x"], [["y"]], images=[pictures])
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


def test_pictures_of_a_scored_prompt_are_reserved_for(model_of, pictures):
    asked = guarded(model_of("sees"), None, Budget(tokens=3000))
    with pytest.raises(Terminal, match="at most 3000 tokens"):
        asked.score(["x"], [["y"]], images=[pictures[:1]])
    assert asked.score(["x"], [["y"]])


def test_a_failure_is_not_kept(tmp_path):
    class Failing(Model):
        def generate(self, prompt, **more):
            self.asked.append(prompt)
            raise Retryable("cut off")

    model = Failing()
    for _ in range(2):
        with pytest.raises(Retryable):
            Asked(model, cache=DiskCache(tmp_path)).generate("x")
    assert len(model.asked) == 2


# --- the budget -----------------------------------------------------------------------------------


def test_a_spent_budget_is_terminal_before_the_question(model, tmp_path):
    asked = guarded(model, tmp_path, Budget(calls=2))
    asked.generate("a")
    asked.embed_texts(["b", "c"])
    with pytest.raises(Terminal, match="at most 2 calls") as caught:
        asked.generate("d")
    assert caught.value.code == ErrorCode.BUDGET_SPENT and len(model.asked) == 2
    assert asked.generate("a")[0].usage.cached  # what is known stays free
    with pytest.raises(Terminal):
        asked.score(["e"], [["f"]])


def test_tokens_are_reserved_for_the_longest_answer(model):
    asked = guarded(model, None, Budget(tokens=500))
    with pytest.raises(Terminal, match="at most 500 tokens"):
        asked.generate("x", max_tokens=400)
    asked.generate("x", max_tokens=100)
    assert asked.budget.spent.tokens == 5


def test_a_budget_in_dollars_wants_prices(model):
    model.prices = None
    with pytest.raises(ConfigError, match="expected prices"):
        guarded(model, None, Budget(usd=1))
    guarded(model, None, Budget(calls=1))
    model.prices = Prices(input_usd=0.0, output_usd=1e6)
    asked = guarded(model, None, Budget(usd=10))
    with pytest.raises(Terminal, match="at most 10 usd"):
        asked.generate("x", max_tokens=11)


# --- what shows through ---------------------------------------------------------------------------


def test_it_offers_what_its_model_offers(model):
    scripted = guarded(ScriptedLM({"": "yes"}), None, Budget())
    assert capabilities(scripted) == ("Generates", "Scores")
    require(scripted, "Scores", by="a test")
    with pytest.raises(ConfigError, match="Embeds"):
        require(scripted, "Embeds", by="a test")
    asked = guarded(model, None, Budget())
    assert (
        asked.short_prompts is False and asked.model_id == "model@1" and asked.asked is model.asked
    )
    with pytest.raises(AttributeError):
        _ = asked.forward
    assert scripted.generate("x")[0].text == "yes"


def test_without_cache_and_budget_there_is_no_wrapper(model):
    assert guarded(model) is model


@pytest.mark.parametrize("name", ["trainable", "add_adapter", "load_adapter", "adapter"])
def test_looking_at_a_capability_changes_nothing_but_using_it_ends_the_cache(model, tmp_path, name):
    setattr(model, name, lambda argument: [argument])
    asked = guarded(model, tmp_path)
    assert hasattr(asked, name) and not hasattr(asked, "forward")
    asked.generate("x")
    asked.generate("x")
    assert len(model.asked) == 1
    assert getattr(asked, name)("lora") == ["lora"]
    asked.generate("x")
    assert len(model.asked) == 2 and asked.cache is None
