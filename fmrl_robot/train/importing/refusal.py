"""How an import says no: field, what was expected, what came, what to do."""

from __future__ import annotations

from fmrl_robot.errors import ConfigError, ErrorCode


def refused(field: str, expected: object, got: object, todo: str) -> ConfigError:
    """The error for one field of a file that is not taken."""
    return ConfigError(
        f"expected {field} = {expected}, got {got!r}; {todo}", ErrorCode.POLICY_REFUSED
    )
