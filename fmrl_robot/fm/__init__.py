"""Foundation models behind protocols: language, vision, and what they cost.

``load_language_model("embedded")`` is the default everywhere; docs/models.md names the others
(transformers, openai, recorded, scripted). ``load_text_embedder("embedded")`` gives sentence
vectors. Nothing here imports torch before a model is asked for.
"""

from fmrl_robot.fm.asking import guarded
from fmrl_robot.fm.budget import Budget
from fmrl_robot.fm.capabilities import capabilities, load_language_model, require
from fmrl_robot.fm.network import network_is_forbidden
from fmrl_robot.fm.text_embedder import load_text_embedder
from fmrl_robot.fm.tuning import LoraSettings

__all__ = [
    "Budget",
    "LoraSettings",
    "capabilities",
    "guarded",
    "load_language_model",
    "load_text_embedder",
    "network_is_forbidden",
    "require",
]
