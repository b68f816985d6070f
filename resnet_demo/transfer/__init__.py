"""Transfer learning: a run that takes a trained base, trains a new head on its features, then its last stages with it."""
