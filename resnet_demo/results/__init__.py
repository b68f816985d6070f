"""What a run came to: summary.py in numbers and a sentence, export.py to take away, card.py as a model card, plots.py as a picture."""
