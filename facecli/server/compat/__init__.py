"""The interfaces of other face servers, for programs that were written for those. The models are this server's."""
