"""What every family needs to run: loading networks, caches, memory plan, the canvas frame."""
