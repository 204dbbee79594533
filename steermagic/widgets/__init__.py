"""Interactive views of the notebook: plain ES modules and CSS beside their Python side."""
