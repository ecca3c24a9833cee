"""Endpoints, grouped by what they are about. Each asks the queue for work and answers with a document."""
