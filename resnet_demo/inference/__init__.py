"""A picture in, an answer out: classify.py, explain.py, overlay.py and confidence.py make it, report.py puts it into plain values."""
