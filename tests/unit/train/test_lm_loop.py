"""How a recipe of a language model begins."""

from dataclasses import dataclass
from pathlib import Path

import tiny_models

from fmrl_robot.train.recipes.lm_loop import train_together


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
