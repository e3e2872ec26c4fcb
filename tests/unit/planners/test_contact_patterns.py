import numpy as np
import pytest

from fmrl_robot.errors import ErrorCode, Retryable
from fmrl_robot.planners.contact_patterns import (
    GaitCall,
    draw_pattern,
    name_gait,
    parse_rows,
    write_rows,
)
from fmrl_robot.planners.saytap_commands import period_s, touchdowns
from fmrl_robot.types import SAYTAP_LEGS, ContactPattern, Leg


def rows(**call):
    pattern = draw_pattern(GaitCall(**call))
    return dict(zip(pattern.legs, pattern.contacts, strict=True))


def test_trot_moves_diagonal_legs_together_sixteen_of_twenty_six_columns():
    legs = rows(gait="trot")
    assert (legs[Leg.FL] == legs[Leg.RR]).all() and (legs[Leg.FR] == legs[Leg.RL]).all()
    assert legs[Leg.FL].tolist() == [True] * 16 + [False] * 10
    assert legs[Leg.FR].tolist() == [False] * 10 + [True] * 16


def test_pace_runs_at_half_the_cycle_with_legs_of_a_side_together():
    pattern = draw_pattern(GaitCall(gait="pace"))
    legs = dict(zip(pattern.legs, pattern.contacts, strict=True))
    assert (legs[Leg.FL] == legs[Leg.RL]).all() and not (legs[Leg.FL] == legs[Leg.FR]).all()
    assert period_s(pattern) == pytest.approx(0.26)


def test_bound_flies_for_at_least_a_quarter_of_the_cycle():
    legs = rows(gait="bound")
    assert (legs[Leg.FL] == legs[Leg.FR]).all() and (legs[Leg.RL] == legs[Leg.RR]).all()
    assert (~np.stack(list(legs.values())).any(axis=0)).mean() >= 0.25


@pytest.mark.parametrize("gait", ["trot", "pace"])
def test_suspension_lifts_all_feet(gait):
    assert draw_pattern(GaitCall(gait=gait)).contacts.any(axis=0).all()
    airborne = ~draw_pattern(GaitCall(gait=gait, suspended=True)).contacts.any(axis=0)
    assert airborne.mean() >= 0.1


@pytest.mark.parametrize("leg", SAYTAP_LEGS)
@pytest.mark.parametrize("gait", ["trot", "pace", "bound"])
def test_a_faster_leg_comes_down_twice_as_often(gait, leg):
    legs = rows(gait=gait, faster=leg)
    others = {touchdowns(row) for name, row in legs.items() if name != leg}
    assert touchdowns(legs[leg]) == 2 * others.pop() and not others


def test_lifted_legs_never_touch():
    legs = rows(gait="stand", up=frozenset({Leg.FL, Leg.RR}))
    assert not legs[Leg.FL].any() and not legs[Leg.RR].any()
    assert legs[Leg.FR].all() and legs[Leg.RL].all()


def test_rows_survive_a_round_trip():
    pattern = draw_pattern(GaitCall(gait="bound", tempo="calm"))
    assert (parse_rows(write_rows(pattern)).contacts == pattern.contacts).all()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"FL": "1" * 25}, "one length"),
        ({"FL": "2" * 26}, "digits"),
        (dict.fromkeys(("FL", "FR", "RL", "RR"), "1" * 90), "columns"),
    ],
)
def test_bad_rows_are_retryable_with_a_reason(change, words):
    good = dict.fromkeys(("FL", "FR", "RL", "RR"), "1" * 26)
    with pytest.raises(Retryable, match=words) as caught:
        parse_rows({**good, **change})
    assert caught.value.code == ErrorCode.PATTERN_INVALID


def test_a_missing_leg_is_named():
    with pytest.raises(Retryable, match="RR missing"):
        parse_rows(dict.fromkeys(("FL", "FR", "RL"), "1" * 26))


@pytest.mark.parametrize("tempo", ["", "quick", "calm"])
@pytest.mark.parametrize("gait", ["stand", "trot", "pace", "bound"])
def test_a_drawn_gait_is_named_again(gait, tempo):
    calls = [GaitCall(gait=gait, tempo=tempo), GaitCall(gait=gait, tempo=tempo, suspended=True)]
    calls += [GaitCall(gait=gait, tempo=tempo, up=frozenset({leg})) for leg in SAYTAP_LEGS]
    if gait != "stand":
        calls += [GaitCall(gait=gait, tempo=tempo, faster=leg) for leg in SAYTAP_LEGS]
    assert {name_gait(draw_pattern(call)) for call in calls} == {gait}


def test_a_pattern_of_no_gait_is_named_as_none():
    walk = np.stack([np.roll([True] * 18 + [False] * 6, 6 * leg) for leg in range(4)])
    assert name_gait(ContactPattern(contacts=walk)) == "pattern"
