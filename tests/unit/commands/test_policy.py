import json
import shutil

import pytest

from fmrl_robot.assets import policies_dir
from fmrl_robot.commands import policy as policy_command
from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.robots import PANDA

NAMES = sorted(p.parent.name for p in policies_dir().glob("*/card.json"))


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(policies_dir() / "panda-grasp", tmp_path / "panda-grasp")
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_artefact_is_the_one_its_card_speaks_of(name, capsys):
    assert policy_command.main([name]) == 0
    assert "the files are those" in capsys.readouterr().out


def test_the_contract_is_printed_field_by_field(capsys):
    assert policy_command.main(["panda-grasp", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert tuple(found["contract"]["joint_names"]) == PANDA.joint_names
    assert found["contract"]["control_dt"] == PANDA.policy_dt_s and found["problems"] == []
    assert policy_command.main(["panda-grasp"]) == 0
    text = capsys.readouterr().out
    assert "  quaternion_order: wxyz" in text and "  evaluation.success: 0." in text


def test_a_file_that_is_not_the_cards_is_told(copied, capsys):
    (copied / "panda-grasp" / "config.yaml").write_text("other: 1\n")
    assert policy_command.main(["panda-grasp", "--policies", str(copied)]) == 1
    assert "expected config.yaml with sha256" in capsys.readouterr().out


def test_an_unknown_name_lists_the_known(copied):
    with pytest.raises(ConfigError, match="panda-grasp") as caught:
        policy_command.main(["panda-juggle", "--policies", str(copied)])
    assert caught.value.code == ErrorCode.POLICY_MISSING
