"""How mini is made: data preparation, losses, one trainer, export."""
