"""Adapters: without effect at first, learnt alone, switched off without a trace, kept in files."""

import json

import pytest
import torch

from fmrl_robot.errors import ConfigError
from fmrl_robot.fm import LoraSettings

KINDS = ("causal", "encoder_decoder", "sees")
ROW = ("put the red cube", " in the bowl")
GRAMMAR = "root ::= [a-z]{6}"


def row(model):
    return [(model.encode_prompt(ROW[0]), model.encode(ROW[1]))]


def logits(model):
    with torch.no_grad():
        return model.forward(row(model)).logits


def loss_of(model):
    return -model.forward(row(model)).token_logprobs.sum()


def learn(model, weights, steps=5, rate=0.05):
    optimizer = torch.optim.Adam(weights, lr=rate)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_starts_without_effect_learns_alone_and_goes_without_a_trace(kind, fresh):
    model = fresh(kind)
    before = logits(model)
    base = {n: p.clone() for n, p in model.module.named_parameters()}
    model.add_adapter("actor")
    assert torch.equal(logits(model), before)
    weights = model.trainable("lora")
    free = [n for n, p in model.module.named_parameters() if p.requires_grad]
    assert free and all("lora_" in n for n in free) and len(free) == len(weights)
    losses = learn(model, weights)
    assert losses[-1] < losses[0] - 0.1
    assert not torch.allclose(logits(model), before, atol=1e-2)
    with model.adapter(None):
        assert torch.equal(logits(model), before)
    for name, tensor in base.items():
        now = dict(model.module.named_parameters())
        assert torch.equal(
            now.get(name, now.get(name.replace(".weight", ".base_layer.weight"))), tensor
        )


def test_by_default_queries_and_values_are_adapted_and_no_eyes(fresh):
    def adapted(model):
        return {n.split(".lora_")[0] for n, _ in model.module.named_parameters() if ".lora_" in n}

    model = fresh("sees")
    model.add_adapter("a", LoraSettings(rank=3))
    names = adapted(model)
    assert {n.rpartition(".")[2] for n in names} == {"q_proj", "v_proj"}
    assert not any("vision" in n for n in names) and len(names) == 4
    ranks = {p.shape[0] for n, p in model.module.named_parameters() if ".lora_A" in n}
    assert ranks == {3}
    model = fresh("causal")
    model.add_adapter("a", LoraSettings(targets=("down_proj",)))
    assert {n.rpartition(".")[2] for n in adapted(model)} == {"down_proj"}
    with pytest.raises(ConfigError, match=r"gate_proj.*name targets"):
        model.add_adapter("b", LoraSettings(targets=("wings",)))


def test_of_the_embedded_planner_the_frozen_encoder_stays_frozen():
    from fmrl_robot.fm import load_language_model

    model = load_language_model("embedded")
    model.add_adapter("a")
    names = [n for n, p in model.module.named_parameters() if ".lora_" in n]
    assert names and not any(n.startswith("encoder.") for n in names)
    model.trainable("full")
    free = [n for n, p in model.module.named_parameters() if p.requires_grad]
    assert free and not any(n.startswith("encoder.") or "lora_" in n for n in free)


def test_blocks_nest_and_survive_exceptions(fresh):
    model = fresh("causal")
    plain = logits(model)
    model.add_adapter("one")
    learn(model, model.trainable("lora"))
    one = logits(model)
    model.add_adapter("two")
    learn(model, model.trainable("lora"), rate=0.2)
    two = logits(model)
    assert not torch.allclose(one, two, atol=1e-2)
    flags = [p.requires_grad for p in model.module.parameters()]
    with model.adapter("one"):
        assert torch.equal(logits(model), one)
        with model.adapter(None):
            assert torch.equal(logits(model), plain)
            with model.adapter("two"):
                assert torch.equal(logits(model), two)
            assert torch.equal(logits(model), plain)
        assert torch.equal(logits(model), one)
        with pytest.raises(ZeroDivisionError), model.adapter(None):
            1 / 0  # noqa: B018
        assert torch.equal(logits(model), one)
    assert torch.equal(logits(model), two)
    assert [p.requires_grad for p in model.module.parameters()] == flags
    with pytest.raises(ConfigError, match=r"one, two.*'three'"), model.adapter("three"):
        pass


def test_only_the_adapter_that_answers_learns(fresh):
    model = fresh("causal")
    model.add_adapter("one")
    model.add_adapter("two")
    with model.adapter("one"):
        weights = model.trainable("lora")
    assert {n.split(".")[-2] for n, p in model.module.named_parameters() if p.requires_grad} == {
        "one"
    }
    with model.adapter(None):
        loss_of(model)
    assert all(p.requires_grad for p in weights)


def test_all_weights_learn_with_the_untouched_model_at_hand(fresh):
    model = fresh("causal")
    before = logits(model)
    weights = model.trainable("full")
    assert sum(p.numel() for p in weights) == sum(p.numel() for p in model.module.parameters())
    losses = learn(model, weights, rate=0.01)
    assert losses[-1] < losses[0] - 0.1
    after = logits(model)
    assert not torch.allclose(after, before, atol=1e-2)
    with model.adapter(None):
        assert torch.equal(logits(model), before)
        assert not model.forward(row(model)).logits.requires_grad
    assert torch.equal(logits(model), after)


