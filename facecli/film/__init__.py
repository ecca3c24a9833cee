"""Films: files, cameras and streams to upright frames with their true times, and frames back to films, through PyAV."""
