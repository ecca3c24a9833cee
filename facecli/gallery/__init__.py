"""People: the gallery's store, search among the enrolled, and the decision who a face is (1:N)."""
