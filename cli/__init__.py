"""The command line: one module for each noun, and what a running process is made of."""
