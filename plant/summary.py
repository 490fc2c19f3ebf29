"""A run in one screen: what the sun gave, where it went, what the controller did."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from plant.clock import to_local

if TYPE_CHECKING:
    from plant.plant import Plant
    from plant.snapshot import Snapshot
    from plant.trace import Trace

EVENTS_SHOWN = 12

# field of the snapshot, what to call it, how deep it stands
ACCOUNT = (
    ("e_available_wh", "array could give", 0),
    ("e_pv_wh", "taken from the array", 0),
    ("e_converter_loss_wh", "lost in the converter", 1),
    ("e_chg_wh", "charger output", 1),
    ("e_load_wh", "load", 2),
    ("e_path_loss_wh", "lost in the load switch", 2),
    ("e_own_wh", "controller's own use", 2),
    ("e_batt_wh", "battery, net", 2),
    ("e_ohmic_wh", "ohmic loss", 3),
    ("e_polarisation_wh", "polarisation", 3),
    ("e_side_wh", "gassing, self-discharge", 3),
    ("e_diffusion_wh", "diffusion", 3),
    ("e_hysteresis_wh", "hysteresis", 3),
    ("e_unserved_wh", "load not served", 0),
)


def print_summary(plant: "Plant", trace: "Trace", before: "Snapshot", console: Console | None = None) -> None:
    """Print the account of energy, the battery's range and the last transitions of a run."""
    console = console or Console(highlight=False)
    after = plant.snapshot
    zone = plant.site.location.timezone
    console.print(
        f"{plant.site.name}, seed {plant.seed}: {to_local(plant.start_utc_s, zone)} to {to_local(after.t_utc_s, zone)}"
    )
    account = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    account.add_column("energy")
    account.add_column("Wh", justify="right")
    for field, label, depth in ACCOUNT:
        account.add_row("  " * depth + label, f"{getattr(after, field) + 0.0:.1f}".replace("-0.0", "0.0"))
    stored = after.e_stored_wh - before.e_stored_wh
    account.add_row("      more in store than at the start", f"{stored:.1f}")
    console.print(account)
    if len(trace.rows):
        v, soc = trace["v_batt_v"], trace["soc"]
        console.print(
            f"battery {v.min():.2f} to {v.max():.2f} V, charge {100 * soc.min():.1f} to {100 * soc.max():.1f} %, "
            f"now {100 * after.soc:.1f} % (the controller shows {100 * after.soc_controller:.0f} %)"
        )
        hours = ", ".join(f"{name} {spent:.1f} h" for name, spent in trace.stage_hours().items() if spent)
        console.print(f"stages: {hours}")
    events = trace.events[-EVENTS_SHOWN:]
    if events:
        console.print(
            f"\nlast {len(events)} of {len(trace.events)} transitions"
            if len(trace.events) > len(events)
            else "\ntransitions"
        )
    for event in events:
        moment = to_local(event.t_utc_s, zone).strftime("%Y-%m-%d %H:%M:%S")
        machine = event.machine.name.lower().replace("_", " ")
        console.print(f"  {moment}  {machine}: {event.from_.lower()} to {event.to.lower()}: {event.reason}")
