"""Networks whose PyTorch states can be exported, each with the names of its published state."""
