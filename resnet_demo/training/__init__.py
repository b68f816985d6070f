"""Training: events.py is the vocabulary, loop.py the law, session.py a run's whole life, record.py its memory."""
