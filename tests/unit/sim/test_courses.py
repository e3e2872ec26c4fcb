"""Where a quadruped went, judged from rows that are drawn here."""

import numpy as np
import pytest

from fmrl_robot.errors import FmrlError
from fmrl_sim.courses import Course, followed
from fmrl_sim.gaits import Motion
from fmrl_sim.goals import Segment, Stop, goal_of

DT = 0.02
MARKER = (2.0, 0.0)


def course(*parts, marker=MARKER, shoved=0.0):
    """Parts: (x, y, yaw in degrees, seconds to get there) or with a pitch and a height too."""
    rows = [(0.0, 0.0, 0.0, 0.0, 0.27)] * 50
    for x, y, degrees, seconds, *posture in parts:
        pitch, height = posture or (0.0, 0.27)
        start, end = np.array(rows[-1]), np.array([x, y, np.radians(degrees), pitch, height])
        steps = round(seconds / DT)
        rows += [tuple(start + (end - start) * (k + 1) / steps) for k in range(steps)]
        rows += [rows[-1]] * 50
    table = np.array(rows)
    count = len(table)
    velocity = np.gradient(table[:, :2], DT, axis=0)
    contacts = np.ones((count, 4), dtype=np.bool_)
    motion = Motion(
        dt_s=DT,
        contacts=contacts,
        velocity=velocity,
        height=table[:, 4],
        upright=np.cos(table[:, 3]),
    )
    at = np.tile(np.array(marker), (count, 1))
    at[count // 2 :, 0] += shoved
    return Course(
        motion=motion,
        place=table[:, :2],
        yaw=table[:, 2],
        pitch=table[:, 3],
        things={"red_marker": at},
    )


def holds(text, made):
    wanted = goal_of(text, "quadruped").segments
    return followed(made, wanted)[0] == len(wanted)


def test_a_marker_is_reached_where_it_ends_half_a_metre_before_it():
    assert holds("walk to the red marker", course((1.45, 0.0, 0.0, 3.0)))
    assert not holds("walk to the red marker", course((1.0, 0.0, 0.0, 3.0)))
    # It was there, but went on.
    away = course((1.45, 0.0, 0.0, 3.0), (0.0, 0.0, 0.0, 3.0))
    assert not holds("walk to the red marker", away)
    assert holds("walk to the red marker and come back", away)
    assert not holds("come back, then walk to the red marker", away)


def test_a_marker_that_was_run_into_was_not_reached():
    made = course((1.45, 0.0, 0.0, 3.0), shoved=0.3)
    wanted = goal_of("walk to the red marker", "quadruped").segments
    assert followed(made, wanted) == (0, "it ran into the red marker")


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("turn left", 90),
        ("turn right", -90),
        ("turn around", 180),
        ("turn around", -180),
        ("turn right by 45 degrees", -45),
    ],
)
def test_a_turn_has_to_be_by_that_much_and_to_that_side(text, degrees):
    assert holds(text, course((0.0, 0.0, degrees, 4.0)))
    assert not holds(text, course((0.0, 0.0, 0.6 * degrees, 4.0)))
    assert not holds(text, course((1.5, 0.0, degrees, 4.0)))
    if "around" not in text:
        assert not holds(text, course((0.0, 0.0, -degrees, 4.0)))


def test_a_way_is_in_the_robots_own_directions():
    turned = ((0.0, 0.0, 90.0, 4.0),)
    assert holds("turn left, then walk backward 1 m", course(*turned, (0.0, -1.0, 90.0, 3.0)))
    assert not holds("turn left, then walk backward 1 m", course(*turned, (-1.0, 0.0, 90.0, 3.0)))
    assert holds("step a metre to the left", course((0.0, 1.0, 0.0, 4.0)))
    assert not holds("step a metre to the left", course((0.0, -1.0, 0.0, 4.0)))
    assert not holds("walk forward 2 m", course((1.0, 0.0, 0.0, 3.0)))


def test_around_goes_all_the_way_round():
    ring = [
        (2.0 - 0.8 * np.cos(a), -0.8 * np.sin(a), 0.0, 1.0) for a in np.linspace(0, 2 * np.pi, 13)
    ]
    assert holds("go around the red marker", course(*ring))
    assert not holds("go around the red marker", course(*ring[:7]))


def test_postures_are_taken_one_after_the_other():
    sits, stands = (0.0, 0.0, 0.0, 1.0, -0.8, 0.24), (0.0, 0.0, 0.0, 1.0, 0.0, 0.27)
    assert holds("sit down", course(sits))
    assert holds("sit down, then stand up", course(sits, stands))
    assert not holds("sit down, then stand up", course(sits))
    assert not holds("sit down", course(sits, stands))


def test_standing_still_and_places_can_be_mixed():
    text = "walk to the red marker, then stand still for 3 seconds"
    assert holds(text, course((1.45, 0.0, 0.0, 3.0), (1.45, 0.0, 0.0, 2.5)))
    assert not holds(text, course((1.45, 0.0, 0.0, 3.0), (1.45, 0.0, 0.0, 0.02)))


def test_words_that_are_none_of_the_forms_are_refused_and_gaits_read_as_before():
    with pytest.raises(FmrlError):
        goal_of("walk to the red marker, then juggle", "quadruped")
    plain = goal_of("trot forward slowly, then stand still", "quadruped").segments
    assert all(isinstance(s, Segment) for s in plain) and len(plain) == 2
    mixed = goal_of("trot in place for 4 seconds and face the blue one", "quadruped").segments
    assert isinstance(mixed[0], Segment) and mixed[1] == Stop(kind="facing", thing="blue_marker")
