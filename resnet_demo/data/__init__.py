"""Pictures as whole tensors: dataset.py finds them, augment.py and batches.py feed them to a network."""
