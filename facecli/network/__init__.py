"""The web: one way to ask for pictures and for models, within limits, with the proxies that the environment names."""
