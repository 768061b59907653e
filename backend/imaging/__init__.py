"""Pictures as arrays: line art, regions, masks, colour, resampling, PNG.  No torch in here."""
