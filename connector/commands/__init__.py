"""What an admin types, a file for each command or family; `connector.cli` gathers them."""
