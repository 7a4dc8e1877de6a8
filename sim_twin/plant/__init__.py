"""The twin as a plant: it moves what the emulated motors want moved, in real time or slower, and shows it to a camera.

Two processes, since rendering a picture keeps a Python process from anything else for the better part of 100 ms:
`python -m sim_twin.plant` steps the physics, `sim_twin.plant.eye` mirrors it and renders.
"""
