"""The officers' console: review the lookup log, see who looked, stop the service."""
