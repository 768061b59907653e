"""mini, the model that Linewash ships."""
