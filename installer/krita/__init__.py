"""Krita on this computer: its folders, its settings, and the installation of the plugin."""
