"""The conversation by SMS: what a citizen may text, what is answered, and what a text costs."""
