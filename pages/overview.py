"""Overview: what the app is about, in one picture that answers."""

from explorer.blocks import frame
from explorer.blocks.overview import flow, pair

LEAD = (
    "A big net, the *teacher*, teaches a small one, the *student*: not only **what** it answers, but **why**. Here the teacher reads two "
    "digits at once. Switch one team of its pixels off, and see what it still knows."
)

with frame.page("overview", "Not only what, but why", LEAD):
    pair.panel()
    flow.doors()
    flow.flow()
