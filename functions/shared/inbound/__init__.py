"""Records that a trigger delivers, in whichever envelope."""
