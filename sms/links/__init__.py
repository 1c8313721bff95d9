"""What speaks with operators: one module per protocol, and the registry of the links themselves."""
