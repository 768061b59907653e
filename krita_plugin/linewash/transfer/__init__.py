"""From Krita's layers to a request, and from results to layers."""
