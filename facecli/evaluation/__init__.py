"""From labelled pictures to error rates."""
