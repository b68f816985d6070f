"""How good a model is: predictions.py runs it, metrics.py counts."""
