"""Results: summary.py has numbers and a sentence, export.py the files to download, card.py the model card, plots.py the pictures."""
