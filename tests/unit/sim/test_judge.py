"""Recorder, goals, gaits and the judge that reads only what was recorded."""

import errno
import json

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import PANDA
from fmrl_robot.safety import Gate
from fmrl_robot.types import SAYTAP_LEGS, Leg, Predicate
from fmrl_sim import judge, recorder
from fmrl_sim.body import MujocoBody
from fmrl_sim.gaits import Motion, happened, is_gait
from fmrl_sim.goals import Goal, Segment, UnknownGoal, goal_of
from fmrl_sim.scenes import SceneOptions, ground, rough, tabletop
from fmrl_sim.scenes.terrain import CELL_M


@pytest.fixture(scope="module")
def arm_scene():
    return tabletop.build()


def _recorded(scene, folder, seeds_and_options, error=""):
    gate = Gate(scene.robot)
    (seed, options), *later = seeds_and_options
    body = MujocoBody(scene, gate, seed=seed, options=options)
    writer = recorder.Recorder(folder, body)
    for step in range(25 * (1 + len(later))):
        if step and step % 25 == 0:
            body.reset(*later[step // 25 - 1])
        for _ in range(5):
            body.tick()
        writer.add(body)
    writer.close(error)
    return body


@pytest.mark.parametrize("place", ["bowl", "bin", "drawer"])
def test_the_judge_agrees_with_ground_truth(arm_scene, tmp_path, place):
    options = SceneOptions(at=(("red_cube", place),))
    body = _recorded(arm_scene, tmp_path, [(3, options)])
    facts = body.facts()
    for predicate in body.truth.vocabulary:
        verdict = judge.judge(tmp_path, Goal(predicates=(predicate,)))
        assert verdict.done == (predicate in facts), predicate
        assert verdict.facts == tuple(sorted(map(str, facts)))


def test_each_reset_is_an_episode_of_its_own(arm_scene, tmp_path):
    runs = [(1, SceneOptions()), (2, SceneOptions(at=(("blue_cube", "bowl"),)))]
    _recorded(arm_scene, tmp_path, runs)
    goal = Goal(predicates=(Predicate("in", ("blue_cube", "bowl")),))
    assert not judge.judge(tmp_path, goal, episode=0).done
    assert judge.judge(tmp_path, goal).done
    assert [recorder.load(tmp_path, e).seed for e in (0, 1)] == [1, 2]


def test_a_run_that_broke_is_not_done_whatever_its_last_state(arm_scene, tmp_path):
    _recorded(arm_scene, tmp_path, [(1, SceneOptions())], error="code=600 diverged")
    verdict = judge.judge(tmp_path, Goal(predicates=(Predicate("hand_empty"),)))
    assert not verdict.done
    assert "600" in verdict.reason


def test_the_command_line_tells_done_from_not_from_cannot(arm_scene, tmp_path, capsys):
    _recorded(arm_scene, tmp_path, [(3, SceneOptions(at=(("red_cube", "bowl"),)))])
    ask = ["--instruction", "put the red cube in the bowl"]
    assert judge.main([str(tmp_path), *ask]) == judge.DONE
    assert judge.main([str(tmp_path), "--goal", "in(red_cube, bin)"]) == judge.NOT_DONE
    assert judge.main([str(tmp_path), "--instruction", "make tea"]) == judge.CANNOT_TELL
    assert judge.main([str(tmp_path / "nowhere"), *ask]) == judge.CANNOT_TELL
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["done"] for line in lines] == [True, False, None, None]


def test_no_record_is_an_error_with_a_next_step(tmp_path):
    with pytest.raises(ConfigError, match="run the simulator"):
        recorder.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("put the red cube in the bowl", ["in(red_cube, bowl)"]),
        ("Put the blue cube into the bin.", ["in(blue_cube, bin)"]),
        ("stack the red cube on the green cube", ["on(red_cube, green_cube)"]),
        ("take the red cube out of the bowl", ["on(red_cube, table)"]),
        ("open the drawer", ["open(drawer)"]),
        ("close the drawer", ["closed(drawer)"]),
        ("pick up the yellow cube", ["held(yellow_cube)"]),
        (
            "put the red cube in the drawer and close it",
            ["in(red_cube, drawer)", "closed(drawer)"],
        ),
        (
            "open the drawer, put the green cube in it and close it",
            ["in(green_cube, drawer)", "closed(drawer)"],
        ),
        (
            "put the red cube in the bowl, then press the button",
            ["in(red_cube, bowl)", "pressed(button)"],
        ),
        (
            "build a tower: blue at the bottom, then red, then green on top",
            ["on(red_cube, blue_cube)", "on(green_cube, red_cube)"],
        ),
        (
            "stack the red cube on the yellow cube and the blue cube on the red cube",
            ["on(red_cube, yellow_cube)", "on(blue_cube, red_cube)"],
        ),
        (
            "put the red cube in the bowl and the blue cube in the bin",
            ["in(red_cube, bowl)", "in(blue_cube, bin)"],
        ),
    ],
)
def test_templates_read_the_benchmarks_sentences(text, goal):
    assert [str(p) for p in goal_of(text, "arm").predicates] == goal


