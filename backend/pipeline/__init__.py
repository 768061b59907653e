"""The pipeline that colors one drawing; ``run`` is its story."""
