"""What several packages need and no citizen appears in."""
