"""A template for facecli plugins; each module is one plugin."""
