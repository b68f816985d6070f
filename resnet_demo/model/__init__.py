"""The paper's networks: blocks.py (sections 3.1-3.2), then resnet.py (3.3-3.4, 4.2); cost.py counts what they cost."""
