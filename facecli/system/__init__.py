"""The machine and the system: files, standard streams, environment variables, the user's folder, cores."""
