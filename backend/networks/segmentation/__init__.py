"""Published networks for foreground segmentation."""
