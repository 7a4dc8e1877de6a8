"""What is asked: tasks, their layouts, instructions and success rules."""
