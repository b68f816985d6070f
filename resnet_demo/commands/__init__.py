"""The commands of `python -m resnet_demo`, a file each: `add` declares its options, `run` does it and gives the exit status."""
