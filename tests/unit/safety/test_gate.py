"""Every guard of the gate: an attack that it refuses, and the same attack with the guard taken out.

The second half is the negative control: a test whose attack would be refused by something else, or
would do no harm, proves nothing about the guard.
"""

import numpy as np
import pytest
from gate_line import DT_S, Line, put
from hypothesis import given, settings
from hypothesis import strategies as st

from fmrl_robot.errors import ErrorCode
from fmrl_robot.robots import GO2, PANDA
from fmrl_robot.safety import State, checks
from fmrl_robot.safety import gate as gate_module
from fmrl_robot.safety.gate import DEADLINE_S


def wrong(field, value):
    """One joint of one array set to ``value``."""
    return lambda line: {field: put(getattr(line.make(), field), 2, value)}


def passes(*_):
    return None


ATTACKS = {
    # name: (what is changed, code, guards that have to be taken out for it to get through)
    "NaN": (
        wrong("position", np.nan),
        ErrorCode.COMMAND_NOT_FINITE,
        ["finite", "small_step"],
    ),
    "infinite effort": (
        wrong("effort", np.inf),
        ErrorCode.COMMAND_NOT_FINITE,
        ["finite", "within_limits"],
    ),
    "NaN stamp": (
        lambda line: {"stamp_s": np.nan},
        ErrorCode.COMMAND_NOT_FINITE,
        ["finite"],
    ),
    "a joint missing": (
        lambda line: {"names": line.spec.joint_names[:-1]},
        ErrorCode.COMMAND_INCOMPLETE,
        ["complete"],
    ),
    "joints in another order": (
        lambda line: {"names": line.spec.joint_names[::-1]},
        ErrorCode.COMMAND_INCOMPLETE,
        ["complete"],
    ),
    "beyond a joint": (
        wrong("position", 3.0),
        ErrorCode.POSITION_LIMIT,
        ["within_limits", "small_step"],
    ),
    "too fast": (wrong("velocity", 99.0), ErrorCode.VELOCITY_LIMIT, ["within_limits"]),
    "too strong": (wrong("effort", -1e4), ErrorCode.EFFORT_LIMIT, ["within_limits"]),
    "too stiff": (wrong("kp", 1e6), ErrorCode.GAIN_LIMIT, ["within_limits"]),
    "negative damping": (wrong("kd", -1.0), ErrorCode.GAIN_LIMIT, ["within_limits"]),
    "a jump": (wrong("position", 0.9), ErrorCode.STEP_LIMIT, ["small_step"]),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_whole_and_its_guard_is_why(name, monkeypatch):
    change, code, guards = ATTACKS[name]
    line = Line()
    followed = line.answer.command
    refusal = line.send(**change(line))
    assert refusal is not None
    assert refusal[0] is code
    assert refusal[1]
    assert line.answer.command is followed
    assert line.gate.status().refusals == {code: 1}

    for guard in guards:
        monkeypatch.setattr(checks, guard, passes)
    line = Line()
    assert line.send(**change(line)) is None, "the control: without the guard it gets through"


@pytest.mark.parametrize("lease", ["", "0123456789abcdef", "ключ"])
def test_only_the_holder_of_the_lease_commands(lease, monkeypatch):
    line = Line()
    assert line.send(lease=lease)[0] is ErrorCode.LEASE_INVALID

    monkeypatch.setattr(gate_module.secrets, "compare_digest", lambda *_: True)
    assert Line().send(lease=lease) is None


@pytest.mark.parametrize("age", [DEADLINE_S + 0.01, -DEADLINE_S - 0.01])
def test_a_command_that_answers_another_moment_is_refused(age, monkeypatch):
    line = Line()
    at = line.now + DT_S - age
    assert line.send(observation_stamp_s=at)[0] is ErrorCode.COMMAND_STALE

    monkeypatch.setattr(gate_module, "DEADLINE_S", 1.0)
    line = Line()
    assert line.send(observation_stamp_s=line.now + DT_S - age) is None


def test_silence_stops_after_the_deadline_and_not_before(monkeypatch):
    line = Line()
    line.wait(DEADLINE_S)
    assert line.state is State.ARMED
    line.wait(0.002)
    assert line.state is State.STOPPED
    assert line.answer.stopped
    assert line.answer.command is None
    assert line.gate.status().code is ErrorCode.COMMAND_SILENCE

    line = Line()
    monkeypatch.setattr(gate_module, "DEADLINE_S", np.inf)
    line.wait(3600.0)
    assert line.state is State.ARMED, "the control: without a deadline nothing stops it"


def test_a_stream_of_refused_commands_is_silence():
    line = Line()
    while line.state is State.ARMED:
        line.send(position=np.full(8, np.nan))
        assert line.now < 1.0
    assert line.gate.status().code is ErrorCode.COMMAND_NOT_FINITE


VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 5e-324, 1e308, np.nan, np.inf, -np.inf]),
)


@settings(max_examples=300, deadline=None)
@given(
    field=st.sampled_from(["position", "velocity", "effort", "kp", "kd"]),
    values=st.lists(VALUES, min_size=0, max_size=14),
    age=st.floats(-1.0, 1.0),
    seq=st.integers(-5, 2**63),
    spec=st.sampled_from([PANDA, GO2]),
)
def test_whatever_is_let_through_is_safe(field, values, age, seq, spec):
    line = Line(spec)
    last = line.answer.command.position
    line.send(**{field: np.array(values)}, seq=seq, observation_stamp_s=line.now + DT_S - age)
    command = line.answer.command
    assert command is not None
    for name in ("position", "velocity", "effort", "kp", "kd"):
        assert np.isfinite(getattr(command, name)).all()
    assert ((command.position >= spec.lower - 1e-5) & (command.position <= spec.upper + 1e-5)).all()
    assert (np.abs(command.velocity) <= spec.velocity + 1e-5).all()
    assert (np.abs(command.effort) <= spec.effort + 1e-5).all()
    assert (np.abs(command.position - last) <= spec.step + 1e-5).all()
