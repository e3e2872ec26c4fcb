"""EnvPool's Go1 on flat ground; run by an interpreter of its own (see bench/peers.txt).

envpool_peer.py ROBOTS BATCH THREADS SECONDS SPREAD prints environment steps a second. BATCH below
ROBOTS is EnvPool's asynchronous mode: whoever is ready first is answered first.
"""

import json
import sys
import time

import envpool
import numpy as np

WARM_STEPS = 32


def main() -> None:
    robots, batch, threads = map(int, sys.argv[1:4])
    seconds, spread = map(float, sys.argv[4:])
    env = envpool.make_gymnasium(
        "Go1JoystickFlatTerrain-v1",
        num_envs=robots,
        batch_size=batch,
        num_threads=threads,
        seed=0,
    )
    rng = np.random.default_rng(0)
    actions = spread * rng.standard_normal((WARM_STEPS, batch, 12))
    env.async_reset()

    def step(i: int) -> None:
        info = env.recv()[-1]
        env.send(actions[i % WARM_STEPS], info["env_id"])

    for i in range(WARM_STEPS * (robots // batch)):
        step(i)
    began, steps = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        step(steps)
        steps += 1
    print(json.dumps(batch * steps / took))


if __name__ == "__main__":
    main()
