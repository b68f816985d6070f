"""Trained models: from a source (a name, a path or a Hub id) to `Weights` with preprocessing, classes and card."""
