"""Learning: LoRA adapters through peft, or all weights, with the untouched model at hand."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fmrl_robot.errors import ConfigError, ErrorCode
from fmrl_robot.fm.capabilities import not_installed
from fmrl_robot.fm.transformers_lm.loaded import Loaded
from fmrl_robot.fm.tuning import LoraSettings

if TYPE_CHECKING:
    import torch

_QUERY_VALUE = ("q_proj", "v_proj", "query", "value", "q", "v", "q_lin", "v_lin")
_FUSED = ("c_attn", "query_key_value", "qkv_proj", "Wqkv", "in_proj")
"""Names of attention's layers in transformers, apart and in one."""
_EYES = ("vision", "visual", "image")
"""Parts of names of the modules that look at pictures; they are not adapted unless asked for."""
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""peft's names for the two files of an adapter."""


class Adapters:
    """Which weights answer, and which of them may change.

    The state is the name of an adapter, ``""`` for the model's own weights without any adapter, or
    None for the untouched model. The last adapter that was added or read answers outside of blocks.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._own = loaded.model
        self._untouched: Any = None
        """A copy from before all weights were set free; None while adapters can be switched off."""
        self.state: str | None = ""
        self.learning = False
        """Whether weights may change under this class's hands."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every adapter."""
        return tuple(getattr(self._own, "peft_config", {}))

    def add(self, name: str, settings: LoraSettings | None = None) -> None:
        """Add an adapter that starts without effect, and let it answer.

        Raises:
            ConfigError: peft is not installed, the name is taken or the model has no such layers.
        """
        peft = _peft()
        settings = settings or LoraSettings()
        if not name or name in self.names:
            raise ConfigError(f"expected a new name for an adapter, got {name!r}")
        self._inject(
            name,
            peft.LoraConfig(
                r=settings.rank,
                lora_alpha=settings.alpha,  # pyright: ignore[reportArgumentType]  (scales only)
                lora_dropout=settings.dropout,
                target_modules=self._targets(settings.targets),
            ),
        )

    @contextmanager
    def use(self, name: str | None) -> Generator[None]:
        """Answer with an adapter, or with the untouched model, inside of the block."""
        if name is not None and name not in self.names:
            raise ConfigError(
                f"expected an adapter of {', '.join(self.names) or 'none yet'}, got {name!r}; "
                "add_adapter or load_adapter first"
            )
        before = self.state
        self._switch(name)
        try:
            yield
        finally:
            self._switch(before)

    def trainable(self, mode: Literal["lora", "full"]) -> list[torch.nn.Parameter]:
        """Return what an optimiser may change; nothing else asks for gradients.

        ``lora``: the adapter that answers now. ``full``: all weights but those of adapters and of a
        frozen encoder; from then on a copy of the model is kept as the untouched one.

        Raises:
            ConfigError: the mode is unknown, or there is no adapter to learn.
        """
        if mode not in ("lora", "full"):
            raise ConfigError(f"expected the mode lora or full, got {mode!r}")
        if mode == "lora" and not self.state:
            raise ConfigError("expected an adapter that answers now, found none; add_adapter first")
        if mode == "full" and self._untouched is None:
            self._untouched = self._without_adapters()
        frozen = self._loaded.frozen
        chosen: list[torch.nn.Parameter] = []
        for name, weights in self._own.named_parameters():
            if mode == "lora":
                free = _is_of(name, str(self.state))
            else:
                free = ".lora_" not in name and not (frozen and name.startswith(frozen))
            weights.requires_grad_(free)
            chosen += [weights] * free
        self.learning = True
        return chosen

    @contextmanager
    def training_mode(self) -> Generator[None]:
        """Let dropout act inside of the block."""
        self._own.train()
        try:
            yield
        finally:
            self._own.eval()

    def save(self, name: str, folder: Path) -> None:
        """Write an adapter as peft does: ``adapter_config.json`` and safetensors."""
        from safetensors.torch import save_file

        if name not in self.names:
            raise ConfigError(f"expected an adapter of {self.names}, got {name!r}")
        folder.mkdir(parents=True, exist_ok=True)
        state = _peft().get_peft_model_state_dict(self._own, adapter_name=name)
        tensors = {f"base_model.model.{k}": v.detach().cpu().contiguous() for k, v in state.items()}
        save_file(tensors, folder / _WEIGHTS, metadata={"format": "pt"})
        self._own.peft_config[name].save_pretrained(folder)

    def load(self, name: str, folder: Path) -> None:
        """Read an adapter that ``save`` or peft wrote, and let it answer.

        Raises:
            ConfigError: there is none, it does not fit the model, or the name is taken.
        """
        peft = _peft()
        from safetensors.torch import load_file

        if not name or name in self.names:
            raise ConfigError(f"expected a new name for an adapter, got {name!r}")
        for file in (_CONFIG, _WEIGHTS):
            if not (folder / file).is_file():
                raise ConfigError(
                    f"expected {file} in {folder}, found none", ErrorCode.ASSET_MISSING
                )
        config = peft.PeftConfig.from_pretrained(str(folder))
        state = load_file(folder / _WEIGHTS)
        state = {k.removeprefix("base_model.model."): v for k, v in state.items()}
        modules = {n for n, _ in self._own.named_modules()}
        strange = sorted({k.split(".lora_")[0] for k in state} - modules)
        if strange:
            raise ConfigError(
                f"expected an adapter for this model in {folder}, it changes {strange[:3]}, which "
                "the model has not; load the model that it was learnt on"
            )
        before = self.state
        self._inject(name, config)
        try:
            result = peft.set_peft_model_state_dict(self._own, state, adapter_name=name)
        except RuntimeError as error:  # torch's word for tensors of another size
            missing = [str(error)]
        else:
            missing = [k for k in result.missing_keys if _is_of(k, name)]
        if missing:
            self._remove(name)
            self._switch(before)
            raise ConfigError(f"expected all weights of an adapter in {folder}: {missing[:3]}")

    def _inject(self, name: str, config: Any) -> None:
        flags = _Flags(self._own)
        with warnings.catch_warnings():
            # A second adapter is what is wanted, not an oversight.
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            _peft().inject_adapter_in_model(config, self._own, name)
        self._own.eval()
        flags.restore()
        self._switch(name)

    def _remove(self, name: str) -> None:
        from peft.functional import delete_adapter

        delete_adapter(self._own, adapter_name=name, prefix="lora_")
        self._own.peft_config.pop(name, None)

    def _switch(self, state: str | None) -> None:
        untouched = state is None and self._untouched is not None
        self._loaded.model = self._untouched if untouched else self._own
        flags = _Flags(self._own)
        for layer in _lora_layers(self._own):
            layer.enable_adapters(enabled=bool(state))
            # The layers of another adapter may lack this one; peft then leaves them without effect.
            if state:
                layer.set_adapter(state)
        flags.restore()
        self.state = state

    def _targets(self, names: tuple[str, ...]) -> list[str]:
        """Full names of the layers to adapt."""
        frozen = self._loaded.frozen
        linear = [
            n
            for n, module in self._own.named_modules()
            if type(module).__name__ in ("Linear", "Conv1D")
            and not (frozen and n.startswith(frozen))
            and (names or not any(eye in n for eye in _EYES))
        ]
        for wanted in (names,) if names else (_QUERY_VALUE, _FUSED):
            if found := [n for n in linear if n.rpartition(".")[2] in wanted]:
                return found
        raise ConfigError(
            f"expected layers named {names or _QUERY_VALUE + _FUSED}, the model has "
            f"{sorted({n.rpartition('.')[2] for n in linear})}; name targets among them"
        )

    def _without_adapters(self) -> Any:
        model = copy.deepcopy(self._own).requires_grad_(False)
        for layer in _lora_layers(model):
            layer.enable_adapters(enabled=False)
        return model


class _Flags:
    """Which weights ask for gradients: peft changes that with every switch, this puts it back."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._asking = {id(w) for w in model.parameters() if w.requires_grad}

    def restore(self) -> None:
        """Let those ask that did; weights that came since do not."""
        for weights in self._model.parameters():
            weights.requires_grad_(id(weights) in self._asking)


def _is_of(parameter: str, adapter: str) -> bool:
    """Whether a parameter's name tells that it belongs to an adapter."""
    return ".lora_" in parameter and f".{adapter}." in f"{parameter}."


def _lora_layers(model: Any) -> list[Any]:
    if not hasattr(model, "peft_config"):
        return []
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [module for module in model.modules() if isinstance(module, BaseTunerLayer)]


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise not_installed("peft for LoRA adapters") from error
    return peft
