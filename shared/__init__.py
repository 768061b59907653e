"""What the Krita plugin and the backend both import: standard library (and ``requests``) only, Python 3.8 or newer."""
