import itertools
import random
import re

import pytest

from fmrl_robot.evaluations.language import SETS, load
from fmrl_robot.fm.grammar import accepts
from fmrl_robot.planners import gait_language, plan_language
from fmrl_robot.planners.saytap_commands import COMMANDS
from fmrl_robot.planners.step_words import NEXT_GRAMMAR, WORDS_GRAMMAR
from fmrl_robot.train.recipes.lm_embedded import corpus
from fmrl_robot.train.recipes.lm_embedded.banks import banks
from fmrl_robot.train.recipes.lm_embedded.phrases import expand, misspell
from fmrl_robot.train.recipes.lm_embedded.tokenizer import plan_atoms, train_tokenizer

EXAMPLES = 15_000
SLOTS = set("abcdghlmnopqrstuvwxyz") | {"ag", "bg", "cg", "as", "bs", "ap", "bp"}


def sentences_of_the_tests():
    return {corpus.fingerprint(case["text"]) for name in SETS for case in load(name)}


def test_every_test_sentence_is_held_out():
    wanted = sentences_of_the_tests() | {corpus.fingerprint(c.text) for c in COMMANDS}
    assert wanted <= corpus.held_out()


def test_no_test_sentence_occurs_in_the_corpus():
    drawn = itertools.islice(corpus.examples(7), EXAMPLES)
    assert not {corpus.fingerprint(text) for _, text, _ in drawn} & sentences_of_the_tests()


def test_no_test_sentence_occurs_misspelt(monkeypatch):
    clean = []

    def type_badly(text, rng):
        clean.append(text)
        return f"{text} qq"

    monkeypatch.setattr(corpus, "type_like_a_person", type_badly)
    first = [text for _, text, _ in itertools.islice(corpus.examples(7), 300)]
    forbidden = frozenset(map(corpus.fingerprint, clean[:100]))
    assert set(first) & {f"{text} qq" for text in clean[:100]}
    monkeypatch.setattr(corpus, "held_out", lambda: forbidden)
    again = {text for _, text, _ in itertools.islice(corpus.examples(7), 300)}
    assert not again & {f"{text} qq" for text in clean[:100]}


def test_without_the_filter_some_would_occur(monkeypatch):
    monkeypatch.setattr(corpus, "held_out", frozenset)
    drawn = itertools.islice(corpus.examples(7), EXAMPLES)
    assert {corpus.fingerprint(text) for _, text, _ in drawn} & sentences_of_the_tests()


def test_every_answer_of_the_corpus_is_a_sentence_of_its_grammar():
    grammars = {
        "arm": plan_language.GRAMMAR,
        "quadruped": gait_language.GRAMMAR,
        "next": NEXT_GRAMMAR,
        "steps": WORDS_GRAMMAR,
    }
    answers = {(kind, plan) for kind, _, plan in itertools.islice(corpus.examples(3), 4000)}
    for kind, plan in sorted(answers):
        if kind in ("arm", "quadruped") and not plan.startswith("refuse"):
            language = plan_language if kind == "arm" else gait_language
            assert language.parse(plan), plan
    for kind in grammars:
        for plan in sorted(p for k, p in answers if k == kind)[::12]:
            assert accepts(grammars[kind], plan), (kind, plan)


def test_a_step_that_failed_last_is_the_next_one_again():
    rng = random.Random(0)
    failed = 0
    for _ in range(400):
        said, answer = corpus._next("go", ("hold(red_cube)", "press(button)"), rng)
        last = said.split("| ")[1].split(". ")[-1]
        if last.endswith("failed."):
            failed += 1
            assert last.startswith(answer), (said, answer)
    assert failed > 10


def test_banks_hold_templates_that_differ_and_name_only_known_slots():
    for name, entries in banks().items():
        assert len(set(entries)) == len(entries), name
        for entry in entries:
            assert not set("()|") & set(entry), entry
            assert set(re.findall(r"{(\w+)}", entry)) <= SLOTS, entry


def test_the_corpus_is_the_same_for_the_same_seed_and_hardly_repeats_itself():
    one, two = (list(itertools.islice(corpus.examples(5), 2000)) for _ in range(2))
    assert not [text for _, text, _ in one if re.search(r" [,.;!?]", text)]
    assert one == two
    assert len({text for _, text, _ in one}) > 1800


def test_alternatives_nest_and_are_all_drawn():
    rng = random.Random(0)
    drawn = {expand("(a|b(c|)) {x} (,|)", rng, {"x": "y"}) for _ in range(200)}
    assert drawn == {"a y,", "a y", "b y,", "b y", "bc y,", "bc y"}


def test_unbalanced_brackets_are_refused():
    with pytest.raises(ValueError, match="balanced"):
        expand("1) (a|b)", random.Random(0))


def test_a_typing_error_changes_one_word_a_little():
    rng = random.Random(1)
    for _ in range(50):
        after = misspell("put the yellow cube", rng).split()
        assert len(after) in (3, 4, 5) and after[:2] == ["put", "the"]


def test_plan_atoms_are_single_tokens_and_text_survives():
    tokenizer = train_tokenizer(["arm: put the red cube in the bowl =>"] * 3, 300)
    for atom in plan_atoms():
        assert len(tokenizer.encode(atom, add_special_tokens=False)) == 1, atom
    text = "put(each(on_table-red_cube),bin);press(button)"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
