"""What ``install.py test`` runs pytest with: processes with a log, the Kritas of Debian's archive, reports read back."""
