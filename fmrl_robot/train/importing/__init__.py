"""Policies trained elsewhere: read what they say, put them under this project's contract."""

from fmrl_robot.train.importing.adopt import Imported, import_policy

__all__ = ["Imported", "import_policy"]
