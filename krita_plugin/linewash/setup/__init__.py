"""Sets up the backend from inside Krita: the installer that install.py starts, as a process, and what is seen of it."""
