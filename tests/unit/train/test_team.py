import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402, N812

from fmrl_robot.train.linear import linear  # noqa: E402

TOGETHER = """
import torch
from fmrl_robot.train import team as teams
from fmrl_robot.train.team import Helpers

teams.ROW_BYTES = 1 << 10  # the message goes in pieces

def everything(team):
    mine = torch.randn(1000, generator=torch.Generator().manual_seed(team.rank))
    mean, first = mine.clone(), torch.tensor([team.rank + 7, 2**40])
    team.mean_(mean)
    for _ in range(50):  # whoever is ahead must not spoil what others still read
        mean += mine
        team.mean_(mean)
    team.share_(first)
    return mine, mean, first

def work(team):
    team.gather(everything(team))

if __name__ == "__main__":
    helpers = Helpers(3, work)
    team = helpers.team()
    mine, means, firsts = zip(*team.gather(everything(team)))
    helpers.close()
    assert all(torch.equal(mean, means[0]) for mean in means)
    assert torch.allclose(means[0], 51 * torch.stack(mine).mean(0), rtol=1e-4, atol=1e-4)
    assert all(first.tolist() == [7, 2**40] for first in firsts), firsts
    print("all agree")
"""

DYING = """
import os, signal, torch
from fmrl_robot.train.team import Helpers

def work(team):
    if team.rank == {victim}:
        os.kill(os.getpid(), signal.SIGKILL)
    team.mean_(torch.ones(3))

if __name__ == "__main__":
    helpers = Helpers(3, work)
    try:
        if {victim} == 0:
            [print(p.pid) for p in helpers._processes]
            os.kill(os.getpid(), signal.SIGKILL)
        helpers.team().mean_(torch.ones(3))
    except RuntimeError as error:
        print(error)
    for process in helpers._processes:
        process.kill()
"""


def run(tmp_path, code):
    script = tmp_path / "script.py"
    script.write_text(code)
    # Everybody who holds the pipe has to end before this returns.
    return subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)


def test_a_team_agrees_to_the_last_bit(tmp_path):
    done = run(tmp_path, TOGETHER)
    assert done.stdout == "all agree\n", done.stderr


def test_nobody_waits_for_a_process_that_died(tmp_path):
    assert "one has ended" in run(tmp_path, DYING.format(victim=2)).stdout


def test_nobody_outlives_the_first_process(tmp_path):
    assert len(run(tmp_path, DYING.format(victim=0)).stdout.split()) == 2


@pytest.mark.parametrize("shape", [(7, 65), (3, 4, 65), (1, 65)])
def test_the_fast_product_is_a_linear_layer_with_gradients(shape):
    given = [torch.randn(shape), torch.randn(12, 65), torch.randn(12)]
    above = torch.randn(*shape[:-1], 12)
    answers = []
    for layer, kind in ((linear, torch.float32), (F.linear, torch.float64)):
        x, weight, bias = (t.to(kind).requires_grad_() for t in given)
        y = layer(x, weight, bias)
        answers.append([y, *torch.autograd.grad(y, (x, weight, bias), above.to(kind))])
    for fast, exact in zip(*answers, strict=True):
        assert fast.dtype == torch.float32
        assert torch.allclose(fast.double(), exact, atol=1e-4)
