"""How a recipe of a language model begins and learns."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest
import tiny_models
import torch

from fmrl_robot.train import language
from fmrl_robot.train.language import Schedule
from fmrl_robot.train.recipes.lm_loop import train_together
from fmrl_robot.train.team import Helpers


@dataclass(frozen=True)
class Config:
    out: Path
    start_from: Path | None = None
    processes: int = 1


def test_a_tokenizer_is_learned_once_and_kept_by_whoever_goes_on(tmp_path):
    from transformers import AutoTokenizer

    built = []

    def build(cfg):
        built.append(cfg)
        return tiny_models.tokenizer(vocab_size=300 + len(built))

    def work(cfg, team):
        words = AutoTokenizer.from_pretrained(cfg.out)  # there before anybody learns
        return {"words": float(len(words)), "team": float(team.size)}

    first = Config(tmp_path / "first")
    second = Config(tmp_path / "second", start_from=first.out)
    figures = train_together(first, work, build)
    assert figures == train_together(second, work, build) and figures["team"] == 1
    assert built == [first]


@pytest.mark.parametrize("native", [True, False], ids=["with Muon", "AdamW alone"])
def test_every_weight_moves_in_either_precision(monkeypatch, native):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Embedding(7, 8),
        torch.nn.Linear(8, 8),
        torch.nn.LayerNorm(8),
        torch.nn.Linear(8, 7),
    )
    before = [weights.detach().clone() for weights in model.parameters()]
    ids = torch.arange(7)

    def losses(batch):
        loss = torch.nn.functional.cross_entropy(model(batch[0]), ids)
        return loss, loss

    schedule = Schedule(minutes=0.02, warmup_steps=1, learning_rate=0.01, processes=1)
    helpers = Helpers(1, print, None)
    figures = language.learn(
        model, itertools.repeat([ids]), losses, schedule, helpers.team(), lambda: None
    )
    helpers.close()
    assert figures["loss"] < 1.0
    for old, new in zip(before, model.parameters(), strict=True):
        assert not torch.equal(old, new)
