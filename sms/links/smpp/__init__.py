"""SMPP 3.4: our own ESME session over asyncio, what passes over it, and who holds which bind."""
