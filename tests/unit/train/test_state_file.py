"""What training keeps comes back as it was, and nothing else is read."""

import json
import resource

import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402

from fmrl_robot.errors import ConfigError, ErrorCode  # noqa: E402
from fmrl_robot.train.cards import write_whole  # noqa: E402
from fmrl_robot.train.state_file import packed, read_state, unpacked, write_state  # noqa: E402

ROW = torch.arange(12.0)


def state():
    # As networks keep their parameters: two views of one row, one of them turned.
    return {
        "networks": {"a.weight": ROW[:6].view(2, 3).T, "a.bias": ROW[6:]},
        "optimiser": {"state": {0: {"step": torch.tensor(7.0)}, 1: {}}, "lr": 0.1 + 0.2},
        "workers": [{"rng": torch.Generator().manual_seed(3).get_state()}, None],
        "steps": 2**70,
        "nothing": {},
        "mask": torch.tensor([], dtype=torch.bool),
        "note": "ü",
    }


def same(a, b):
    if torch.is_tensor(a):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def test_a_state_comes_back_to_the_bit(tmp_path):
    file = tmp_path / "kept.safetensors"
    write_state(state(), file)
    assert list(tmp_path.iterdir()) == [file]
    assert same(state(), read_state(file))
    assert same(state(), unpacked(*packed(state())))


def test_anyone_can_look_into_it(tmp_path):
    """The tensors have the names of their places, for any reader of safetensors."""
    file = tmp_path / "kept.safetensors"
    write_state(state(), file)
    with safe_open(file, "np") as found:
        assert "networks/a.weight" in found.keys()  # noqa: SIM118
        assert json.loads(found.metadata()["state"])["note"] == "ü"


def test_a_state_that_cannot_be_told_is_refused_and_the_last_one_stays(tmp_path):
    file = tmp_path / "kept.safetensors"
    write_state(state(), file)
    with pytest.raises(TypeError):
        write_state({"what": object()}, file)
    assert same(state(), read_state(file))


@pytest.mark.parametrize("content", [b"", b"\x80\x05a pickle", "half"])
def test_another_file_is_refused(tmp_path, content):
    file = tmp_path / "kept.safetensors"
    write_state(state(), file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    with pytest.raises(ConfigError, match=r"expected a state .* at .*kept\.safetensors, got"):
        read_state(file)


def test_safetensors_without_a_state_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": ROW}, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="'state'"):
        read_state(tmp_path / "model.safetensors")


@pytest.fixture
def no_room():
    """Files take a kilobyte, no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "write",
    [
        lambda file: write_state({"a": torch.zeros(10_000)}, file),
        lambda file: write_whole(file, "a" * 10_000),
    ],
)
def test_without_room_the_last_file_stays_and_nothing_else(tmp_path, no_room, write):
    file = tmp_path / "kept"
    file.write_text("the last one")
    with pytest.raises(ConfigError, match="make room") as caught:
        write(file)
    assert caught.value.code == ErrorCode.WRITE_FAILED
    assert [p.read_text() for p in tmp_path.iterdir()] == ["the last one"]
