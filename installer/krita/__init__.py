"""Krita on this computer: its folders, its settings, and the plugin put into them."""
