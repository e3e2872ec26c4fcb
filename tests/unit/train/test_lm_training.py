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
