"""``fmrl reproduce``: killed runs go on, a bar that fails stands there as failed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from toy_ablation import Toy, toy

from fmrl_robot.ablation import Arm, Bar, Measure
from fmrl_robot.commands import reproduce as command
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.registry import METHODS
from fmrl_robot.reproduce.outcome import holds, outcome
from fmrl_robot.reproduce.page import page
from fmrl_robot.reproduce.statistics import Estimate
from fmrl_robot.reproduce.trial_job import find, trials
from fmrl_robot.train.job_execute import here, inline
from fmrl_robot.train.jobs import carry_out

TESTS = Path(__file__).parents[2]


def run(tmp_path, *words, thing=Toy):
    with METHODS.lent("toy", thing):
        return command.main(
            ["toy", "--out", str(tmp_path / "runs"), "--pages", str(tmp_path / "pages"), *words]
        )


def figures(tmp_path):
    return json.loads((tmp_path / "pages/toy.json").read_text())


def test_a_bar_that_fails_stands_on_the_page_as_failed(tmp_path, capsys):
    assert run(tmp_path, "--jobs", "2") == 1
    told = figures(tmp_path)
    assert [bar["holds"] for bar in told["bars"]] == [True, True, False]
    assert told["bars"][0]["value"] == pytest.approx(0.4) and told["failed"] == []
    assert told["estimates"]["whole"]["match"]["value"] == pytest.approx(0.91)
    assert told["seeds"] == [100, 101, 102] and told["models"] == ["scripted"]
    assert told["digest"] == Toy.ablation.digest()
    text = (tmp_path / "pages/toy.md").read_text()
    assert "| half is nearly whole | at least .80 | .51 (.50 to .52) | **failed** |" in text
    assert "Bars that hold: 2 of 3." in text and "must fail" in text
    order = ["What the paper claims", "What came out here", "With which model", "What differs"]
    places = [text.index(f"## {part}") for part in order]
    assert places == sorted(places)
    assert (tmp_path / "pages/toy.png").read_bytes().startswith(b"\x89PNG")
    assert "failed: half is nearly whole" in capsys.readouterr().out


def test_a_run_that_ended_is_gone_on_with_only_when_that_is_said(tmp_path):
    assert run(tmp_path, "--seeds", "1") == 1
    with pytest.raises(ConfigError, match="--resume"):
        run(tmp_path, "--seeds", "1")
    kept = (tmp_path / "runs/toy/whole-100/result.json").stat().st_mtime_ns
    run(tmp_path, "--seeds", "2", "--resume")
    assert (tmp_path / "runs/toy/whole-100/result.json").stat().st_mtime_ns == kept
    assert figures(tmp_path)["seeds"] == [100, 101]

    class Moved:
        ablation = replace(Toy.ablation, full={"steps": 4})

    with pytest.raises(ConfigError, match="got one with arm='whole'"):
        run(tmp_path, "--resume", thing=Moved)


KILLED = """
from pathlib import Path
from toy_ablation import toy
from fmrl_robot.reproduce.trial_job import trials
from fmrl_robot.train.job_execute import here
from fmrl_robot.train.jobs import carry_out

if __name__ == "__main__":
    out = Path({out!r})
    ablation = toy(full={full!r})
    carry_out(trials(ablation, out, range(1), ablation.full), out, here(3))
