from dataclasses import dataclass, field

import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.settings import Count, build


@dataclass(frozen=True)
class Inner:
    weight: float = 1.0
    span: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Outer:
    count: Count = 1
    name: str = "a"
    layers: tuple[int, ...] = (8, 4)
    inner: Inner = field(default_factory=Inner)


def test_nested_settings_as_yaml_has_them():
    values = {"count": 3, "layers": [1, 2], "inner": {"weight": 2, "span": [1, 2.5]}}
    assert build(Outer, values, "x.yaml") == Outer(3, "a", (1, 2), Inner(2.0, (1.0, 2.5)))
    assert build(Outer, {}, "x.yaml") == Outer()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"cout": 3}, r"x.yaml: expected fields of Outer \(count, .*\), got cout"),
        ({"inner": {"wait": 3}}, r"expected fields of Inner \(span, weight\), got inner.wait"),
        ({"count": "many"}, r"expected a valid integer at count, got 'many'"),
        ({"count": 0}, r"expected greater than 0 at count, got 0"),
        ({"count": 1.5}, r"expected a valid integer at count, got 1.5"),
        ({"layers": [1, "two"]}, r"at layers.1, got 'two'"),
        ({"inner": {"span": [1]}}, r"inner.span"),
        ({"inner": 3}, r"at inner, got 3"),
        ({"count": "x", "name": 3}, r"at count, got 'x'; .* at name, got 3"),
    ],
)
def test_a_wrong_setting_is_named(values, told):
    with pytest.raises(ConfigError, match=told):
        build(Outer, values, "x.yaml")
