"""Sentences, tables and lists made of numbers. No streamlit here."""
