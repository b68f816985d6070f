"""How good a model is: testset.py has the pictures, predictions.py and measure.py run it, metrics.py counts."""
