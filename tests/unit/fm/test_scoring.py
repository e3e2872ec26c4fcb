"""Laws of scores, against the plain library with one row and one token at a time."""

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmrl_robot.errors import ConfigError, ErrorCode, Terminal
from fmrl_robot.fm.transformers_lm import batches, scoring
from fmrl_robot.fm.transformers_lm.prefix_tree import reads_trees

KINDS = ("causal", "sentencepiece", "sliding", "recurrent", "encoder_decoder", "sees")
TOLERANCE = 1e-4
laws = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

words = st.sampled_from(
    ["put", " the", " cube", "bowl", " trot", "é", "猫", "7", "  ", "\n", "x(y)"]
)
texts = st.lists(words, max_size=5).map("".join)
tails = st.lists(texts, min_size=1, max_size=4)
asked = st.lists(st.tuples(texts, tails), min_size=1, max_size=3)


@cache
def library(folder):
    """Model, tokenizer and processor as the library alone loads them."""
    from transformers import (
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoModelForSeq2SeqLM,
        AutoProcessor,
        AutoTokenizer,
    )

    config = AutoConfig.from_pretrained(folder)
    sees = hasattr(config, "vision_config")
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = (AutoModelForImageTextToText if sees else kind).from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder) if sees else None
    return model, AutoTokenizer.from_pretrained(folder), processor


def chain_rule(folder, prompt, continuation):
    """Log-probabilities by asking the library for one token after the other, without padding."""
    model, tokenizer, _ = library(folder)
    read = tuple(tokenizer(prompt).input_ids or [tokenizer.bos_token_id])
    written = (0,) if model.config.is_encoder_decoder else ()
    found = []
    for token in tokenizer(continuation, add_special_tokens=False).input_ids:
        found.append(float(next_logprobs(folder, read, written)[token]))
        written = (*written, token)
    return found


@cache
def next_logprobs(folder, read, written):
    """Of the token that follows; kept, because many continuations begin alike."""
    import torch

    model, _, _ = library(folder)
    if model.config.is_encoder_decoder:
        inputs = {
            "input_ids": torch.tensor([read]),
            "decoder_input_ids": torch.tensor([written]),
        }
    else:
        inputs = {"input_ids": torch.tensor([read + written])}
    with torch.no_grad():
        return model(**inputs).logits[0, -1].log_softmax(-1)


@pytest.mark.parametrize("kind", KINDS)
@laws
@given(asked)
def test_a_score_is_the_chain_rule_whatever_else_is_in_the_batch(kind, folder_of, model_of, asked):
    prompts, continuations = zip(*asked, strict=True)
    scores = model_of(kind).score(prompts, continuations)
    for prompt, several, got in zip(prompts, continuations, scores, strict=True):
        want = [chain_rule(folder_of(kind), prompt, c) for c in several]
        assert [len(w) for w in want] == [len(t) for t in got.token_logprobs]
        np.testing.assert_allclose(got.sums, [sum(w) for w in want], atol=TOLERANCE)
        for mine, plain in zip(got.token_logprobs, want, strict=True):
            np.testing.assert_allclose(mine, plain, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
@laws
@given(asked, st.randoms(use_true_random=False))
def test_order_and_company_change_no_figure(kind, model_of, asked, random):
    model = model_of(kind)
    together = {
        (p, c): tokens
        for (p, several), score in zip(asked, model.score(*zip(*asked, strict=True)), strict=True)
        for c, tokens in zip(several, score.token_logprobs, strict=True)
    }
    shuffled = random.sample(asked, len(asked))
    again = model.score(*zip(*[(p, list(reversed(s))) for p, s in shuffled], strict=True))
    for (prompt, several), score in zip(shuffled, again, strict=True):
        for c, tokens in zip(reversed(several), score.token_logprobs, strict=True):
            alone = model.score([prompt], [[c]])[0].token_logprobs[0]
            np.testing.assert_allclose(tokens, together[prompt, c], atol=TOLERANCE)
            np.testing.assert_allclose(tokens, alone, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_small_passes_give_the_figures_of_large_ones(kind, model_of, monkeypatch):
    prompts = ["put the cube in the bowl", "trot", "", "stand still, please"]
    tails = [["x", " in the bowl", "abc"], ["forward"], ["a", "bb", "ccc"], ["7"]]
    model_of(kind).score(prompts, tails)  # whether it reads trees is tried once
    calls = []
    module = model_of(kind).module
    hook = module.register_forward_hook(lambda *_: calls.append(1))
    try:
        whole = model_of(kind).score(prompts, tails)
        at_once = len(calls)
        monkeypatch.setattr(batches, "MAX_TOKENS", 1)
        parts = model_of(kind).score(prompts, tails)
    finally:
        hook.remove()
    assert len(calls) - at_once >= max(len(prompts), at_once + 1)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a.sums, b.sums, atol=TOLERANCE)


def plain_with_pictures(folder, prompt, images, continuation):
    """One unpadded row through the library, pictures as its processor makes them."""
    import torch
    from PIL import Image

    model, tokenizer, processor = library(folder)
    parts = [{"type": "image", "image": Image.fromarray(i)} for i in images]
    chat = [{"role": "user", "content": [*parts, {"type": "text", "text": prompt}]}]
    if processor.chat_template:
        read = processor.apply_chat_template(
            chat, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
        )
    else:
        read = processor(
            text=["<image>" * len(images) + prompt],
            images=[p["image"] for p in parts] or None,
            return_tensors="pt",
        )
    tail = tokenizer(continuation, add_special_tokens=False).input_ids
    read = dict(read)
    length = read["input_ids"].shape[1]
    read["input_ids"] = torch.cat([read["input_ids"], torch.tensor([tail])], dim=1)
    read["attention_mask"] = torch.ones_like(read["input_ids"])
    if "mm_token_type_ids" in read:
        read["mm_token_type_ids"] = torch.nn.functional.pad(
            read["mm_token_type_ids"], (0, len(tail))
        )
    with torch.no_grad():
        logits = model(**read).logits[0, length - 1 : -1]
    return logits.log_softmax(-1)[range(len(tail)), tail].numpy()


@pytest.mark.parametrize("kind", ["sees", "sees_chat", "sees_in_3d"])
@pytest.mark.parametrize("several", [True, False])
def test_scores_about_pictures_are_those_of_the_plain_library(
    kind, several, folder_of, model_of, pictures
):
    prompts = ["which is it", "and now", "without any"]
    tails = [["a cube", "bowl", "x"], ["the red one", "y"], ["nothing", "all of it"]]
    tails = tails if several else [t[:1] for t in tails]
    images = [pictures[:1], pictures, []]
    scores = model_of(kind).score(prompts, tails, images=images)
    for prompt, seen, continuations, score in zip(prompts, images, tails, scores, strict=True):
        for c, tokens in zip(continuations, score.token_logprobs, strict=True):
            want = plain_with_pictures(folder_of(kind), prompt, seen, c)
            np.testing.assert_allclose(tokens, want, atol=TOLERANCE)
    without = model_of(kind).score(prompts, tails)
    assert abs(without[0].sums[0] - scores[0].sums[0]) > 0.01, "the picture has to matter"


def test_a_chat_model_is_scored_as_it_is_asked(folder_of, model_of):
    import torch

    model, tokenizer, _ = library(folder_of("chat"))
    chat = [{"role": "user", "content": "put it"}]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]
    tail = tokenizer(" bowl", add_special_tokens=False).input_ids
    with torch.no_grad():
        logits = model(torch.tensor([ids + tail])).logits[0, len(ids) - 1 : -1]
    want = logits.log_softmax(-1)[range(len(tail)), tail]
    (score,) = model_of("chat").score(["put it"], [[" bowl"]])
    np.testing.assert_allclose(score.token_logprobs[0], want, atol=TOLERANCE)


