"""What a visitor has chosen: every control declared once, the session, the address, undo."""