@pytest.mark.parametrize("text", ["", "put the purple cube in the bowl", "make tea", "red bowl"])
def test_templates_say_so_where_they_cannot_read(text):
    with pytest.raises(UnknownGoal):
        goal_of(text, "arm")


def test_templates_read_locomotion():
    goal = goal_of("trot forward slowly, then stand still", "quadruped")
    assert goal.segments == (
        Segment(gait="trot", vx=0.5, duration_s=5.0),
        Segment(gait="stand", vx=0.0, duration_s=2.0),
    )
    back = goal_of("bound backward fast", "quadruped").segments[0]
    assert (back.gait, back.vx) == ("bound", -1.0)
    lift = goal_of("lift the front left leg", "quadruped").segments[0]
    assert (lift.gait, lift.up) == ("stand", (Leg.FL,))
    with pytest.raises(UnknownGoal):
        goal_of("dance", "quadruped")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lift RR", Segment(gait="stand", duration_s=2.0, up=(Leg.RR,))),
        (
            "Stand on front right and rear left legs",
            Segment(gait="stand", duration_s=2.0, up=(Leg.FL, Leg.RR)),
        ),
        (
            "Stand on three legs with RR in the air",
            Segment(gait="stand", duration_s=2.0, up=(Leg.RR,)),
        ),
        (
            "Trot in place, with a suspension phase where all feet are off the ground",
            Segment(gait="trot", airborne=True),
        ),
        (
            "Trot forward, with the front right leg moving at a higher frequency",
            Segment(gait="trot", vx=0.5, faster=Leg.FR),
        ),
    ],
)
def test_templates_read_special_gaits(text, expected):
    assert goal_of(text, "quadruped").segments == (expected,)


def test_airborne_and_faster_are_not_taken_on_trust():
    flying = _steps((Leg.FL, Leg.RR), 5.0, duty=0.4)
    assert is_gait(flying, Segment(gait="trot", airborne=True))
    assert not is_gait(GAITS["trot"], Segment(gait="trot", airborne=True))
    quick = GAITS["trot"].copy()
    quick[:, 1] = _steps((Leg.FR,), 5.0, period=0.25)[:, 1]
    assert is_gait(quick, Segment(gait="trot", faster=Leg.FR))
    assert not is_gait(GAITS["trot"], Segment(gait="trot", faster=Leg.FR))


def _steps(pairs, seconds, dt=0.02, duty=0.6, period=0.5):
    t = np.arange(round(seconds / dt)) * dt
    first = (t % period) < duty * period
    second = ((t + period / 2) % period) < duty * period
    return np.stack([first if leg in pairs else second for leg in SAYTAP_LEGS], axis=1)


GAITS = {
    "trot": _steps((Leg.FL, Leg.RR), 5.0),
    "pace": _steps((Leg.FL, Leg.RL), 5.0),
    "bound": _steps((Leg.FL, Leg.FR), 5.0),
    "stand": np.ones((250, 4), bool),
}


@pytest.mark.parametrize("name", GAITS)
def test_a_gait_is_itself_and_no_other(name):
    for other, contacts in GAITS.items():
        assert is_gait(contacts, Segment(gait=name)) == (name == other), other


def test_a_lifted_leg_has_to_be_in_the_air():
    contacts = GAITS["stand"].copy()
    lifted = Segment(gait="stand", up=(Leg.FL,))
    assert not is_gait(contacts, lifted)
    contacts[:, 0] = False
    assert is_gait(contacts, lifted)
    assert not is_gait(contacts, Segment(gait="stand"))


def _motion(parts):
    contacts = np.concatenate([c for c, _ in parts])
    speeds = np.concatenate([np.full(len(c), v) for c, v in parts])
    rows = len(contacts)
    return Motion(
        dt_s=0.02,
        contacts=contacts,
        velocity=np.stack([speeds, np.zeros(rows)], axis=1),
        height=np.full(rows, 0.27),
        upright=np.ones(rows),
    )


