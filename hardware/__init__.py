"""The world in atoms: drivers for arms, and emulators that speak their wires when nothing is plugged in."""
