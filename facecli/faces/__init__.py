"""A face looked at without a model: which one is meant, how it is turned, how good the picture of it is."""
