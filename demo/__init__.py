"""The whole life of a model on this machine, told step by step: `python -m demo`."""
