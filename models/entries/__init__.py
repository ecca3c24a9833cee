"""What is known of a model: the catalogue's entries and the user's."""
