"""What the machine gives: files, standard streams, environment variables, the user's folder, cores."""
