"""The engine of ``fmrl reproduce``: an ablation's trials, their statistics, its page and index."""
