"""The functions of GoalStream: one folder, one stateless function."""
