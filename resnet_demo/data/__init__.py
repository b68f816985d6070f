"""Pictures as tensors: dataset.py reads whole data sets, augment.py and batches.py prepare batches for training."""
