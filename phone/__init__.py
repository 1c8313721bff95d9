"""The phone simulator: made-up people text the gateway through a real, signed operator link."""
