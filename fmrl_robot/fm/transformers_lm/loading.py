"""Finding the class, the weights, the tokenizer and the processor of a model by its name."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.capabilities import not_installed
from fmrl_robot.fm.device import choose_device, choose_dtype, leave_cores_to_control
from fmrl_robot.fm.network import apply_network_switch, check_reachable, is_local
from fmrl_robot.fm.taught import read_taught
from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.transformers_lm.model import TransformersLM
from fmrl_robot.fm.weights import named_with_weights

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a model is read from and where it shall compute."""

    name: str
    device: torch.device
    dtype: torch.dtype

    @property
    def local(self) -> bool:
        return is_local(self.name)


def load_language_model(
    name: str, *, device: str | None = None, dtype: str | None = None, compiled: bool = False
) -> TransformersLM:
    """Load a model from a folder or the Hugging Face hub.

    Args:
        name: folder or hub id.
        device: ``cpu``, ``cuda``, ``cuda:1``; None: that of ``FMRL_DEVICE``, else ``cpu``.
        dtype: ``float32``, ``bfloat16`` or ``float16``; None: float32 on a processor, bfloat16 on a
            GPU.
        compiled: generate with a cache of fixed size, for which transformers compiles the model's
            step on a GPU; the first answers then take a minute.

    Raises:
        ConfigError: transformers is not installed, there is no such model or device, or downloads
            are forbidden.
    """
    if not name:
        raise ConfigError(
            "expected transformers:<folder or hub id>, got no name; give one",
            ErrorCode.MODEL_UNAVAILABLE,
        )
    check_reachable(name)
    apply_network_switch()
    _prepare_libraries()
    where = choose_device(device)
    place = _Place(name, where, choose_dtype(dtype, where))
    try:
        loaded = _load(place)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"expected a language model behind {name!r}, could not load it: {error}; give the "
            "folder or the hub id of one",
            ErrorCode.MODEL_UNAVAILABLE,
        ) from error
    loaded.compiled = compiled
    return TransformersLM(loaded)


def _prepare_libraries() -> None:
    try:
        leave_cores_to_control()
        from transformers.utils import logging
    except ImportError as error:
        raise not_installed("transformers and torch for language models") from error
    # Loading bars and reports on weights that a model leaves out belong in no robot's log.
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _load(place: _Place) -> Loaded:
    from transformers import AutoConfig, AutoTokenizer

    config = AutoConfig.from_pretrained(place.name, local_files_only=place.local)
    kind, sees = _class_of(config)
    tokenizer = AutoTokenizer.from_pretrained(place.name, local_files_only=place.local)
    package = getattr(config, "frozen_encoder", None)
    if package is not None:
        return _with_frozen_encoder(place, config, kind, package, tokenizer)
    model = kind.from_pretrained(place.name, dtype=place.dtype, local_files_only=place.local)
    return Loaded(
        model=model.to(place.device),
        tokenizer=tokenizer,
        processor=_processor(place) if sees else None,
        model_id=f"transformers:{named_with_weights(place.name)}",
        taught=read_taught(Path(place.name)),
    )


def _class_of(config: Any) -> tuple[Any, bool]:
    """The class that reads a model of this config, and whether it sees pictures."""
    from transformers import (
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
        AutoModelForSeq2SeqLM,
    )
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    if type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return AutoModelForImageTextToText, True
    return (AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM), False


def _processor(place: _Place) -> Any:
    """The processor of pictures, None where the folder has none and text alone can be read."""
    from transformers import AutoProcessor

    try:
        found = AutoProcessor.from_pretrained(place.name, local_files_only=place.local)
    except (OSError, ValueError, KeyError):
        return None
    return found if hasattr(found, "image_processor") else None


def _with_frozen_encoder(
    place: _Place, config: Any, kind: Any, package: str, tokenizer: Any
) -> Loaded:
    """Build the model from its own weights and the encoder that an installed package holds."""
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    folder = Path(place.name)
    try:
        path = importlib.import_module(package).get_model_path()
    except ImportError as error:
        what = f"the package {package} with the frozen encoder of {folder.name}"
        raise not_installed(what, ErrorCode.ASSET_MISSING) from error
    weights = folder / "model.safetensors"
    model = kind.from_config(config)
    encoder = AutoModel.from_pretrained(path, add_pooling_layer=False, local_files_only=True)
    model.encoder.load_state_dict(encoder.state_dict(), strict=False)
    state = {k: v.float() for k, v in load_file(weights).items()}
    _, unexpected = model.load_state_dict(state, strict=False)
    if unexpected:
        raise ValueError(f"weights that the config does not know: {unexpected[:3]}")
    model.tie_weights()
    return Loaded(
        model=model.to(place.device, place.dtype),
        tokenizer=tokenizer,
        encoder_tokenizer=AutoTokenizer.from_pretrained(path, local_files_only=True),
        model_id=named_with_weights(place.name),
        taught=read_taught(Path(place.name)),
    )
