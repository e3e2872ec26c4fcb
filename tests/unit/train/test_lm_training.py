from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm.transformers_lm import load_language_model
from fmrl_robot.train.recipes.lm_embedded.train import TrainConfig, train


def test_a_short_training_leaves_a_folder_that_the_common_loader_reads(tmp_path):
    cfg = TrainConfig(
        out=tmp_path / "lm", minutes=0.02, width=32, layers=1, heads=2, vocab_size=400,
        tokenizer_examples=300, batch_size=4,
    )  # fmt: skip
    figures = train(cfg)
    assert figures["examples"] > 0
    weights = (tmp_path / "lm" / "model.safetensors").stat().st_size
    assert weights < 1_000_000, "the frozen encoder must not be saved"
    model = load_language_model(str(tmp_path / "lm"))
    # So little training ends no long answer: the grammar offers two short ones.
    grammar = 'root ::= "trot(0.5)" | "stand(0)"'
    (answer,) = model.generate("quadruped: trot =>", grammar=grammar, max_tokens=40)
    usage = answer.usage
    assert answer.text in ("trot(0.5)", "stand(0)")
    assert usage.completion_tokens > 0 and usage.model.startswith("lm@")
    (scores,) = model.score(["quadruped: trot =>"], [["trot(0.5)", "stand(0)"]])
    assert scores.sums.shape == (2,) and (scores.sums < 0).all()

    # What is kept of it when training goes on: all, or with 0 nothing.
    more = replace(cfg, start_from=tmp_path / "lm", out=tmp_path / "more", processes=1)
    first = load_file(tmp_path / "lm" / "model.safetensors")
    for kept, same in ((1.0, True), (0.0, False)):
        train(replace(more, kept=kept))
        again = load_file(tmp_path / "more" / "model.safetensors")
        assert all(torch.equal(first[name], again[name]) for name in first) == same
    with pytest.raises(ConfigError, match="start_from"):
        train(replace(cfg, kept=0.5))
