"""Files from the Hugging Face Hub: fetch.py takes them from the cache or the network, download.py is the child process that does."""
