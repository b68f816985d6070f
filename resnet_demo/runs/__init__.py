"""The shared machine: service.py decides which run trains next, worker.py trains it, and the rest tells pages and scripts about it."""
