"""INT-ACT: fifty tasks (and a fifty-first) that ask how far a policy's intention and its action lie apart."""
