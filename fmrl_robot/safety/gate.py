"""The gate: every command passes it or does not, in the body's own process, numpy only.

``now`` is injected: physics time in simulation, so that a paused simulation trips nothing, the
monotonic clock on hardware. Silence for ``DEADLINE_S`` stops the robot by its stop kind, and so
does a stream of refused commands, because a refused command is none. A stop latches; re-arming
takes a request and ``REARM_S`` of commands that are on time and in order.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from fmrl_robot.errors import ErrorCode, apart
from fmrl_robot.robots import RobotSpec
from fmrl_robot.safety import checks
from fmrl_robot.types import FloatArray, JointCommand

DEADLINE_S = 0.1
"""Greatest age of what a command answers, and greatest gap between commands."""
REARM_S = 1.0
LATE_S = 0.08
"""How long commands may come later than the holder's policy bears."""
BURST_PERIODS = 5.0
"""Periods' worth of steps that may be in hand, for commands that come late or bunched."""


class State(IntEnum):
    """Where the gate stands; the numbers are those of fmrl_msgs/GateState."""

    DISARMED = 0
    ARMED = 1
    STOPPED = 2
    REARMING = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What to apply now."""

    command: JointCommand | None
    """None where nothing was let through yet, and in a stop."""
    stopped: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class GateStatus:
    """What the gate lets through, and why not."""

    state: State
    code: ErrorCode
    reason: str
    holder: str
    received: int
    accepted: int
    refused: int
    stops: int
    refusals: dict[ErrorCode, int] = field(default_factory=dict)
    delay_s: float = 0.0
    """From the stamp of the observation to the receipt of the last accepted command."""
    delay_max_s: float = 0.0


class Gate:
    """The gate of one robot."""

    def __init__(self, spec: RobotSpec, *, arm_after_s: float = 0.0) -> None:
        """Begin disarmed.

        Args:
            spec: the robot.
            arm_after_s: how long commands have to be acceptable and on time before the first of
                them is followed. Bodies that other processes command pass ``REARM_S``: while a
                graph starts, its processes stumble, and that is no reason to stop a robot.
        """
        self._spec = spec
        self._arm_after_s = arm_after_s
        self._state = State.DISARMED
        self._code, self._reason = ErrorCode.OK, ""
        self._holder, self._lease = "", ""
        self._received = self._accepted = self._stops = 0
        self._refusals: Counter[ErrorCode] = Counter()
        self._delay = self._delay_max = 0.0
        self._max_delay, self._late_since = 0.0, np.inf
        self._measured: FloatArray = spec.default.copy()
        self._last: JointCommand | None = None
        self._last_at = -np.inf
        self._steps = 0.0
        self._seq = -1
        self._rearm_from = np.inf
        self._last_refusal: checks.Refusal | None = None

    # --- who may command --------------------------------------------------------------------------

    def acquire(
        self, holder: str, take_over: bool = False, max_delay_s: float = 0.0
    ) -> tuple[bool, str, str]:
        """Grant the lease; returns (granted, token, why not).

        Args:
            holder: who asks; the same one may ask again (it restarted).
            take_over: take it from another holder.
            max_delay_s: from an observation to the command that answers it, the most that the
                holder's policies bear; 0: no less than the gate's own deadline.
        """
        if not holder:
            return False, "", "expected the holder's name, got none"
        if self._holder and holder != self._holder and not take_over:
            return False, "", f"held by {self._holder}; ask with take_over to displace it"
        self._holder, self._lease, self._seq = holder, secrets.token_hex(8), -1
        self._max_delay, self._late_since = max_delay_s, np.inf
        return True, self._lease, ""

    # --- commands in ------------------------------------------------------------------------------

    def submit(self, command: JointCommand, now: float) -> checks.Refusal | None:
        """Judge a command that has just arrived; None: it is let through."""
        self._received += 1
        # Were it left to the next tick, a command that ends a silence would also hide it.
        self._watch(now)
        refusal = self._judge(command, now)
        if refusal is not None:
            self._refuse(refusal, now)
            return refusal
        self._accepted += 1
        self._delay = now - command.observation_stamp_s
        self._delay_max = max(self._delay_max, self._delay)
        late = self._silent(now)
        self._steps = self._steps_left(command, now)
        self._seq, self._last, self._last_at = command.seq, command, now
        self._last_refusal = None
        if self._state is State.DISARMED:
            self._arm(now, late, self._arm_after_s)
        elif self._state is State.REARMING:
            self._arm(now, late, REARM_S)
        self._bear(now)
        return None

    def _bear(self, now: float) -> None:
        """Stop a robot whose policy answers later than it was trained to, before it falls."""
        # A command is in force for a period anyway, so a period more is no news to the policy.
        limit = self._max_delay + self._spec.command_dt_s
        if not self._max_delay or self._delay <= limit:
            self._late_since = np.inf
            return
        self._late_since = min(self._late_since, now)
        if self._state is State.ARMED and now - self._late_since >= LATE_S:
            got, most = apart(self._delay, limit)
            why = f"expected commands within {most} s of what they answer, got {got} s"
            self._latch(ErrorCode.COMMAND_LATE, why)

    def _refuse(self, refusal: checks.Refusal, now: float) -> None:
        self._refusals[refusal[0]] += 1
        self._last_refusal = refusal
        if refusal[0] is ErrorCode.LEASE_INVALID:
            return  # A stranger's fault is not the holder's.
        if self._state is State.REARMING:
            self._latch(*refusal)
        elif self._state is State.DISARMED:
            self._rearm_from = now

    def _judge(self, command: JointCommand, now: float) -> checks.Refusal | None:
        if not self._lease or not secrets.compare_digest(
            command.lease.encode(), self._lease.encode()
        ):
            return ErrorCode.LEASE_INVALID, "expected the lease of the present holder; acquire it"
        broken = checks.complete(command, self._spec) or checks.finite(command)
        if broken:
            return broken
        if command.seq <= self._seq:
            return (
                ErrorCode.COMMAND_REPLAYED,
                f"expected a sequence number above {self._seq}, got {command.seq}",
            )
        age = now - command.observation_stamp_s
        if not -DEADLINE_S <= age <= DEADLINE_S:
            got, most, _ = apart(age, DEADLINE_S, -DEADLINE_S)
            return (
                ErrorCode.COMMAND_STALE,
                f"expected an observation younger than {most} s, got one {got} s old",
            )
        if self._state is State.STOPPED:
            return ErrorCode.NOT_ARMED, f"stopped ({self._reason}); re-arm first"
        return checks.within_limits(command, self._spec) or self._step(command, now)

    def _step(self, command: JointCommand, now: float) -> checks.Refusal | None:
        if self._state is State.ARMED and self._last is not None:
            periods = min(max(self._periods(now), 1.0), self._steps_in_hand(now))
            return checks.small_step(command, self._spec, self._last.position, periods)
        # Nothing is being followed yet, so the step counts from where the robot is.
        return checks.small_step(command, self._spec, self._measured, 1.0)

    def _periods(self, now: float) -> float:
        return min((now - self._last_at) / self._spec.command_dt_s, BURST_PERIODS)

    def _steps_in_hand(self, now: float) -> float:
        """Steps allowed at ``now``: one accrues a period, so many small commands gain nothing."""
        return min(self._steps + self._periods(now), BURST_PERIODS)

    def _steps_left(self, command: JointCommand, now: float) -> float:
        """What remains once ``command`` is let through."""
        if self._state is not State.ARMED or self._last is None:
            return 1.0
        step = np.abs(command.position - self._last.position) / self._spec.step
        return self._steps_in_hand(now) - float(step.max())

    def _arm(self, now: float, late: bool, after_s: float) -> None:
        if late:
            self._rearm_from = now
        if now - self._rearm_from >= after_s:
            self._state, self._code, self._reason = State.ARMED, ErrorCode.OK, ""

    # --- what to apply ----------------------------------------------------------------------------

    def observe(self, q: FloatArray) -> None:
        """Hear where the joints are, shape (n,)."""
        self._measured = q

    def tick(self, now: float) -> Answer:
        """Return what to apply at ``now``."""
        self._watch(now)
        armed = self._state is State.ARMED
        return Answer(
            command=self._last if armed else None,
            stopped=self._state in (State.STOPPED, State.REARMING),
        )

    def _silent(self, now: float) -> bool:
        return not now - self._last_at <= DEADLINE_S  # so written, NaN is silence too

    def _watch(self, now: float) -> None:
        """Stop a robot that nobody commands any more."""
        if not self._silent(now):
            return
        if self._state is State.ARMED and self._last_refusal is not None:
            code, why = self._last_refusal
            self._latch(code, f"no acceptable command for {DEADLINE_S} s: {why}")
        elif self._state is State.ARMED:
            self._latch(ErrorCode.COMMAND_SILENCE, f"no command for {DEADLINE_S} s")
        elif self._state is State.REARMING and np.isfinite(self._rearm_from):
            self._latch(ErrorCode.COMMAND_SILENCE, "commands stopped while re-arming")

    def stop(self, reason: str = "asked to stop") -> None:
        """Stop now, whoever commands; this reason outlasts that of a stop under way."""
        self._latch(ErrorCode.STOP_REQUESTED, reason)
        self._code, self._reason = ErrorCode.STOP_REQUESTED, reason

    def _latch(self, code: ErrorCode, reason: str) -> None:
        if self._state is not State.STOPPED:
            self._stops += self._state is not State.REARMING
            self._state, self._code, self._reason = State.STOPPED, code, reason

    def rearm(self) -> tuple[bool, str]:
        """Ask for re-arming; the stop ends after ``REARM_S`` of acceptable commands on time."""
        if self._state is not State.STOPPED:
            return False, f"expected a stopped gate, got {self._state.name}"
        self._state, self._rearm_from, self._last_at = State.REARMING, np.inf, -np.inf
        return True, f"send commands for {REARM_S} s"

    def reset(self, now: float) -> None:
        """Forget what was commanded: the world has been put into another state (simulation)."""
        del now
        self._state, self._code, self._reason = State.DISARMED, ErrorCode.OK, ""
        self._last, self._last_at, self._last_refusal = None, -np.inf, None
        self._rearm_from = np.inf
        # Whoever commands has started long since.
        self._arm_after_s = min(self._arm_after_s, REARM_S)

    @property
    def state(self) -> State:
        """Where the gate stands."""
        return self._state

    def status(self) -> GateStatus:
        """Return state, counters and the measured delay."""
        return GateStatus(
            state=self._state,
            code=self._code,
            reason=self._reason,
            holder=self._holder,
            received=self._received,
            accepted=self._accepted,
            refused=sum(self._refusals.values()),
            stops=self._stops,
            refusals=dict(self._refusals),
            delay_s=self._delay,
            delay_max_s=self._delay_max,
        )