def test_words_tokens_and_cost_are_counted(model_of):
    (score,) = model_of("causal").score(["put it"], [["in the bowl", "", "x"]], role="affordance")
    assert score.words == (3, 0, 1)
    assert score.token_logprobs[1] == () and score.sums[1] == 0 == score.word_means[1]
    assert score.usage.role == "affordance" and score.usage.seed == 0
    assert score.usage.completion_tokens == sum(map(len, score.token_logprobs))
    assert score.usage.prompt_tokens == len(model_of("causal").encode_prompt("put it"))
    assert model_of("causal").score([], []) == []


@pytest.mark.parametrize("in_trees", [True, False])
def test_the_prompt_is_read_once_for_all_its_continuations(in_trees, model_of, monkeypatch):
    model = model_of("causal")
    assert reads_trees(model._loaded)
    if not in_trees:
        monkeypatch.setattr(scoring, "TREE_TOKENS", 0)
    seen = []
    hook = model.module.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(tuple(kwargs["input_ids"].shape)),
        with_kwargs=True,
    )
    try:
        model.score(["a long prompt about the red cube"], [["bounds"] * 10])
    finally:
        hook.remove()
    prompt, bowl = (
        len(model.encode_prompt("a long prompt about the red cube")),
        len(model.encode("bounds")),
    )
    # Ten times the same is one way through the tree.
    assert seen == ([(1, prompt + bowl - 1)] if in_trees else [(1, prompt), (10, bowl - 1)])


def test_the_encoder_reads_each_prompt_once(model_of):
    model = model_of("encoder_decoder")
    rows = []
    hook = model.module.get_encoder().register_forward_hook(
        lambda module, args, output: rows.append(len(output.last_hidden_state))
    )
    try:
        model.score(["put it", "trot"], [["a", "b", "c"], ["d", "e"]])
    finally:
        hook.remove()
    assert sum(rows) == 2


def test_what_the_model_cannot_read_is_refused_with_its_code(model_of):
    with pytest.raises(Terminal, match="512 tokens") as caught:
        model_of("causal").score(["q" * 450], [["x", "y" * 100]])
    assert caught.value.code == ErrorCode.INSTRUCTION_TOO_LONG


def test_pictures_for_a_model_that_reads_text_are_refused(model_of, pictures):
    with pytest.raises(ConfigError, match="reads text only") as caught:
        model_of("causal").score(["x"], [["y"]], images=[pictures])
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING
