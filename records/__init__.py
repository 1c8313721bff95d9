"""The register of citizens: who is in it, what may be told of them, and to whom."""
