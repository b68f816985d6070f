"""How accurate a model is: testset.py has the pictures, predictions.py and measure.py run the model, metrics.py scores it."""
