"""What a model shows of its inside means the same however the rows are padded."""

import numpy as np
import pytest
import torch

from fmrl_robot.errors import ConfigError, ErrorCode, Terminal

KINDS = ("causal", "sliding", "recurrent", "encoder_decoder", "sees", "embedded")
PROMPTS = ("put the red cube in the bowl", "trot", "stand still")
TAILS = ("a", "the green one", "")
PADDING = 1e-4


@pytest.fixture(scope="module")
def any_model(model_of, embedded):
    return lambda kind: embedded if kind == "embedded" else model_of(kind)


def rows_of(model):
    return [(model.encode_prompt(p), model.encode(t)) for p, t in zip(PROMPTS, TAILS, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_padding(kind, any_model):
    model = any_model(kind)
    rows = rows_of(model)
    shown = model.forward(rows)
    longest = max(len(c) for _, c in rows)
    assert shown.ids.shape == shown.mask.shape == (3, longest)
    assert shown.logits.shape[:2] == (3, longest) and shown.hidden.shape[:2] == (3, longest + 1)
    assert shown.mask.sum(1).tolist() == [len(c) for _, c in rows]
    assert not shown.token_logprobs[~shown.mask].any()
    for i, row in enumerate(rows):
        alone = model.forward([row])
        n = len(row[1])
        torch.testing.assert_close(
            shown.hidden[i, : n + 1], alone.hidden[0], atol=PADDING, rtol=PADDING
        )
        torch.testing.assert_close(shown.logits[i, :n], alone.logits[0], atol=PADDING, rtol=PADDING)


@pytest.mark.parametrize("kind", KINDS)
def test_its_log_probabilities_are_those_of_score(kind, any_model):
    model = any_model(kind)
    shown = model.forward(rows_of(model))
    scores = model.score(PROMPTS, [[t] for t in TAILS])
    sums = [float(s.sums[0]) for s in scores]
    np.testing.assert_allclose(shown.token_logprobs.sum(1).detach(), sums, atol=1e-4)


def test_hidden_states_stand_at_the_last_real_token(model_of):
    """The critic of TWOSOME reads position -1, where a shorter prompt shows padding."""
    model = model_of("causal")
    rows = rows_of(model)
    shown = model.forward(rows)
    for i, (prompt, tail) in enumerate(rows):
        with torch.no_grad():
            plain = model.module(torch.tensor([[*prompt, *tail]]), output_hidden_states=True)
        states = plain.hidden_states[-1][0]
        torch.testing.assert_close(
            shown.hidden[i, 0], states[len(prompt) - 1], atol=PADDING, rtol=PADDING
        )
        torch.testing.assert_close(
            shown.hidden[i, len(tail)], states[-1], atol=PADDING, rtol=PADDING
        )


def test_an_encoder_decoder_shows_its_first_decoder_state(model_of):
    """The critic of GLAM reads it."""
    model = model_of("encoder_decoder")
    prompt = model.encode_prompt("trot")
    with torch.no_grad():
        plain = model.module(
            torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0]]), output_hidden_states=True
        )
    shown = model.forward([(prompt, model.encode("a longer answer"))])
    torch.testing.assert_close(
        shown.hidden[0, 0], plain.decoder_hidden_states[-1][0, 0], atol=PADDING, rtol=PADDING
    )


def test_the_logits_are_the_models_own_numbers_not_normalised(model_of):
    model = model_of("causal")
    prompt, tail = rows_of(model)[1]
    with torch.no_grad():
        plain = model.module(torch.tensor([[*prompt, *tail]])).logits[0, len(prompt) - 1 : -1]
    shown = model.forward([(prompt, tail)])
    torch.testing.assert_close(shown.logits[0], plain, atol=PADDING, rtol=PADDING)


