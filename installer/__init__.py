"""The installer behind install.py: standard library only, so that it runs before anything is installed."""
