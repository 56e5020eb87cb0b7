"""A finished run as one HTML file that opens without a server or a network: hover and the slider through time work in it.

    python -m ked report RUN -o report.html

The file holds the chart library, the app's own scripts for figures and slider, every figure with its frames, and tables.
"""
