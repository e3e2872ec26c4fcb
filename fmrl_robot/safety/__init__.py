"""The gate: what stands between every command and the motors."""

from fmrl_robot.safety.gate import DEADLINE_S, Gate, GateStatus, State
from fmrl_robot.safety.stop_words import stop_words

__all__ = ["DEADLINE_S", "Gate", "GateStatus", "State", "stop_words"]
