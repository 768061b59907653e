"""Drives the real Krita under Xvfb from pytest; every process it starts is ended by it."""
