import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.network import check_reachable
from fmrl_robot.fm.scripted import ScriptedLM


def test_the_error_rate_is_a_dial():
    wrong = {
        rate: sum(
            ScriptedLM({"": "right"}, error_rate=rate, wrong=("wrong",), seed=s).generate("x")[0]
            == "wrong"
            for s in range(200)
        )
        for rate in (0.0, 0.3, 1.0)
    }
    assert wrong[0.0] == 0 and wrong[1.0] == 200 and 40 <= wrong[0.3] <= 80


def test_the_longest_key_answers_and_a_missing_one_is_said():
    model = ScriptedLM({"cube": "a", "red cube": "b"})
    assert model.generate("take the red cube")[0] == "b"
    with pytest.raises(ConfigError, match="scripted answer"):
        model.generate("bowl")


def test_scores_prefer_the_tables_answer():
    scores, usage = ScriptedLM({"": "put"}).score("x", ["grasp", "put"])
    assert scores.argmax() == 1 and usage.role == "score"


def test_a_table_is_read_from_a_file(tmp_path):
    file = tmp_path / "answers.json"
    file.write_text('{"hello": "stand(0)"}')
    assert load_language_model(f"scripted:{file}").generate("hello")[0] == "stand(0)"
    with pytest.raises(ConfigError):
        load_language_model(f"scripted:{tmp_path / 'none.json'}")


def test_a_hub_id_is_refused_where_the_network_is_forbidden(monkeypatch):
    monkeypatch.setenv("FMRL_FORBID_NETWORK", "1")
    with pytest.raises(ConfigError) as caught:
        load_language_model("transformers:someone/some-model")
    assert caught.value.code == ErrorCode.MODEL_UNAVAILABLE
    monkeypatch.setenv("FMRL_FORBID_NETWORK", "0")
    check_reachable("someone/some-model")


def test_an_unknown_back_end_lists_the_known_ones():
    with pytest.raises(ConfigError, match="embedded"):
        load_language_model("oracle")
