"""The embedded CLIP's recipe: frames, vocabulary, folder, loss and measure."""

from itertools import pairwise

import numpy as np
import pytest

from fmrl_robot.skills.captioner import caption
from fmrl_robot.train.recipes.clip_embedded.card import auroc, epic
from fmrl_robot.train.recipes.clip_embedded.frames import FrameSet, Rows, drawn
from fmrl_robot.train.recipes.clip_embedded.retrieval import KINDS, neighbours
from fmrl_robot.train.recipes.clip_embedded.vocabulary import (
    CONJUNCTION,
    GROUND,
    TABLETOP,
    WRIST,
    facts,
    kind,
    phrasings,
    tabletop_facts,
    wrist_facts,
)
from fmrl_sim.frames import ground_frames, tabletop_frames


def test_the_reward_asks_in_words_that_were_taught():
    for fact in tabletop_facts():
        assert caption(fact) in phrasings(fact)


def test_frames_are_drawn_by_seed_and_labelled_by_the_simulator():
    once, again = (list(tabletop_frames(3, 5, 64)) for _ in range(2))
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        assert a.facts == b.facts
    assert len({frame.facts for frame in once}) > 1


def test_a_quadruped_that_stands_has_feet_on_the_ground():
    names = [{p.name for p in frame.facts} for frame in ground_frames(12, 3, 64)]
    standing = [n for n in names if "standing" in n]
    assert standing
    assert all("contact" in n for n in standing)


def test_a_saved_model_loads_through_open_clip_and_embeds_the_same(tmp_path):
    torch = pytest.importorskip("torch")
    from fmrl_robot.fm.open_clip_vision import load_vision_model
    from fmrl_robot.train.recipes.clip_embedded.model import build_model, build_tokenizer, save

    tokenizer = build_tokenizer()
    model = build_model(len(tokenizer), 64, "small").eval()
    save(tmp_path, model, tokenizer, 64, "small")
    loaded = load_vision_model(str(tmp_path))
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1.0
        expected = model.encode_image(pixels, normalize=True).numpy()
    np.testing.assert_allclose(loaded.embed_images([image]), expected, atol=5e-3)
    texts = [caption(fact) for fact in tabletop_facts()]
    assert loaded.vocabulary is not None
    assert loaded.vocabulary.issuperset(texts)
    assert np.unique(loaded.embed_texts(texts).round(4), axis=0).shape[0] == len(texts)
    loaded.embed_texts(texts)
    assert loaded.texts_encoded == len(texts)


def test_every_sentence_weighs_its_trues_and_falses_the_same():
    torch = pytest.importorskip("torch")
    from fmrl_robot.train.recipes.clip_embedded.train import balanced

    rare = torch.tensor([[1.0], [0.0], [0.0], [0.0], [-1.0]])
    answer_no, answer_yes = torch.full((5, 1), -4.0), torch.full((5, 1), 4.0)
    torch.testing.assert_close(balanced(answer_no, rare), balanced(answer_yes, rare))


def test_auroc_by_hand():
    assert auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == 0.75
    assert auroc(np.ones(4), np.array([0, 1, 0, 1])) == 0.5


def test_facts_are_distinct():
    assert len(set(facts())) == len(facts())


def test_epic_is_zero_for_the_label_itself_and_chance_for_noise():
    truth = np.array([1] * 50 + [0] * 450)
    noise = np.random.default_rng(0).normal(size=500)
    assert epic(3.0 * truth - 1.0, truth) < 1e-6
    assert abs(epic(noise, truth) - 0.707) < 0.06
    assert epic(-truth.astype(float), truth) > 0.99


def test_neighbours_differ_in_one_word_and_every_kind_asked_has_some():
    for fact in facts():
        if kind(fact) in KINDS:
            mine, found = caption(fact).split(), neighbours(fact)
            assert found, fact
            for other in found:
                assert sum(a != b for a, b in zip(mine, caption(other).split(), strict=True)) == 1


def test_pictures_and_truth_come_back_from_disk(tmp_path):
    found = drawn({TABLETOP: 3, GROUND: 2, WRIST: 2}, 5, 48)
    found.save(tmp_path)
    again = FrameSet.load(tmp_path)
    np.testing.assert_array_equal(found.images, again.images)
    np.testing.assert_array_equal(found.truth, again.truth)
    assert (found.truth[:3, -1] == -1).all() and (found.truth[3:, 0] == -1).all()
    told = {fact for fact, known in zip(facts(), found.truth[-1] >= 0, strict=True) if known}
    assert told == set(wrist_facts())


