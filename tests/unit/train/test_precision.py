"""The precision of training follows what the processor multiplies itself."""

import pytest
import torch

from fmrl_robot.train.precision import fast_dtype, fast_math


@pytest.mark.parametrize(
    ("able", "dtype"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"neon": True, "bf16": True}, torch.bfloat16),
        ({}, torch.float32),
    ],
)
def test_a_processor_that_emulates_bfloat16_learns_in_float32(monkeypatch, able, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert fast_dtype() == dtype
    with fast_math():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
