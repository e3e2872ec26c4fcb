"""Advantages of the units that a decision is made of: its tokens, or the decision as one unit.

With ``between=1`` tokens of a decision hand the value on undiscounted, and their advantages keep
the optimum of the decisions: Bellman backup with action decomposition (Wen et al.: Reinforcing LLM
Agents via Policy Optimization with Action Decomposition, NeurIPS 2024). With ``between=gamma`` it
is the naive backup, which prefers short phrases. A decision of one unit is an ordinary advantage.
"""

from __future__ import annotations

import torch
from torch import Tensor


def unit_advantages(
    reward: Tensor,
    value: Tensor,
    mask: Tensor,
    last: Tensor,
    done: Tensor,
    time_out: Tensor,
    *,
    discount: float | Tensor,
    lam: float,
    between: float = 1.0,
) -> Tensor:
    """Estimate how much better each unit was than expected, (steps, n, units); 0 where padded.

    Args:
        reward: of each decision, (steps, n).
        value: before each unit, (steps, n, units).
        mask: True where there is a unit, bool; at least the first of each decision.
        last: value before the first unit of what comes after the last step, (n,).
        done: whether the episode ended with a decision, bool (steps, n).
        time_out: ends that are only the end of time, bool (steps, n).
        discount: of what follows a decision; a number for all, or (steps, n).
        lam: weight of longer estimates, a unit.
        between: discount from a unit to the next of the same decision.
    """
    steps, _, width = value.shape
    reward = reward + discount * value[:, :, 0] * time_out
    goes_on = (~done).float()
    estimate = torch.zeros_like(value)
    after, running = last, torch.zeros_like(last)
    ends = mask.clone()
    ends[:, :, :-1] &= ~mask[:, :, 1:]
    for t in reversed(range(steps)):
        factor = (discount[t] if isinstance(discount, Tensor) else discount) * goes_on[t]
        for j in reversed(range(width)):
            here, end = mask[t, :, j], ends[t, :, j]
            on = torch.where(end, factor, torch.full_like(factor, between))
            delta = torch.where(end, reward[t], 0.0) + on * after - value[t, :, j]
            estimate[t, :, j] = torch.where(here, delta + lam * on * running, 0.0)
            running = torch.where(here, estimate[t, :, j], running)
            after = torch.where(here, value[t, :, j], after)
    return estimate
