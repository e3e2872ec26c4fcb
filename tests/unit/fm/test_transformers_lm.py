"""The common loader with models that are not ours."""

import shutil

import pytest
import tiny_models

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.methods.psl import PSL

GRAMMAR = 'root ::= "yes" | "no" | "put(" [a-c]{1,3} ")"'


def test_a_model_with_absolute_positions_and_no_mark_at_the_beginning(tmp_path):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from fmrl_robot.train.recipes.lm_embedded.tokenizer import train_tokenizer

    words = train_tokenizer(["put the cube in the bowl"] * 4, 300)
    words.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(words) + 5, n_positions=128, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=1, eos_token_id=2, initializer_range=tiny_models.WILD,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    model = load_language_model(f"transformers:{tmp_path}")
    answers = model.generate("say", grammar=GRAMMAR, temperature=2.0, n=8, max_tokens=40)
    assert all(accepts(GRAMMAR, a.text) for a in answers) and answers[0].usage.prompt_tokens > 0
    prompts, tails = ["put the", "put the cube in"], [[" cube", " cube in the bowl"], ["x"]]
    together = model.score(prompts, tails)
    assert together[0].sums[1] < together[0].sums[0] < 0
    for prompt, several, score in zip(prompts, tails, together, strict=True):
        alone = [model.score([prompt], [[t]])[0].sums[0] for t in several]
        assert score.sums == pytest.approx(alone, abs=1e-4)
    model.add_adapter("fused", None)
    assert any("c_attn.lora_A" in n for n, _ in model.module.named_parameters())


def test_a_model_that_is_trained_on_in_its_folder_has_another_id(folder_of, tmp_path):
    folder = shutil.copytree(folder_of("causal"), tmp_path / "mine")
    model = load_language_model(f"transformers:{folder}")
    assert model.model_id == load_language_model(f"transformers:{folder}").model_id
    model.module.get_input_embeddings().weight.data[0, 0] += 1.0
    model.module.save_pretrained(folder)
    other = load_language_model(f"transformers:{folder}").model_id
    assert other.startswith("transformers:mine@") and other != model.model_id


def test_device_and_precision_are_options(folder_of):
    import torch

    folder = folder_of("causal")
    half = load_language_model(f"transformers:{folder}", dtype="bfloat16", device="cpu")
    assert {p.dtype for p in half.module.parameters()} == {torch.bfloat16}
    whole = load_language_model(f"transformers:{folder}")
    assert {p.dtype for p in whole.module.parameters()} == {torch.float32}
    rough, fine = (m.score(["put it"], [["bowl"]])[0].sums[0] for m in (half, whole))
    assert rough != fine and rough == pytest.approx(fine, rel=0.05)
    with pytest.raises(ConfigError, match="'toaster'"):
        load_language_model(f"transformers:{folder}", device="toaster")


def test_a_cache_of_fixed_size_changes_no_answer(folder_of):
    """What is compiled on a GPU runs as it is on a processor."""
    grammar = "root ::= [a-z]{8}"
    plain, fixed = (
        load_language_model(f"transformers:{folder_of('causal')}", compiled=c).generate(
            "go", grammar=grammar, max_tokens=20
        )[0].text
        for c in (False, True)
    )  # fmt: skip
    assert plain == fixed


def test_a_folder_with_eyes_but_no_processor_reads_text(folder_of, tmp_path):
    import shutil

    folder = shutil.copytree(folder_of("sees"), tmp_path / "blind")
    (folder / "processor_config.json").unlink()
    model = load_language_model(f"transformers:{folder}")
    assert not model.sees_images
    assert model.generate("go", grammar='root ::= "a"')[0].text == "a"


def test_nothing_learns_unasked(model_of):
    assert not any(p.requires_grad for p in model_of("causal").module.parameters())
    assert not model_of("causal").module.training


def test_an_empty_folder_is_said_to_hold_no_model(tmp_path):
    for name in (tmp_path, ""):
        with pytest.raises(ConfigError) as caught:
            load_language_model(f"transformers:{name}")
        assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE


def test_a_large_models_prompt_quotes_scene_and_instruction_and_shows_examples(model_of):
    from fmrl_robot.evaluations.language_judge import make_scene
    from fmrl_robot.planning import Feedback
    from fmrl_robot.types import Success

    said = (Feedback(channel="outcome", text="step 1: no", mark=Success.NO),)
    prompt = PSL(model_of("causal")).asker.prompt("tidy up", make_scene(), said)
    assert 'Instruction: "tidy up"' in prompt and "- closed(drawer)" in prompt
    assert "step 1: no" in prompt and prompt.endswith("Answer:")
