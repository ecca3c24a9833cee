"""HTTP: the documents of the command line, people who sign up with their face, and a web page, from one process."""
