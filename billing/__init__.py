"""What was carried and what it costs: usage rows, one per message, and dated prices."""
