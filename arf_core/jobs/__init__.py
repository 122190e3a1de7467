"""Long actions as processes of their own."""
