"""The lesson: five steps, each with one thing to do and one thing to guess."""

from explorer.blocks import frame
from explorer.blocks.lesson import course

LEAD = "Five steps of a minute each. Guess first, then try; nothing has to be trained."

with frame.page("lesson", "What is a superfeature?", LEAD):
    course.page()
