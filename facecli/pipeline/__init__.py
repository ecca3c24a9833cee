"""The river: many sources through the models, in order and in bounded memory."""
