"""Laws of every system's ablation, and of the pages: nothing stands there that was not run so."""

import json
from pathlib import Path

import pytest

from fmrl_robot.ablation import LIMIT_MINUTES
from fmrl_robot.commands import reproduce as command
from fmrl_robot.reproduce.index import INDEX, REGISTRIES, ablations, index, read_figures, survey
from fmrl_robot.reproduce.outcome import holds
from fmrl_robot.reproduce.page import page
from fmrl_robot.reproduce.statistics import Estimate, difference, estimate
from fmrl_robot.reproduce.trial_job import find

PAGES = Path(__file__).parents[2] / "docs/methods"
CARRIED = ablations()
SHOWN = sorted(name for name in CARRIED if (PAGES / f"{name}.json").is_file())


@pytest.fixture(params=sorted(CARRIED))
def ablation(request):
    return CARRIED[request.param]


def test_the_survey_has_38_systems_each_with_role_and_reference():
    systems = survey()
    assert len(systems) == len({s.name for s in systems}) == len({s.reference for s in systems})
    assert len(systems) == 38
    assert {s.role for s in systems} == {"planner", "reward", "agent", "other"}
    assert all(s.name.isidentifier() and s.title and s.reference[-4:].isdigit() for s in systems)


def test_what_is_registered_stands_in_the_survey_with_its_role_and_reference():
    known = {system.name: system for system in survey()}
    for registry in REGISTRIES:
        for name in registry.names():
            card = getattr(registry.load(name), "card", None)
            assert name in known
            assert card is None or (known[name].role, known[name].reference) == (
                card.role, card.reference
            )  # fmt: skip


def test_the_index_is_that_of_registry_and_figures():
    written = (PAGES / INDEX).read_text()
    assert written == index(PAGES), "run fmrl reproduce all --pages-only"
    assert written.count("\n| ") == 40


def test_an_ablation_can_fail_and_has_a_control(ablation):
    assert ablation.question and ablation.paper and ablation.environment and ablation.differs
    assert any(arm.control for arm in ablation.arms)
    controls = {arm.name for arm in ablation.arms if arm.control}
    assert controls <= {name for bar in ablation.bars for name in (bar.arm, bar.against)}
    assert all(measure.words for measure in ablation.measures)
    assert set(ablation.quick) == set(ablation.full)
    assert callable(find(ablation.trial))
    assert json.loads(json.dumps(ablation.statement())) == ablation.statement()


@pytest.mark.parametrize("name", sorted(CARRIED))
def test_quick_runs_every_arm_in_seconds(name, tmp_path, capsys):
    words = ["--quick", "--out", str(tmp_path), "--pages", str(tmp_path / "pages")]
    assert command.main([name, *words]) == 0
    told = capsys.readouterr().out
    assert told.count("state=done") == len(CARRIED[name].arms)
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_is_of_the_experiment_as_it_is_written_now(name):
    """Moving a bar, an arm or a budget after the run breaks this, and so does editing a page."""
    told = read_figures(name, PAGES)
    assert told["digest"] == CARRIED[name].digest(), f"run fmrl reproduce {name}"
    assert (PAGES / f"{name}.md").read_text() == page(told), "fmrl reproduce NAME --pages-only"
    assert (PAGES / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert told["trial_minutes"] <= 2 * LIMIT_MINUTES and told["models"] and told["commits"]


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_judges_as_its_scores_say(name):
    told, bars = read_figures(name, PAGES), CARRIED[name].bars
    assert len(told["bars"]) == len(bars)
    failed = {run["run"].partition(" seed ")[0] for run in told["failed"]}
    for bar, shown in zip(bars, told["bars"], strict=True):
        if {bar.arm, bar.against} & failed:
            assert shown["holds"] is None
            continue
        mine = told["scores"][bar.arm][bar.measure]
        other = told["scores"][bar.against][bar.measure] if bar.against else None
        again = difference(mine, other) if other else estimate(mine)
        assert shown["value"] == pytest.approx(again.value, abs=2e-4)
        assert shown["holds"] == holds(bar, again)
        assert shown["holds"] == holds(
            bar, Estimate(**{k: shown[k] for k in ("value", "low", "high")})
        )
