"""Pictures as arrays: line art, regions, masks, color, resampling, PNG.  No torch in here."""
