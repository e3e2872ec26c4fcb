import imageio.v3 as iio
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.view.play_command import main


def test_a_skill_of_the_arm_is_filmed(tmp_path):
    out = tmp_path / "press.mp4"
    assert main(["panda-press", "--out", str(out)]) == 0
    frames = iio.imread(out)
    assert len(frames) > 50
    assert abs(frames[-1].astype(float) - frames[0]).mean() > 1.0


@pytest.mark.parametrize("name", ["panda-juggle", "nobody-saytap"])
def test_an_unknown_policy_is_refused_with_those_there_are(name):
    with pytest.raises(ConfigError, match="panda-grasp"):
        main([name])
