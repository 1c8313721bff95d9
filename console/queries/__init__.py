"""What the console's pages read, in statements of their own; nothing here writes."""