"""


def test_killed_trials_go_on_where_they_were(tmp_path):
    full = {"steps": 30, "step_s": 0.05}
    out, file = tmp_path / "out", tmp_path / "killed.py"
    file.write_text(KILLED.format(out=str(out), full=full))
    process = subprocess.Popen([sys.executable, str(file)], env={**os.environ, "PYTHONPATH": TESTS})
    walked = out / "whole-0/walked.txt"
    end = time.monotonic() + 60.0
    while not (walked.is_file() and walked.read_text().count("\n") >= 3):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)
    begun = walked.read_text().count("\n")
    assert begun < 30
    time.sleep(0.5)
    assert walked.read_text().count("\n") == begun, "a trial went on without its run"
    ablation = toy(full=full)
    jobs = trials(ablation, out, range(1), ablation.full)
    carry_out(jobs, out, here(3))
    assert [job.result()["state"] for job in jobs] == ["done"] * 3
    steps = [int(line) for line in walked.read_text().split()]
    # The step under way when it was killed may have been written and not counted.
    assert sorted(set(steps)) == list(range(30)) and len(steps) <= 31


def test_a_trial_that_dies_fails_its_bars_and_no_others(tmp_path):
    arms = (Arm(name="whole", words="", settings={"level": 0.9}),
            Arm(name="broken", words="", settings={"dies": True}))  # fmt: skip
    bars = (Bar(words="whole", measure="share", arm="whole", at_least=0.5),
            Bar(words="lead", measure="share", arm="whole", against="broken",
                at_least=0.1))  # fmt: skip
    ablation = toy(bars, arms)
    jobs = trials(ablation, tmp_path, range(2), ablation.full)
    carry_out(jobs, tmp_path, inline)
    told = outcome("toy", ablation, jobs, 0.1)
    assert [bar["holds"] for bar in told["bars"]] == [True, None]
    assert [f["run"] for f in told["failed"]] == ["broken seed 0", "broken seed 1"]
    text = page(json.loads(json.dumps(told)))
    assert "- broken seed 0: RuntimeError('died on purpose')" in text and "not judged" in text


def test_a_lucky_estimate_clears_no_bar():
    told = Estimate(value=0.5, low=0.3, high=0.7)
    for wanted, verdict in ((0.2, True), (0.4, False), (0.6, False)):
        bar = Bar(words="", measure="share", arm="whole", at_least=wanted)
        assert holds(bar, told) is verdict
    for wanted, verdict in ((0.8, True), (0.6, False), (0.4, False)):
        assert holds(Bar(words="", measure="", arm="", at_most=wanted), told) is verdict
    bar = Bar(words="", measure="share", arm="whole", at_least=0.0)
    assert holds(bar, Estimate(value=0.5)) is None, "one seed tells nothing"


def test_seeds_that_are_missing_leave_a_bar_unjudged(tmp_path):
    """What did not end may have been what would have failed."""
    ablation = toy()
    jobs = trials(ablation, tmp_path, range(3), ablation.full)
    carry_out(jobs, tmp_path, lambda waiting: inline(waiting[:-3]))
    told = outcome("toy", ablation, jobs, 0.1)
    assert told["estimates"]["whole"]["share"]["low"] is not None
    assert [bar["holds"] for bar in told["bars"]] == [None] * 3


def test_quick_takes_no_time_and_publishes_nothing(tmp_path, capsys):
    began = time.monotonic()
    assert run(tmp_path, "--quick") == 0
    assert time.monotonic() - began < 10.0
    assert not (tmp_path / "pages").exists()
    assert capsys.readouterr().out.count("not judged:") == 3
    assert run(tmp_path, "--quick") == 0, "quick starts anew"


def test_pages_are_written_anew_from_their_figures(tmp_path):
    run(tmp_path, "--seeds", "1")
    text = (tmp_path / "pages/toy.md").read_text()
    (tmp_path / "pages/toy.md").unlink()
    assert run(tmp_path, "--pages-only") == 0
    assert (tmp_path / "pages/toy.md").read_text() == text


def test_an_arm_that_is_dear_has_fewer_seeds(tmp_path):
    ablation = replace(toy(), fewer_seeds={"half": 2})
    assert ablation.digest() == toy().digest()
    jobs = trials(ablation, tmp_path, range(3), ablation.full)
    carry_out(jobs, tmp_path, inline)
    told = outcome("toy", ablation, jobs, 0.1)
    assert [len(told["scores"][arm]["share"]["all"]) for arm in ("whole", "half")] == [3, 2]
    assert told["failed"] == [] and told["bars"][0]["holds"] is True
    assert "- seeds: 0, 1, 2, of 3 planned; half 2" in page(told)


def test_arms_may_be_run_one_after_the_other(tmp_path):
    assert run(tmp_path, "--seeds", "1", "--arms", "whole", "none") == 1
    assert [run["error"] for run in figures(tmp_path)["failed"]] == ["not run"]
    run(tmp_path, "--seeds", "1", "--resume")
    assert figures(tmp_path)["failed"] == []
    with pytest.raises(ConfigError, match=r"arms of toy: whole, half, none; got \['all'\]"):
        run(tmp_path, "--arms", "all")


def test_wrong_words_are_told(tmp_path):
    with pytest.raises(ConfigError, match="expected one of all") as caught:
        command.main(["nobody"])
    assert caught.value.code == ErrorCode.METHOD_UNKNOWN
    with pytest.raises(ConfigError, match="--seeds of at least 1, got 0"):
        run(tmp_path, "--seeds", "0")
    with pytest.raises(ConfigError, match="module:function"):
        find("no.such:trial")


@pytest.mark.parametrize(
    "wrong",
    [
        {"arms": (Arm(name="a", words=""),) * 2},
        {"measures": (Measure(name="other", words=""),)},
        {"arms": (Arm(name="whole", words=""),)},
    ],
)
def test_an_experiment_that_cannot_be_judged_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        replace(Toy.ablation, **wrong)
    with pytest.raises(ValueError, match="either at_least or at_most"):
        Bar(words="both", measure="share", arm="whole", at_least=0.0, at_most=1.0)


def test_words_may_be_corrected_after_a_run_but_no_bar():
    ablation = toy()
    assert replace(ablation, paper="It claims more.").digest() == ablation.digest()
    first = replace(ablation.bars[0], at_least=0.29)
    assert replace(ablation, bars=(first, *ablation.bars[1:])).digest() != ablation.digest()
