import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")

from small_training import REACH, TINY, values  # noqa: E402

from fmrl_robot.control import locomotion as loco  # noqa: E402
from fmrl_robot.control.contact_pattern import policy_contract  # noqa: E402
from fmrl_robot.control.runner import PolicyRunner  # noqa: E402
from fmrl_robot.errors import ConfigError, ErrorCode  # noqa: E402
from fmrl_robot.registry import TASKS  # noqa: E402
from fmrl_robot.robots import GO2  # noqa: E402
from fmrl_robot.shares import share, wilson  # noqa: E402
from fmrl_robot.train.cards import rounded  # noqa: E402
from fmrl_robot.train.commands import export_checkpoint  # noqa: E402
from fmrl_robot.train.config import TARGET_WINDOW, TrainConfig  # noqa: E402
from fmrl_robot.train.evaluate import OnnxPolicy  # noqa: E402
from fmrl_robot.train.export import export_policy  # noqa: E402
from fmrl_robot.train.networks import Mirror, MirroredMLP  # noqa: E402
from fmrl_robot.train.state_file import read_state  # noqa: E402
from fmrl_robot.train.trainer import CHECKPOINT, Trainer, train  # noqa: E402


@pytest.fixture(autouse=True)
def reach(monkeypatch):
    monkeypatch.setitem(TASKS._builtin, "test-reach", REACH)


def test_training_improves(tmp_path):
    lines = []
    config = TrainConfig(
        task="test-reach", iterations=101, actor=(32,), critic=(32,), initial_std=0.5, threads=1
    )
    train(config, tmp_path, report=lines.append)
    missed = [float(line.split(" miss=")[1].split()[0]) for line in lines]
    assert missed[-1] < 0.6 * missed[0]
    assert "eta_s=" in lines[0]


def test_a_run_leaves_checkpoint_configuration_and_log_and_goes_on(tmp_path):
    train(TINY, tmp_path)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["actor"] == [16]
    assert list(tmp_path.glob("events.out.tfevents*"))
    assert not list(tmp_path.glob(".checkpoint*"))
    first = read_state(tmp_path / CHECKPOINT)
    train(TrainConfig(**{**values(TINY), "iterations": 4}), tmp_path, resume=True)
    second = read_state(tmp_path / CHECKPOINT)
    assert first["iteration"] == 2
    assert second["iteration"] == 4


