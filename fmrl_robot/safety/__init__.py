"""The gate: what stands between every command and the motors."""

from fmrl_robot.safety.gate import DEADLINE_S, Gate, GateStatus, State

__all__ = ["DEADLINE_S", "Gate", "GateStatus", "State"]
