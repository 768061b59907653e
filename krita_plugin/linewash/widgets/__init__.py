"""The docker's parts; each knows Qt and plain values, nothing of Krita."""
