"""How a trial of ``fmrl eval rearm`` stops a robot and asks for re-arming, whatever robot it is."""

from __future__ import annotations

from collections.abc import Callable

from fmrl_robot.protocols import Controller
from fmrl_robot.safety import State
from fmrl_sim.lockstep import Loop

PATIENCE_S = 4.0
"""How long re-arming may take; the gate wants a second."""
EXTRA_DELAY_S = 0.04
"""Beyond what the policy bears; the gate's own deadline lets it pass."""


def stop(loop: Loop, way: str, fresh: Callable[[], Controller], rest_s: float) -> bool:
    """Stop the robot in one of the WAYS and let it rest; whether the gate has stopped it.

    Args:
        loop: a robot that does something.
        way: one of WAYS.
        fresh: builds the controller that takes the place of one that died.
        rest_s: from the stop to the request.
    """
    if way == "asked":
        loop.gate.stop()
    elif way == "late":
        loop.delay_s = loop.supervisor.max_delay_s + EXTRA_DELAY_S
    else:
        loop.mute = True
    loop.idle(0.5)
    stopped = loop.gate.status().state is State.STOPPED
    loop.delay_s, loop.mute = 0.0, False
    if way == "killed":
        loop.restart(fresh())
    loop.idle(rest_s)
    return stopped


def rearm(loop: Loop) -> str:
    """Ask once; return why the gate is not armed afterwards, empty where it is."""
    asked, why = loop.gate.rearm()
    if not asked:
        return why
    end = loop.body.now + PATIENCE_S
    while loop.gate.status().state is State.REARMING and loop.body.now < end:
        loop.tick()
    status = loop.gate.status()
    return "" if status.state is State.ARMED else f"{status.state.name}: {status.reason}"
