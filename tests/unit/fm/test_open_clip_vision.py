"""Images and clips go through the library's own tower, only quicker."""

import numpy as np
import pytest
from open_clip.transform import image_transform
from PIL import Image

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.device import choose_device, choose_dtype
from fmrl_robot.fm.image_batch import ImageBatch
from fmrl_robot.registry import VISION_MODELS

ONE_LEVEL = 1 / 255


@pytest.fixture(scope="module")
def vision():
    return VISION_MODELS.load("embedded")()


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (128, 128, 3), dtype=np.uint8) for _ in range(20)]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize(
    "sizes", [[(64, 64)] * 3, [(48, 96)] * 2, [(64, 64), (200, 150), (31, 64)]], ids=str
)
def test_a_batch_is_preprocessed_as_the_library_does_it_one_by_one(mode, sizes):
    import torch

    std = (0.2, 0.3, 0.25)
    theirs = image_transform(64, False, mean=(0.5, 0.4, 0.3), std=std, resize_mode=mode)
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    want = torch.stack([theirs(Image.fromarray(image)) for image in images])
    got = ImageBatch(theirs, (64, 64))(images, torch.device("cpu"))
    levels = (got - want).abs() * torch.tensor(std)[:, None, None]
    assert got.shape == want.shape and levels.max() < ONE_LEVEL / 100


def test_a_pipeline_with_unknown_steps_is_left_to_itself():
    import torch
    from torchvision.transforms import Compose, Grayscale, ToTensor

    theirs = Compose([Grayscale(3), ToTensor()])
    image = np.full((8, 8, 3), (200, 0, 0), np.uint8)
    got = ImageBatch(theirs, (8, 8))([image], torch.device("cpu"))
    assert torch.equal(got[0], theirs(Image.fromarray(image)))


def test_images_are_embedded_as_the_library_embeds_them(vision, frames):
    import torch

    mixed = [*frames[:3], frames[0][:100, :90]]
    batch = torch.stack([vision._batch._each(Image.fromarray(image)) for image in mixed])
    with torch.no_grad():
        want = vision._model.encode_image(batch, normalize=True).numpy()
    np.testing.assert_allclose(vision.embed_images(mixed), want, atol=1e-5)
    assert vision.embed_images([]).shape[0] == 0
    for wrong in (frames[0].astype(np.float32), frames[0][..., 0]):
        with pytest.raises(ConfigError, match="uint8"):
            vision.embed_images([wrong])


def test_a_clip_is_the_direction_of_the_mean_of_its_frames(vision, frames):
    clips = [frames[:16], frames[4:5], frames[:7]]
    got = vision.embed_clips(clips)
    want = np.stack([unit(vision.embed_images(clip).mean(axis=0)) for clip in clips])
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(got[1], vision.embed_images(frames[4:5])[0], atol=1e-5)


def test_all_frames_of_all_clips_go_through_the_tower_in_one_batch(vision, frames, monkeypatch):
    sizes = []
    encode = vision._encode_image
    monkeypatch.setattr(
        vision,
        "_encode_image",
        lambda batch, **k: (sizes.append(len(batch)), encode(batch, **k))[1],
    )
    vision.embed_clips([frames[:16], frames[:4]])
    assert sizes == [20]
    assert vision.embed_clips([]).shape[0] == 0
    with pytest.raises(ValueError, match="at least one frame"):
        vision.embed_clips([frames[:2], []])


def test_half_precision_looks_the_same_way(frames):
    full, half = VISION_MODELS.load("embedded")(), VISION_MODELS.load("embedded")(dtype="bfloat16")
    seen, coarse = full.embed_images(frames[:8]), half.embed_images(frames[:8])
    assert coarse.dtype == np.float32 and 1e-6 < np.abs(seen - coarse).max() < 0.03
    assert ((seen * unit(coarse)).sum(1) > 0.999).all()


def test_a_device_or_precision_that_is_not_there_is_said(monkeypatch):
    import torch

    cpu = torch.device("cpu")
    assert choose_device(None) == cpu and choose_dtype(None, cpu) == torch.float32
    assert choose_dtype(None, torch.device("cuda")) == torch.bfloat16
    monkeypatch.setenv("FMRL_DEVICE", "meta")
    assert choose_device(None).type == "meta" and choose_device("cpu") == cpu
    with pytest.raises(ConfigError, match="'toaster'"):
        choose_device("toaster")
    with pytest.raises(ConfigError, match="int3"):
        choose_dtype("int3", cpu)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch finds none") as caught:
        choose_device("cuda")
    assert caught.value.code == ErrorCode.CAPABILITY_MISSING
