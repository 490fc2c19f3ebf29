"""Charts of what an array's energy became, and of what the loss depends on."""

from typing import Any, Final

import altair as alt
import pandas as pd

from tracertwin.sizing.figures.monthly import MonthlyFigures
from tracertwin.sizing.figures.printing import below_finest
from tracertwin.sizing.report.look import INK, LESS, MORE, finished, sized
from tracertwin.sizing.report.study import COST, Study, in_print, titled

BAR_PX: Final = 24
ROOM: Final = 1.7  # of the longest bar, for the texts behind the bars
SMALLEST: Final = 0.0005  # of the energy on offer: less is left out
OFFERED: Final = ("e_available_wh", "e_charger_1_wh", "e_charger_2_wh")
BECAME: Final = {
    "load": ("e_load_wh", "e_inverter_wh"),
    "unused: battery full": ("e_untaken_full_wh",),
    "unused: battery refuses": ("e_untaken_bms_wh", "e_untaken_cold_wh"),
    "unused: rating reached": ("e_untaken_limit_wh",),
    "unused: charger off": ("e_untaken_off_wh", "e_untaken_pv_high_wh"),
    "tracker loss": ("e_missed_wh",),
    "converter loss": ("e_converter_loss_wh",),
    "controller's own use": ("e_own_wh",),
    "battery: resistance": ("e_ohmic_wh", "e_polarisation_wh", "e_hysteresis_wh", "e_diffusion_wh"),
    "battery: gassing": ("e_side_wh",),
    "cables, switches": ("e_batt_wiring_wh", "e_path_loss_wh"),
    "inverter loss": ("e_inverter_loss_wh",),
}
"""What became of the energy of array and chargers, and the accounts that it is made of."""


def losses(figures: MonthlyFigures) -> Any:
    """A bar for each use of the energy, in per cent of what array and chargers could give."""
    offered_wh = _a_year(figures, OFFERED)
    rows = []
    for label, names in BECAME.items():
        wh = _a_year(figures, names)
        if wh >= SMALLEST * offered_wh:
            share = 100.0 * wh / max(offered_wh, 1e-9)
            rows.append(
                {"what": label, "share": round(share, 3), "text": f"{share:.1f} %, {wh / 1e3:,.1f} kWh"}
            )
    frame = pd.DataFrame(rows)
    room = alt.Scale(domain=[0.0, ROOM * float(frame["share"].max())])
    base = alt.Chart(frame).encode(
        x=alt.X("share:Q", title="% of the energy on offer", scale=room, axis=alt.Axis(tickCount=6)),
        y=alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=160)),
    )
    served = alt.condition(alt.datum.what == "load", alt.value("#44719b"), alt.value("#cbb39a"))
    text = base.mark_text(align="left", dx=4, fontSize=11).encode(text="text:N")
    return finished(sized(alt.layer(base.mark_bar().encode(color=served), text), BAR_PX * len(frame)))


def _a_year(figures: MonthlyFigures, names: tuple[str, ...]) -> float:
    """The mean year's sum of some accounts [Wh]."""
    return sum(float(figures.yearly(name).mean()) for name in names)


def sensitivity(study: Study) -> Any:
    """The loss with one input lower and higher, two bars for each input; the cost where there is no loss to tell."""
    told = [study.chosen, *(changed.judged for changed in study.changed)]
    name = COST if all(below_finest(one.metrics[study.loss]) for one in told) else study.loss
    as_it_is = in_print(study.chosen.metrics[name].value, name)
    rows = [
        {
            "what": changed.what,
            "by": f"{abs(100.0 * changed.by):g} % {'less' if changed.by < 0.0 else 'more'}",
            "from": as_it_is,
            "loss": round(in_print(changed.judged.metrics[name].value, name), 5),
        }
        for changed in study.changed
        if name == COST or changed.judged.figures is not study.chosen.figures
    ]
    frame = pd.DataFrame(rows)
    words = sorted(set(frame["by"]), key=lambda text: text.endswith("more"))
    scale = alt.Scale(domain=words, range=[LESS, MORE])
    title = f"{titled(name, study.currency)}; the line is the design as it is"
    bars = alt.Chart(frame).mark_bar(height=12).encode(
        x=alt.X("from:Q", title=title, axis=alt.Axis(tickCount=6), scale=alt.Scale(zero=name != COST)), x2="loss:Q",
        y=alt.Y("what:N", sort=None, title=None), yOffset=alt.YOffset("by:N", sort=words),
        color=alt.Color("by:N", title=None, scale=scale),
    )  # fmt: skip
    rule = alt.Chart(pd.DataFrame({"at": [as_it_is]})).mark_rule(color=INK).encode(x="at:Q")
    return finished(sized(alt.layer(bars, rule), 46 * frame["what"].nunique()))
