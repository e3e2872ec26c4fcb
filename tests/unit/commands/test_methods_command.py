import json

from fmrl_robot.commands import methods as methods_command
from fmrl_robot.registry import AGENTS, METHODS


def test_every_method_is_listed_with_what_its_card_says(capsys):
    assert methods_command.main([]) == 0
    text = capsys.readouterr().out
    for name, registry in ((n, r) for r in (METHODS, AGENTS) for n in r.names()):
        card = registry.load(name).card
        for part in (f"{name}: {card.role}", card.reference, *card.needs, *card.differs):
            assert part in text


def test_as_json(capsys):
    assert methods_command.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {*METHODS.names(), *AGENTS.names()} and found["psl"]["needs"] == [
        "Generates"
    ]


def test_one_that_cannot_be_loaded_or_has_no_card_hides_nobody(capsys, monkeypatch):
    monkeypatch.setitem(METHODS._builtin, "broken", "no_such_package:Method")
    with METHODS.lent("cardless", object):
        assert methods_command.main([]) == 0
    text = capsys.readouterr().out
    assert "broken\n  cannot be loaded: No module named 'no_such_package'" in text
    assert "cardless\n  has no card" in text and "psl: planner" in text
