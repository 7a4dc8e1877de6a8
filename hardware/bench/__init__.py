"""A bench as a World: an arm behind its driver, a camera, and whoever knows where things lie."""
