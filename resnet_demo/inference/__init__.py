"""A picture in, labels and maps out: classify.py, explain.py, overlay.py, honesty.py, and the pictures that ship, examples.py."""