KILLED = """
import os, signal
from pathlib import Path
from fmrl_robot.train import trainer
from fmrl_robot.train.config import OutsideConfig, SACConfig, TrainConfig
from fmrl_robot.train.trainer import Trainer

save = Trainer.save

def save_and_die(self):
    save(self)
    if self.iteration == 4:
        os.kill(os.getpid(), signal.SIGKILL)

Trainer.save = save_and_die
trainer.train(TrainConfig(**{config!r}), Path({folder!r}))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_to_the_very_same_bits(tmp_path, workers):
    config = {**values(TINY), "iterations": 7, "save_every": 2, "workers": workers}
    train(TrainConfig(**config), tmp_path / "whole")
    code = KILLED.format(config=config, folder=str(tmp_path / "killed"))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    (tmp_path / "killed" / f".{CHECKPOINT}.1").write_bytes(b"half a file")
    train(TrainConfig(**config), tmp_path / "killed", resume=True)
    one, two = (read_state(tmp_path / run / CHECKPOINT) for run in ("whole", "killed"))
    assert one["iteration"] == two["iteration"] == 7
    for of in ("networks", "optimiser"):
        assert _same(one["learner"][of], two["learner"][of])
    assert _same(one["workers"], two["workers"])


def _same(a, b):
    if torch.is_tensor(a):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # TensorBoard's
def test_a_full_disk_ends_a_run_with_a_code_and_a_whole_checkpoint(tmp_path):
    config = TrainConfig(
        task="test-reach",
        iterations=400,
        save_every=10,
        steps_per_env=2,
        actor=(8,),
        critic=(8,),
        threads=1,
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(ConfigError, match="make room, and go on with --resume") as caught:
            train(config, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == ErrorCode.WRITE_FAILED
    assert 0 < read_state(tmp_path / CHECKPOINT)["iteration"] < 400


def test_there_has_to_be_something_to_resume(tmp_path):
    with pytest.raises(ConfigError, match="checkpoint"):
        train(TINY, tmp_path, resume=True)


def test_reached_targets_end_a_run_early(tmp_path):
    seen = []
    config = TrainConfig(
        task="test-reach",
        iterations=1000,
        actor=(32,),
        critic=(32,),
        threads=1,
        targets={"episode/return": -0.7},
    )
    train(config, tmp_path, progress=lambda i, n, left, curves: seen.append((i, n, curves)))
    returns = [c["episode/return"] for _, _, c in seen if "episode/return" in c]
    assert TARGET_WINDOW <= len(seen) < 1000
    assert np.mean(returns[-TARGET_WINDOW:]) >= -0.7
    assert np.mean(returns[-TARGET_WINDOW - 1 : -1]) < -0.7
    assert (tmp_path / CHECKPOINT).is_file()


def test_a_time_budget_ends_a_run_and_counts_over_resumes(tmp_path):
    config = TrainConfig(**{**values(TINY), "iterations": 100000, "minutes": 0.02})
    train(config, tmp_path)
    assert (tmp_path / CHECKPOINT).is_file()
    before = (tmp_path / CHECKPOINT).stat().st_mtime_ns
    trainer = train(config, tmp_path, resume=True)
    assert trainer.seconds > 1.2
    assert (tmp_path / CHECKPOINT).stat().st_mtime_ns == before, "it went on beyond its end"


def reflections():
    (o_swap, o_sign), (a_swap, a_sign) = loco.mirror_observation(), loco.mirror_action()
    seen = Mirror(swap=tuple(o_swap.tolist()), sign=tuple(o_sign.tolist()))
    return seen, Mirror(swap=tuple(a_swap.tolist()), sign=tuple(a_sign.tolist()))


def reflect(x, mirror):
    return x[:, list(mirror.swap)] * torch.tensor(mirror.sign)


@pytest.mark.parametrize("value", [False, True])
def test_a_mirrored_network_commutes_with_the_mirror_and_has_a_plain_equal(value):
    seen, answered = reflections()
    network = MirroredMLP((65, 32, 16, 1 if value else 12), seen, None if value else answered)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(64, 65)
    answer, other = network(x), network(reflect(x, seen))
    assert answer.std() > 0.1
    assert torch.allclose(other, answer if value else reflect(answer, answered), atol=1e-5)
    assert torch.allclose(network.plain()(x), answer, atol=1e-4)


def test_the_go2s_actor_is_mirrored(tmp_path):
    assert isinstance(Trainer(TINY, tmp_path).networks.actor, MirroredMLP)


def test_the_exported_file_answers_as_the_network(tmp_path):
    train(TINY, tmp_path)
    export_checkpoint("go2-saytap", tmp_path)
    trainer = Trainer(TINY, tmp_path)
    trainer.load()
    policy = PolicyRunner(tmp_path / "policy.onnx", policy_contract(GO2))
    rng = np.random.default_rng(0)
    rows, answers = [], []
    for _ in range(20):
        terms = {name: rng.normal(size=size) for name, size, _ in loco.OBSERVATIONS}
        rows.append(loco.observe(terms))
        answers.append(policy.act(terms))
    with torch.no_grad():
        expected = trainer.networks.actor(torch.tensor(np.array(rows), dtype=torch.float32)).numpy()
    assert np.abs(np.array(answers) - expected).max() < 1e-5
    together = OnnxPolicy(tmp_path / "policy.onnx")(np.array(rows))
    assert np.abs(together - expected).max() < 1e-5


def test_an_actor_of_another_size_is_not_exported(tmp_path):
    trainer = Trainer(TrainConfig(task="test-reach", threads=1), tmp_path)
    with pytest.raises(ConfigError, match="65"):
        export_policy(
            trainer.networks.plain_actor(), policy_contract(GO2), tmp_path / "policy.onnx"
        )
    assert not (tmp_path / "policy.onnx").exists()


def test_shares_state_their_sample():
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)
    assert share(500, 500)["wilson95"][0] > 0.99
    assert rounded({"a": [0.123456], "b": 3}) == {"a": [0.1235], "b": 3}
