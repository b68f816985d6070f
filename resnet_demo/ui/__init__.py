"""The page: one file a tab, and widgets of our own. The only folder that imports gradio; no logic lives here."""
