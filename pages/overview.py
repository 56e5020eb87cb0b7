"""Overview: what the app is about, in one picture that answers."""

from explorer.blocks import frame
from explorer.blocks.overview import flow, pair

LEAD = "A big net teaches a small one **why** it answers as it does. It reads two digits at once: switch one team of its pixels off."

with frame.page("overview", "Not only what, but why", LEAD):
    pair.panel()
    flow.doors()
    flow.flow()
    flow.helped()
