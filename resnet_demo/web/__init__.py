"""Every HTTP request before Gradio sees it, and what a request may reach."""
