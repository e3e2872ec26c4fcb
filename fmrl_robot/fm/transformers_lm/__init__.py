"""Any language model of Hugging Face transformers, by folder or hub id.

Causal, encoder-decoder and vision-language models go through one path, and so does the embedded
planner. Three entries of a model's config.json matter here, all optional: ``frozen_encoder`` names
an installed package whose encoder the folder leaves out, ``prompt_in_decoder`` says that the
decoder reads the prompt as well, ``short_prompts`` that the model was trained on this project's own
short prompts (without it, one whose decoder reads the prompt was).
"""

from fmrl_robot.fm.transformers_lm.loading import load_language_model
from fmrl_robot.fm.transformers_lm.model import TransformersLM

__all__ = ["TransformersLM", "load_language_model"]