def test_the_reference_policy_is_a_score_without_the_adapter(fresh):
    model = fresh("causal")
    plain = model.score([ROW[0]], [[ROW[1]]])[0].sums[0]
    model.add_adapter("actor")
    learn(model, model.trainable("lora"))
    learnt = model.score([ROW[0]], [[ROW[1]]])[0].sums[0]
    with model.adapter(None):
        reference = model.score([ROW[0]], [[ROW[1]]])[0].sums[0]
    assert reference == pytest.approx(plain, abs=1e-6) and learnt > reference + 0.1


def test_a_critic_on_the_adapter_off_body_moves_neither(fresh):
    """TWOSOME: the actor's adapter off, the last real token of the prompt, no gradient into it."""
    model = fresh("causal")
    model.add_adapter("actor")
    weights = model.trainable("lora")
    prompts = [(model.encode_prompt(p), ()) for p in ("a long prompt with words", "short")]
    head = torch.nn.Linear(32, 1)
    with torch.no_grad(), model.adapter(None):
        states = model.forward(prompts).hidden[:, 0]
    head(states).sum().backward()
    assert head.weight.grad.abs().sum() > 0 and all(w.grad is None for w in weights)
    learn(model, weights)
    with torch.no_grad(), model.adapter(None):
        again = torch.cat([model.forward([p]).hidden[:, 0] for p in prompts])
    torch.testing.assert_close(states, again, atol=1e-4, rtol=1e-4)


def test_generation_answers_with_the_adapter_and_keeps_no_old_answers(fresh):
    model = fresh("causal")

    def says():
        (told,) = model.generate("go", grammar=GRAMMAR, logprobs=True)
        return told

    plain = says()
    assert says().usage.cached
    model.add_adapter("a")
    assert says().text == plain.text
    weights = model.trainable("lora")
    optimizer = torch.optim.Adam(weights, lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        wanted = (model.encode_prompt("go"), [*model.encode("zzzzzz"), model.end_ids[0]])
        (-model.forward([wanted]).token_logprobs.sum()).backward()
        optimizer.step()
    assert says().text == "zzzzzz" and not says().usage.cached
    with model.adapter(None):
        assert says().token_logprobs == pytest.approx(plain.token_logprobs, abs=1e-5)


def test_an_adapter_is_kept_in_a_folder_that_peft_reads_too(fresh, folder_of, tmp_path):
    import peft
    from transformers import AutoModelForCausalLM

    model = fresh("causal")
    model.add_adapter("actor", LoraSettings(rank=4, alpha=8.0))
    learn(model, model.trainable("lora"))
    model.save_adapter("actor", tmp_path / "kept")
    assert sorted(f.name for f in (tmp_path / "kept").iterdir() if f.suffix != ".md") == [
        "adapter_config.json", "adapter_model.safetensors",
    ]  # fmt: skip
    other = fresh("causal")
    before = logits(other)
    other.load_adapter("again", tmp_path / "kept")
    torch.testing.assert_close(logits(other), logits(model))
    with other.adapter(None):
        assert torch.equal(logits(other), before)
    library = AutoModelForCausalLM.from_pretrained(folder_of("causal"))
    library = peft.PeftModel.from_pretrained(library, str(tmp_path / "kept")).eval()
    ids = torch.tensor([[*row(model)[0][0], *row(model)[0][1]]])
    with torch.no_grad():
        theirs = library(ids).logits[:, len(row(model)[0][0]) - 1 : -1]
    torch.testing.assert_close(theirs, logits(model), atol=1e-5, rtol=1e-5)


def test_what_does_not_fit_is_said(fresh, tmp_path):
    model = fresh("causal")
    with pytest.raises(ConfigError, match="add_adapter first"):
        model.trainable("lora")
    with pytest.raises(ConfigError, match="lora or full"):
        model.trainable("all")
    with pytest.raises(ConfigError, match=r"adapter_config\.json"):
        model.load_adapter("a", tmp_path)
    model.add_adapter("a")
    with pytest.raises(ConfigError, match="new name"):
        model.add_adapter("a")
    with pytest.raises(ConfigError, match="'b'"):
        model.save_adapter("b", tmp_path)
    model.save_adapter("a", tmp_path / "kept")
    config = json.loads((tmp_path / "kept/adapter_config.json").read_text())
    assert "q_proj" in str(config["target_modules"])
    with pytest.raises(ConfigError, match=r"q_proj.*which the model has not"):
        fresh("encoder_decoder").load_adapter("a", tmp_path / "kept")


def test_half_an_adapter_leaves_the_model_as_it_was(fresh, tmp_path):
    from safetensors.torch import load_file, save_file

    model = fresh("causal")
    model.add_adapter("a")
    model.save_adapter("a", tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    whole = load_file(file)
    other = fresh("causal")
    before = logits(other)
    wrong_size = {k: v[:, :3].contiguous() for k, v in whole.items()}
    for damaged in (dict(list(whole.items())[1:]), wrong_size):
        save_file(damaged, file)
        with pytest.raises(ConfigError, match="all weights of an adapter"):
            other.load_adapter("b", tmp_path)
        assert torch.equal(logits(other), before)
    save_file(whole, file)
    other.load_adapter("b", tmp_path)


def test_dropout_acts_in_training_mode_alone(fresh):
    model = fresh("causal")
    model.add_adapter("a", LoraSettings(dropout=0.5))
    learn(model, model.trainable("lora"))
    assert torch.equal(logits(model), logits(model))
    with model.training_mode():
        assert not torch.equal(logits(model), logits(model))
    assert torch.equal(logits(model), logits(model))
