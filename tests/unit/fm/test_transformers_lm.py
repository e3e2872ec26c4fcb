"""The common loader with a model that is not ours: a tiny causal one, made on the spot."""

import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.methods.psl import PSL

GRAMMAR = 'root ::= "yes" | "no" | "put(" [a-c]{1,3} ")"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from fmrl_robot.train.recipes.lm_embedded.tokenizer import train_tokenizer

    path = tmp_path_factory.mktemp("tiny")
    tokenizer = train_tokenizer(["put the cube in the bowl"] * 4, 300)
    tokenizer.save_pretrained(path)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer) + 5, n_positions=128, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def model(folder):
    return load_language_model(f"transformers:{folder}")


@pytest.mark.parametrize("seed", range(8))
def test_a_causal_model_never_leaves_the_grammar(model, seed):
    text, usage = model.generate("say", grammar=GRAMMAR, temperature=2.0, seed=seed, max_tokens=40)
    assert accepts(GRAMMAR, text), text
    assert usage.prompt_tokens > 0 and not usage.cached


def test_scores_are_log_probabilities_of_the_continuation_alone(model):
    scores, _ = model.score("put the", [" cube", " cube in the bowl"])
    assert scores[1] < scores[0] < 0


def test_a_prompt_beyond_the_context_is_refused_with_its_code(model):
    with pytest.raises(Terminal, match="128 tokens") as caught:
        model.generate("q" * 300, max_tokens=10)
    assert caught.value.code == ErrorCode.INSTRUCTION_TOO_LONG


def test_an_answer_that_does_not_end_is_retryable(model):
    with pytest.raises(Retryable, match="did not end"):
        model.generate("say", grammar='root ::= "a" | "a" root', max_tokens=5, temperature=0.01)


def test_an_empty_folder_is_said_to_hold_no_model(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_language_model(f"transformers:{tmp_path}")
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE


def test_a_large_models_prompt_quotes_scene_and_instruction_and_shows_examples(model):
    from plan_accuracy import make_scene

    prompt = PSL(model)._asker.prompt("tidy up", make_scene(), "step 1: no")
    assert 'Instruction: "tidy up"' in prompt and "- closed(drawer)" in prompt
    assert "step 1: no" in prompt and prompt.endswith("Answer:")
