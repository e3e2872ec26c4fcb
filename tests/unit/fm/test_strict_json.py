import pytest

from fmrl_robot.fm.strict_json import loads


def test_json_is_read():
    assert loads(' {"v": [1, 0.5, -1e-3, "NaN", null, true]} ') == {
        "v": [1, 0.5, -1e-3, "NaN", None, True]
    }


@pytest.mark.parametrize(
    "text",
    ["NaN", "-Infinity", '{"v": Infinity}', "[1e999]", "-1e999", "1" * 5000, "[" * 100_000, "", "x",
     '{"v": 1,}', "'v'"],
)  # fmt: skip
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"\w"):
        loads(text)