def test_every_batch_is_of_one_set_of_pictures():
    truth = drawn({TABLETOP: 3, GROUND: 2, WRIST: 2}, 5, 48).truth
    rows, rng = Rows(truth), np.random.default_rng(0)
    sets = {tuple(rows.draw(rng)) for _ in range(60)}
    assert sets == {(0, 1, 2), (3, 4), (5, 6)}
    assert {tuple(Rows(truth[:3]).draw(rng)) for _ in range(20)} == {(0, 1, 2)}


def test_a_batch_asks_sentences_with_their_answers():
    from fmrl_robot.train.recipes.clip_embedded.model import build_tokenizer
    from fmrl_robot.train.recipes.clip_embedded.sentences import HELD_OUT, Sentences

    tokenizer, rng = build_tokenizer(), np.random.default_rng(0)
    truth = np.where(rng.random((8, len(facts()))) < 0.4, 1, 0).astype(np.int8)
    truth[:, len(tabletop_facts()) :] = -1
    asked = Sentences(tokenizer).draw(truth, 64, rng)
    assert asked.labels.shape == (8, 64) and set(np.unique(asked.labels)) == {0.0, 1.0}
    assert tokenizer.unk_token_id not in asked.tokens
    held_out = Sentences(tokenizer, held_out=True)
    columns = [facts().index(fact) for fact in HELD_OUT]
    assert (held_out.allowed(truth)[:, columns] == -1).all()


def test_a_short_training_in_two_processes_leaves_a_model(tmp_path):
    from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, train

    drawn({TABLETOP: 40, GROUND: 20, WRIST: 20}, 3, 32).save(tmp_path)
    settings = ClipSettings(size="small", image_size=32, minutes=0.02, batch=8, processes=2)
    model, _ = train(tmp_path, settings)
    assert all(p.isfinite().all() for p in model.parameters())


def test_a_training_told_how_many_pictures_repeats_itself(tmp_path):
    torch = pytest.importorskip("torch")
    from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings, train

    drawn({TABLETOP: 40, GROUND: 20, WRIST: 20}, 3, 32).save(tmp_path)
    settings = ClipSettings(size="small", image_size=32, pictures=32, batch=8, processes=1)
    once, again = (train(tmp_path, settings)[0].state_dict() for _ in range(2))
    for name, value in once.items():
        torch.testing.assert_close(value, again[name], rtol=0, atol=0)
    assert once["visual.bn1.num_batches_tracked"] == 32 // 8


def test_two_facts_come_with_a_word_of_either_changed():
    from fmrl_robot.train.recipes.clip_embedded.model import build_tokenizer
    from fmrl_robot.train.recipes.clip_embedded.sentences import Sentences

    tokenizer, rng = build_tokenizer(), np.random.default_rng(0)
    truth = np.where(rng.random((8, len(facts()))) < 0.4, 1, 0).astype(np.int8)
    truth[:, len(tabletop_facts()) :] = -1
    asked = Sentences(tokenizer, two=1.0).draw(truth, 60, rng)
    texts = [tokenizer.decode(row, skip_special_tokens=True) for row in asked.tokens]
    assert all(f" {CONJUNCTION} " in text for text in texts)
    differ = [
        sum(a != b for a, b in zip(first.split(), second.split(), strict=False))
        for first, second in pairwise(texts)
    ]
    assert differ.count(1) > 10


def test_the_text_tower_learns_alone(tmp_path):
    from fmrl_robot.train.recipes.clip_embedded.model import build_model, build_tokenizer
    from fmrl_robot.train.recipes.clip_embedded.text_tower import learn_sentences
    from fmrl_robot.train.recipes.clip_embedded.train import ClipSettings

    torch = pytest.importorskip("torch")
    drawn({TABLETOP: 40, GROUND: 20, WRIST: 20}, 3, 32).save(tmp_path)
    tokenizer = build_tokenizer()
    model = build_model(len(tokenizer), 32, "small")
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    settings = ClipSettings(size="small", image_size=32, text_minutes=0.01)
    learn_sentences(model, tokenizer, tmp_path, settings)
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert moved and not any(name.startswith("visual.") for name in moved)
