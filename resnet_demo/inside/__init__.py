"""Experiments on networks: why shortcuts help, and what a trained network does."""
