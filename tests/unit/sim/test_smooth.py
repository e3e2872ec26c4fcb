"""Pictures for people have no staircases, and come from a process that nobody waits for."""

import time

import cv2
import numpy as np

from fmrl_robot.registry import SCENES
from fmrl_sim.film_process import FilmProcess
from fmrl_sim.render import SceneRenderer
from fmrl_sim.scenes.base import SceneState
from fmrl_sim.smooth import SmoothRenderer


def hard_steps(picture):
    """The share of pixels that differ plainly from their neighbour."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    step = np.abs(np.diff(grey, axis=1))
    return (step > 60).mean()


def test_edges_are_averaged():
    scene = SCENES.load("tabletop")("panda")
    data = scene.new_data(0)
    with SmoothRenderer(scene.model, 320, 240) as renderer:
        smooth = renderer.rgb(data, "front")
    with SceneRenderer(scene.model, 320, 240) as renderer:
        hard = renderer.rgb(data, "front")
    assert smooth.shape == hard.shape == (240, 320, 3)
    # The same picture, with fewer hard steps from one pixel to the next.
    assert abs(smooth.astype(float) - hard).mean() < 6.0
    assert hard_steps(smooth) < 0.8 * hard_steps(hard)


def test_the_film_process_draws_what_it_is_sent():
    scene = SCENES.load("ground")("go2")
    data = scene.new_data(0)
    film = FilmProcess(scene, 160, 120)
    try:
        assert film.wait(30.0)
        assert film.ask(1.5, SceneState.of(data))
        assert not film.ask(1.6, SceneState.of(data))  # busy: nobody waits, nothing queues
        end = time.monotonic() + 20.0
        still = film.poll()
        while still is None:
            assert time.monotonic() < end
            time.sleep(0.01)
            still = film.poll()
    finally:
        film.close()
    assert still.stamp_s == 1.5 and not film.alive
    picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    with SmoothRenderer(scene.model, 160, 120) as renderer:
        drawn = renderer.rgb(data, "follow")
    assert abs(picture[..., ::-1].astype(float) - drawn).mean() < 3.0