@pytest.mark.parametrize("kind", ["sees", "sees_chat", "sees_in_3d"])
def test_prompts_with_pictures_go_in_as_they_were_read(kind, model_of, pictures):
    model = model_of(kind)
    tails = [model.encode("a"), model.encode("the green one")]
    read = [model.read("what is it", pictures[:1]), model.read("and these", pictures)]
    shown = model.forward(list(zip(read, tails, strict=True)))
    scores = model.score(
        ["what is it", "and these"], [["a"], ["the green one"]], images=[pictures[:1], pictures]
    )
    np.testing.assert_allclose(
        shown.token_logprobs.sum(1).detach(), [float(s.sums[0]) for s in scores], atol=1e-4
    )
    assert shown.hidden.shape[:2] == (2, len(tails[1]) + 1)


@pytest.mark.parametrize("kind", ["causal", "encoder_decoder", "embedded"])
def test_a_model_of_text_reads_no_prompt_with_pictures(kind, any_model, pictures):
    with pytest.raises(ConfigError, match="reads text only") as caught:
        any_model(kind).read("what is it", pictures)
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


@pytest.mark.parametrize("kind", ["sees", "sees_chat", "sees_in_3d"])
def test_ids_of_a_prompt_with_pictures_are_refused_without_the_pictures(kind, model_of, pictures):
    model = model_of(kind)
    tail = model.encode("a")
    with pytest.raises(ConfigError, match=r"place of a picture.*read\(prompt, images\)"):
        model.forward([(model.read("what is it", pictures).ids, tail)])
    text = model.forward([(model.read("<image> what is it").ids, tail)])
    same = model.forward([(model.encode_prompt("<image> what is it"), tail)])
    torch.testing.assert_close(text.logits, same.logits)


@pytest.mark.parametrize("kind", ["causal", "encoder_decoder", "sees", "sees_in_3d"])
def test_embeddings_of_words_give_the_states_of_the_words(kind, model_of):
    model = model_of(kind)
    ids = torch.tensor([model.encode("put the red cube")])
    shown = model.forward_embeddings(model.embed_tokens(ids), torch.ones(ids.shape, dtype=bool))
    with torch.no_grad():
        if kind == "encoder_decoder":
            want = model.module.get_encoder()(ids).last_hidden_state
        else:
            want = model.module(ids, output_hidden_states=True).hidden_states[-1]
    torch.testing.assert_close(shown, want, atol=PADDING, rtol=PADDING)


@pytest.mark.parametrize("kind", ["causal", "encoder_decoder", "sees"])
@pytest.mark.parametrize("left", [False, True])
def test_what_is_masked_does_not_count(kind, left, model_of):
    model = model_of(kind)
    vectors = torch.randn(1, 4, 32, generator=torch.Generator().manual_seed(0))
    whole = model.forward_embeddings(vectors, torch.ones(1, 4, dtype=bool))
    noise = torch.full((1, 3, 32), 9.0)
    order = [noise, vectors] if left else [vectors, noise]
    real = slice(3, 7) if left else slice(0, 4)
    mask = torch.zeros(1, 7, dtype=bool)
    mask[:, real] = True
    padded = model.forward_embeddings(torch.cat(order, dim=1), mask)[:, real]
    torch.testing.assert_close(padded, whole, atol=PADDING, rtol=PADDING)


def test_gradients_reach_inputs_that_are_no_words(model_of):
    """As LLaRP needs it: a frozen body between a camera's bridge and an action head."""
    model = model_of("causal")
    vectors = torch.randn(2, 3, 32, requires_grad=True)
    model.forward_embeddings(vectors, torch.ones(2, 3, dtype=bool))[:, -1].sum().backward()
    assert vectors.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in model.module.parameters())


def test_ids_are_without_special_tokens_and_prompts_with_them(model_of):
    model = model_of("causal")
    begin = model.tokenizer.bos_token_id
    assert model.encode_prompt("put it") == [begin, *model.encode("put it")]
    assert model.tokenizer.decode(model.encode("put it")) == "put it"


def test_rows_have_to_be_there_and_to_fit(model_of):
    with pytest.raises(ValueError, match="at least one row"):
        model_of("causal").forward([])
    with pytest.raises(Terminal, match="512 tokens"):
        model_of("causal").forward([([1] * 500, [4] * 20)])
