"""How fast the service is: a made-up operator, its load, and what was measured."""
