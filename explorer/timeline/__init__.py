"""A run's events, and the moments of it that a visitor can go back to. No streamlit here."""
