"""Files of the Hugging Face Hub: fetch.py finds them in the cache or downloads them, in the child process of download.py."""
