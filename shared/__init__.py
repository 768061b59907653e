"""Code that the Krita plugin and the backend share.  Needs Python 3.8, the standard library and ``requests``."""
