"""The back end against a real server: ``transformers serve`` with a tiny model made on the spot.

It takes neither grammar, schema, samples nor log-probabilities, and drops pictures for a model of
text; so nearly every fallback shows here what docs/models.md says of it.
"""

import signal
import time

import model_server
import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode, Retryable, Terminal
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.asking import guarded

pytest.importorskip("fastapi", reason="needs transformers[serving]")

TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ANYTHING = "root ::= [^\\x00]*"
SCHEMA = {"type": "object", "required": ["skill"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    from fmrl_robot.train.recipes.lm_embedded.tokenizer import train_tokenizer

    path = tmp_path_factory.mktemp("tiny")
    tokenizer = train_tokenizer(["put the red cube in the bowl"] * 4, 300)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(path)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=512,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    # Every eighth token ends an answer, or a model of random weights would hardly ever end one; and
    # the server samples only where the model's own settings say so.
    model.generation_config = GenerationConfig(
        do_sample=True,
        top_k=0,
        eos_token_id=[2, *range(8, len(tokenizer), 8)],
        pad_token_id=0,
        min_new_tokens=3,
    )
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    """The process and its URL."""
    with model_server.serving(folder, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def model(server, folder):
    return load_language_model(f"openai:{folder}@{server[1]}?total_s=20&first_token_s=15")


def say(model, **arguments):
    return model.generate("put the red cube in the bowl", **{"max_tokens": 200, **arguments})


def test_it_answers_and_tells_what_it_read_and_wrote(model, folder):
    from transformers import AutoTokenizer

    (completion,) = say(model, temperature=1.0, seed=3, role="caption")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    told = tokenizer.apply_chat_template(
        [{"role": "user", "content": "put the red cube in the bowl"}],
        add_generation_prompt=True, tokenize=True, return_dict=True,
    )["input_ids"]  # fmt: skip
    usage = completion.usage
    assert completion.text and usage.prompt_tokens == len(told)
    assert 1 <= usage.completion_tokens <= 200 and usage.calls == 1 and usage.cost == 0.0
    assert (usage.role, usage.seed) == ("caption", 3) and 0 < usage.latency_s < 15


def test_a_seed_repeats_an_answer_and_another_gives_another(model):
    texts = [say(model, temperature=1.0, seed=s)[0].text for s in (1, 1, 2, 3)]
    assert texts[0] == texts[1] and len(set(texts)) >= 3


def test_samples_have_seeds_of_their_own_because_n_is_overlooked(model):
    completions = say(model, n=3, temperature=1.0, seed=5)
    assert len({c.text for c in completions}) >= 2 and completions[0].usage.calls == 3


def test_an_answer_ends_before_its_stop_string(model):
    (whole,) = say(model, temperature=1.0, seed=3)
    inside = next(c for c in whole.text[1:] if c.isascii())
    (cut,) = say(model, temperature=1.0, seed=3, stop=[inside])
    assert cut.text == whole.text.partition(inside)[0]
    assert cut.usage.completion_tokens <= whole.usage.completion_tokens


def test_an_answer_that_does_not_end_is_retryable(model):
    with pytest.raises(Retryable, match="did not end within 2 tokens") as caught:
        say(model, max_tokens=2, temperature=1.0)
    assert caught.value.usage.completion_tokens == 2


def test_a_grammar_is_refused_left_out_and_checked_here(model):
    (completion,) = say(model, grammar=ANYTHING, temperature=1.0, seed=3)
    assert completion.text and model._server.lacking
    with pytest.raises(Retryable, match=r"keeps its grammar.*3 answers") as caught:
        say(model, grammar='root ::= "put(red_cube,bowl)"', temperature=1.0)
    assert caught.value.usage.calls == 3


def test_a_schema_is_overlooked_without_a_word_and_checked_here(model):
    with pytest.raises(Retryable, match=r"keeps its schema.*it is no JSON"):
        say(model, schema=SCHEMA, temperature=1.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"logprobs": True}, "log-probabilities"),
        ({"images": [np.zeros((32, 32, 3), np.uint8)]}, "dropped them without a word"),
    ],
)
def test_what_it_lacks_and_nobody_can_make_up_for_is_a_missing_capability(model, arguments, said):
    with pytest.raises(ConfigError, match=said) as caught:
        say(model, temperature=1.0, seed=3, **arguments)
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING


def test_a_wrong_model_is_said_with_the_one_there_is(server, folder):
    with pytest.raises(ConfigError, match=f"pinned to '{folder}'") as caught:
        say(load_language_model(f"openai:typo@{server[1]}"))
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE


def test_a_wrong_path_is_said(server, folder):
    url = server[1].removesuffix("/v1")
    with pytest.raises(ConfigError, match="base URL"):
        say(load_language_model(f"openai:{folder}@{url}"))


def test_a_cached_answer_needs_no_server(server, folder, tmp_path):
    name = f"openai:{folder}@{server[1]}?total_s=20"
    asked = guarded(load_language_model(name), tmp_path)
    (first,) = say(asked, temperature=1.0, seed=3)
    server[0].send_signal(signal.SIGSTOP)
    try:
        (again,) = say(guarded(load_language_model(name), tmp_path), temperature=1.0, seed=3)
    finally:
        server[0].send_signal(signal.SIGCONT)
    assert again.text == first.text and again.usage.cached


def test_a_server_that_stops_is_left_alone_and_asked_again_when_it_goes_on(server, folder):
    settings = "connect_s=1&first_token_s=0.3&attempts=3&total_s=4&pause_s=1"
    model = load_language_model(f"openai:{folder}@{server[1]}?{settings}")
    server[0].send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(Terminal, match=r"no first token within 0\.3 s") as caught:
            say(model)
        assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE and time.monotonic() - began < 5
        with pytest.raises(Terminal, match="3 times in a row"):
            say(model)
    finally:
        server[0].send_signal(signal.SIGCONT)
    time.sleep(1.1)
    patient = load_language_model(f"openai:{folder}@{server[1]}?total_s=20&first_token_s=15")
    assert say(patient, temperature=1.0, seed=3)[0].text


def test_a_server_that_is_killed_is_unavailable(server, folder):
    model = load_language_model(f"openai:{folder}@{server[1]}?total_s=3")
    assert say(model, temperature=1.0, seed=3)[0].text
    server[0].kill()
    server[0].wait(10)
    began = time.monotonic()
    with pytest.raises(Terminal, match="no connection") as caught:
        say(model, temperature=1.0, seed=3)
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE and time.monotonic() - began < 4
