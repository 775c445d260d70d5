"""What the project writes for people: model folders made from a table, and the landing zone of the demo."""
