"""Networks that read references: tokens, backgrounds and styles, and what they change in the U-Net."""
