"""Characters drawn from the chest up."""
