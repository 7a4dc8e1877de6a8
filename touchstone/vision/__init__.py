"""What a calibrated picture says about the bench."""
