"""Characters drawn from head to foot."""
