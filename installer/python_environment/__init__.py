"""The virtual environment that holds the backend, and what a computer needs for one."""
