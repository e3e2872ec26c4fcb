"""Bookkeeping of the spine's evaluation; the graph itself is run by ``fmrl eval spine``."""

import numpy as np
import pytest

from fmrl_robot.evaluations import spine_arm, spine_quadruped
from fmrl_robot.planners.contact_patterns import GaitCall, draw_pattern, write_rows
from fmrl_robot.planners.saytap_commands import COMMANDS
from fmrl_robot.types import Predicate
from fmrl_sim.gaits import Motion
from fmrl_sim.goals import goal_of
from fmrl_sim.tasks.saytap_evaluation import saytap_commands


def step(gait, vx, seconds=5.0):
    pattern = draw_pattern(GaitCall(gait=gait, vx=vx))
    return {
        "id": "1",
        "pattern": write_rows(pattern),
        "dt_s": 0.02,
        "velocity": {"vx": vx, "vy": 0.0, "wz": 0.0},
        "duration_s": seconds,
    }


def moving(pattern, vx, rows=400, phase=7):
    column = (np.arange(rows) + phase) % pattern.shape[1]
    return Motion(
        dt_s=0.02,
        contacts=pattern[:, column].T,
        velocity=np.tile([vx, 0.0], (rows, 1)),
        height=np.full(rows, 0.3),
        upright=np.ones(rows),
    )


def test_there_are_eight_templates_with_seeds_of_their_own():
    drawn = spine_arm.episodes(10, 500)
    assert len({e["kind"] for e in drawn}) == 8
    assert len({e["seed"] for e in drawn}) == len(drawn) == 80


def test_the_goals_are_what_the_judge_reads_from_the_sentences():
    """Two authors of the same goal: the template, and the judge's grammar."""
    for episode in spine_arm.episodes(10, 500):
        wanted = {Predicate.parse(text) for text in episode["goal"]}
        assert set(goal_of(episode["instruction"], "arm").predicates) == wanted


def test_the_arm_needs_both_the_whole_and_every_template():
    def rows(done):
        return [
            {"kind": kind, "done": i < count, "success": True, "seconds": 1.0}
            for kind, count in done.items()
            for i in range(10)
        ]

    assert spine_arm.summary(rows({"a": 10, "b": 9}))["holds"]
    assert not spine_arm.summary(rows({"a": 10, "b": 10, "c": 10, "d": 6}))["holds"]
    assert not spine_arm.summary(rows({"a": 9, "b": 8}))["holds"]
    assert "17/20" in spine_arm.table(spine_arm.summary(rows({"a": 9, "b": 8})))


def test_the_references_and_the_instructions_are_the_same_commands():
    kinds = {1: "stand", 6: "bound", 12: "trot", 17: "pace", 23: "stand_2legs"}
    for command, wanted in zip(COMMANDS, saytap_commands(), strict=True):
        assert command.number == wanted.number
        low, high = command.segments[0].vx
        assert low <= wanted.vx <= high
        assert wanted.kind == kinds.get(command.number, wanted.kind)


def test_contacts_match_at_their_best_phase_only():
    trot, pace = saytap_commands()[11].patterns[0], saytap_commands()[16].patterns[0]
    assert spine_quadruped.match(moving(trot, 0.5).contacts, trot) == 1.0
    assert spine_quadruped.match(moving(pace, 0.5).contacts, trot) < 0.75


@pytest.mark.parametrize(("gait", "vx", "right"), [("trot", 0.5, True), ("pace", 0.5, False)])
def test_motion_is_judged_by_the_test_and_not_by_the_plan(gait, vx, right):
    """A plan for another gait, perfectly carried out, is a failure of plan and of motion."""
    result = {
        "number": 12,
        "instruction": "Trot forward slowly",
        "plan": [step(gait, vx)],
        "starts": [1.0],
    }
    motion = moving(draw_pattern(GaitCall(gait=gait, vx=vx)).contacts, vx)
    moved = spine_quadruped._moved(result, motion, 0.02 * np.arange(400))
    assert (moved["contact_match"] > 0.95) is right
    assert moved["vx_rms_error_m_s"] == pytest.approx(0.0)
    assert (spine_quadruped._plan_problems(result) == []) is right


def test_what_was_not_done_matches_nothing():
    result = {"number": 13, "instruction": "Trot forward fast", "plan": [], "starts": []}
    moved = spine_quadruped._moved(
        result, moving(np.ones((4, 26), bool), 0.0), 0.02 * np.arange(400)
    )
    assert moved["contact_match"] == 0.0
    assert moved["vx_rms_error_m_s"] == 1.0
