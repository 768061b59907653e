"""The backend's virtual environment, and the requirements for it."""
