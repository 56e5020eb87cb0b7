"""Data in, plotly figures out: one palette, one layout. No streamlit here."""
