"""A stop at any moment can be lifted, and the robot does its next task: a few trials of many.

``fmrl eval rearm`` runs sixty of each kind. The control is a controller that hears of no gate: its
commands go on from where the robot was, and re-arming is refused.
"""

import pytest

from fmrl_robot.control.supervisor import Supervisor
from fmrl_robot.errors import ErrorCode
from fmrl_robot.evaluations.rearm import Trial, attempt, ways_of

pytestmark = pytest.mark.timeout(60)

SEEDS = {"trot": 7, "pace": 1, "bound": 2, "walk": 3, "sit": 4, "stand_up": 5, "drive": 41}
"""In trot, pace and drive it comes to lie on a leg: rising by interpolation would tip it over."""


def again(trial):
    tried = attempt(trial)
    assert tried.stopped, "a trial without a stop is none"
    assert tried.rearmed and tried.done, tried
    assert not tried.stood_up, "arming is asking for a robot that stands"


@pytest.mark.parametrize("activity", SEEDS)
def test_a_quadruped_that_was_stopped_at_anything_trots_again(activity):
    again(Trial(robot="go2", activity=activity, way="asked", seed=SEEDS[activity]))


@pytest.mark.parametrize("way", ways_of("go1")[1:])
def test_a_quadruped_recovers_from_every_way_to_be_stopped(way):
    again(Trial(robot="go1", activity="trot", way=way, seed=0))


@pytest.mark.parametrize(
    ("activity", "way"),
    [
        ("grasp transit", "asked"),
        ("grasp retreat", "killed"),
        ("place local", "silence"),
        ("open local", "asked"),
    ],
)
def test_an_arm_that_was_stopped_puts_a_cube_into_the_bowl(activity, way):
    again(Trial(robot="panda", activity=activity, way=way, seed=3))


def test_the_control_a_controller_that_hears_of_no_gate_is_not_armed_again(monkeypatch):
    def deaf(self, state, code=0, reason=""):
        return self.abandon(ErrorCode.GATE_STOPPED, reason) if state.name == "STOPPED" else None

    monkeypatch.setattr(Supervisor, "hear", deaf)
    tried = attempt(Trial(robot="go2", activity="trot", way="asked", seed=SEEDS["trot"]))
    assert tried.stopped and not tried.rearmed
    assert "move its target" in tried.why
