"""What the app's pages share: the frame around each, its state, what it reads, what it draws."""
