"""The chain's kinematics are MuJoCo's."""

import mujoco
import numpy as np
import torch

from fmrl_robot.robots import PANDA
from fmrl_sim.batched.chain import Chain
from fmrl_sim.tasks.panda_model import local_model


def test_positions_rotations_and_jacobians_are_mujocos():
    model = local_model("press", 0.004)
    joints = PANDA.model_joints[:7]
    chain = Chain(model, joints, "tcp", torch.device("cpu"))
    data, rng = mujoco.MjData(model), np.random.default_rng(0)
    q = rng.uniform(PANDA.lower[:7], PANDA.upper[:7], (20, 7))
    position, rotation, jacobian = chain(torch.as_tensor(q, dtype=torch.float32))
    dofs = [int(model.joint(name).dofadr[0]) for name in joints]
    for i, row in enumerate(q):
        for name, value in zip(joints, row, strict=True):
            data.qpos[model.joint(name).qposadr[0]] = value
        mujoco.mj_forward(model, data)
        linear, angular = np.zeros((3, model.nv)), np.zeros((3, model.nv))
        mujoco.mj_jacSite(model, data, linear, angular, model.site("tcp").id)
        wanted = np.concatenate([linear, angular])[:, dofs]
        assert np.allclose(position[i], data.site("tcp").xpos, atol=1e-5)
        assert np.allclose(rotation[i].reshape(-1), data.site("tcp").xmat, atol=1e-5)
        assert np.allclose(jacobian[i], wanted, atol=1e-5)


def test_a_hinge_whose_anchor_is_off_its_bodys_origin():
    spec = mujoco.MjSpec.from_string(
        """<mujoco><worldbody><body pos="1 0 0" euler="10 20 30">
        <joint name="a" axis="0 1 1" pos=".1 .2 .3"/><geom size=".1"/>
        <body pos="0 0 1"><joint name="b" axis="1 0 0" pos="0 .1 0"/><geom size=".1"/>
        <body pos="0 .1 0" euler="0 40 0"><geom size=".1"/>
        <site name="end" pos=".3 0 0" euler="5 6 7"/>
        </body></body></body></worldbody></mujoco>"""
    )
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:] = 0.7, -1.1
    mujoco.mj_forward(model, data)
    chain = Chain(model, ("a", "b"), "end", torch.device("cpu"))
    position, rotation, _ = chain(torch.tensor([[0.7, -1.1]]))
    assert np.allclose(position[0], data.site("end").xpos, atol=1e-6)
    assert np.allclose(rotation[0].reshape(-1), data.site("end").xmat, atol=1e-6)
