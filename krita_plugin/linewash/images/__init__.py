"""QImage and PNG: encoding, clipboard, thumbnails."""
