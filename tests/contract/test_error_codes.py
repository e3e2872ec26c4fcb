"""docs/errors.md and the enum are the same list."""

import re
from pathlib import Path

from fmrl_robot.errors import ErrorCode

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def test_every_code_is_explained_once_and_no_other():
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (.+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert [(int(number), name) for number, name, _, _ in rows] == [
        (int(code), code.name) for code in ErrorCode
    ]
    assert all(len(what) > 10 for _, _, what, _ in rows)
