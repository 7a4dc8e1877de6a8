"""The world in ManiSkill 3: benches, cards, cameras, and the World contract in one process."""