def test_segments_have_to_happen_in_order_and_long_enough():
    goal = goal_of("trot forward slowly, then stand still", "quadruped").segments
    stand, trot = GAITS["stand"][:100], GAITS["trot"]
    assert happened(_motion([(stand, 0.0), (trot, 0.45), (stand, 0.0)]), goal)[0] == 2
    assert happened(_motion([(stand, 0.0), (trot, 0.45)]), goal)[0] == 1
    assert happened(_motion([(stand, 0.0), (trot[:150], 0.45), (stand, 0.0)]), goal)[0] == 0
    assert happened(_motion([(trot, 0.05), (stand, 0.0)]), goal)[0] == 0
    assert happened(_motion([(GAITS["pace"], 0.45), (stand, 0.0)]), goal)[0] == 0


def record(body, folder):
    writer = recorder.Recorder(folder, body)
    for _ in range(150):
        for _ in range(5):
            body.tick()
        writer.add(body)
    writer.close()


def test_a_robot_that_stands_in_a_pit_has_not_fallen(tmp_path):
    scene, course = rough.build("go2"), rough.ground()
    body = MujocoBody(scene, Gate(scene.robot))
    row, column = np.unravel_index(course.heights.argmin(), course.heights.shape)
    centre = (np.array(course.heights.shape) - 1) / 2
    # Half a metre into the level bottom, of which this is the first corner.
    body.data.qpos[:2] = (np.array([column, row]) - centre[::-1] + 10) * CELL_M
    body.data.qpos[2] = course.heights[row, column] + scene.robot.base_height_m
    record(body, tmp_path)
    assert body.data.qpos[2] < -0.5
    assert judge.main([str(tmp_path), "--instruction", "stand still"]) == judge.DONE
    assert judge.main([str(tmp_path), "--instruction", "trot in place"]) == judge.NOT_DONE


def test_a_standing_robot_did_not_trot_but_stood(tmp_path):
    scene = ground.build("go2")
    body = MujocoBody(scene, Gate(scene.robot))
    record(body, tmp_path)
    assert judge.judge(tmp_path, goal_of("stand still", "quadruped")).done
    assert not judge.judge(tmp_path, goal_of("trot in place", "quadruped")).done


def test_a_record_whose_end_found_no_room_is_no_record_to_judge_by(tmp_path, monkeypatch, capsys):
    """The state of some seconds before would get a verdict that nobody asked for."""
    body = MujocoBody(tabletop.build(), Gate(PANDA))
    writer = recorder.Recorder(tmp_path, body)
    for _ in range(recorder.SAVE_EVERY):
        writer.add(body)
    writer._writer.join(10.0)
    asked = [str(tmp_path), "--goal", "on(red_cube, table)"]
    assert judge.main(asked) == judge.DONE
    save = np.savez

    def full(file, **arrays):
        save(file, **arrays)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    for _ in range(recorder.SAVE_EVERY):
        writer.add(body)
    writer._writer.join(10.0)
    assert "No space left" in writer.problem
    assert [p.name for p in tmp_path.iterdir()] == [recorder.FILE_NAME]
    with pytest.raises(ConfigError) as caught:
        writer.close()
    assert caught.value.code == ErrorCode.WRITE_FAILED
    assert [p.name for p in tmp_path.iterdir()] == [recorder.UNFINISHED]
    capsys.readouterr()
    assert judge.main(asked) == judge.CANNOT_TELL
    assert recorder.UNFINISHED in capsys.readouterr().out


@pytest.mark.parametrize("left", [0, 1000, -100])
def test_a_record_that_is_cut_short_is_named(tmp_path, capsys, left):
    record(MujocoBody(tabletop.build(), Gate(PANDA)), tmp_path)
    file = tmp_path / recorder.FILE_NAME
    file.write_bytes(file.read_bytes()[:left])
    assert judge.main([str(tmp_path), "--goal", "on(red_cube, table)"]) == judge.CANNOT_TELL
    said = json.loads(capsys.readouterr().out)["reason"]
    assert said.startswith("expected a record of this library")
    assert str(file) in said


def test_an_episode_that_was_not_is_named(tmp_path):
    record(MujocoBody(tabletop.build(), Gate(PANDA)), tmp_path)
    with pytest.raises(ConfigError, match="with episode 7 at"):
        recorder.load(tmp_path, 7)
