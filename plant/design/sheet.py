"""The checks of a design as a table, and what they say of a site.

A pure function of the site's record and its extremes: nothing is read, nothing runs.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from plant.design import arraychecks, chargechecks, loadchecks
from plant.design.extremes import Extremes, extremes_of
from plant.design.figures import Figures
from plant.design.finding import Check, Level, Remark
from plant.site.model import Site

# A further check is a row here and a function beside the others.
CHECKS: Final = (
    Check(
        "open-circuit voltage",
        "full sun on cells as cold as the coldest air in daylight, against the controller's highest PV voltage",
        "above 97 % of it; or above 92 % at 25 °C",
        "above it",
        "IEC 62548, NEC 690.7; the Tracer manuals: 100 V at the lowest temperature, 92 V at 25 °C",
        arraychecks.coldest_open_circuit,
    ),
    Check(
        "array power",
        "power on the plates, over the controller's rated charge power at this system voltage",
        "above 1.5",
        "above 3",
        "Tracer AN, XTRA N: it limits by itself, but 1.5 times in reverse polarity damage it; 3 is a choice",
        arraychecks.array_power,
    ),
    Check(
        "short-circuit current",
        "all strings in full sun, over the controller's rated current",
        "above 1",
        "above 1.5",
        "as the array's power",
        arraychecks.short_circuit_current,
    ),
    Check(
        "voltage when hot",
        "power left at the boost voltage and 2 V, cells in full sun and the hottest air, against the maximum power",
        "10 % lost",
        "half lost",
        "the manuals' range of the tracker, battery + 2 V upwards; the shares are a choice",
        chargechecks.reach_when_hot,
    ),
    Check(
        "voltage when cold",
        "power left at the highest voltage of the tracker, coldest cells in full sun, against the maximum power",
        "10 % lost",
        "half lost",
        "the manuals' range of the tracker; the shares are a choice",
        chargechecks.reach_when_cold,
    ),
    Check(
        "unequal strings",
        "open-circuit voltages of the sub-arrays; and the power that they have side by side",
        "5 % apart",
        "10 % of the power lost",
        "a rule of installers for strings in parallel (weak); the share is a choice",
        arraychecks.unequal_strings,
    ),
    Check(
        "facing",
        "direct sun of a year on each plane, against what the same tilt would get facing the equator",
        "below 90 %",
        "below 60 %",
        "geometry, without air or clouds; the shares are a choice",
        arraychecks.facing,
    ),
    Check(
        "array cable",
        "voltage lost at the current of full sun, over the array's",
        "above 5 %",
        "above 10 %",
        "AS/NZS 5033 recommends 3 %; a little more is a choice for 12 and 24 V",
        arraychecks.array_cable,
    ),
    Check(
        "thin film",
        "a data sheet of thin film, against the fit, which is for crystalline silicon",
        "without `efficiency_200_pct`",
        "",
        "589 thin-film modules of the CEC table, see below",
        arraychecks.thin_film,
        announced=True,
    ),
    Check(
        "charge rate",
        "current of array at 13 V a block or controller, and of chargers in the same hours, over the capacity",
        "lead-acid below C/25 or above C/5, lithium above C/2",
        "lead-acid above C/2.5, lithium above 1 C or the BMS's current",
        "C/10 to C/5 by makers' advice and Home Power, C/2 on sheets of LiFePO4; the lower end is a choice",
        chargechecks.charge_rate,
    ),
    Check(
        "discharge rate",
        "highest load, at output and inverter, over the capacity",
        "lead-acid above C/5, lithium above C/2",
        "above 1 C, or the BMS's current",
        "where makers' tables of capacity by rate end",
        loadchecks.discharge_rate,
    ),
    Check(
        "load output",
        "highest load of two weeks drawn by chance, over the controller's rated load current",
        "above 90 %",
        "above it",
        "the manuals' overload, from 102 % on",
        loadchecks.load_output,
    ),
    Check(
        "battery cable",
        "voltage lost at the highest current, over the system's voltage",
        "above 2 %",
        "above 5 %",
        "a choice: 2 % of 12 V are 0.24 V; boost and float are 0.6 V apart",
        chargechecks.battery_cable,
    ),
    Check(
        "system voltage",
        "the battery's, against what the controller is set to",
        "",
        "another system",
        "vendor protocol V2.6",
        chargechecks.system_voltage,
    ),
    Check(
        "battery type",
        "charging voltages, compensation and equalizing as set, against what the chemistry bears",
        "sealed above 2.45 V a cell, vented below 2.42",
        "lithium compensated, equalized or outside of 3.4 to 3.65 V a cell; lead-acid as lithium",
        "makers' charging advice; the controller's own types",
        chargechecks.battery_type,
    ),
    Check(
        "disconnect voltage",
        "low-voltage disconnect, against the battery's floor",
        "lead-acid below 1.80 V a cell; less than 0.5 V a block above where the BMS opens",
        "lead-acid below 1.75 V a cell; not above where the BMS opens",
        "end voltages of data sheets; the battery's file",
        loadchecks.disconnect_floor,
    ),
    Check(
        "BMS over-charge",
        "highest charging voltage, against where the BMS opens",
        "",
        "not below it",
        "the battery's file",
        chargechecks.bms_over_charge,
    ),
    Check(
        "charging in the cold",
        "the battery's temperature, against where the BMS refuses charge and the controller's own limit",
        "at times colder, and the controller has no limit; or in the coldest month colder, and it has one",
        "in the coldest month colder, and the controller has no limit",
        "the battery's file",
        chargechecks.cold_charging,
    ),
)


class SheetRow(NamedTuple):
    """A check with what it found."""

    check: Check
    finding: Remark

    def line(self) -> str:
        """In one line."""
        found = self.finding
        return f"{self.check.name}: {found.found} ({found.limit}; {found.keys[0]}): {found.fix}"


def inspected(site: Site, extremes: Extremes) -> tuple[SheetRow, ...]:
    """What every check says of a site that it applies to, in the order of the table."""
    return tuple(_rows(Figures(site, extremes)))


def _rows(figures: Figures) -> Iterator[SheetRow]:
    for check in CHECKS:
        finding = check.find(figures)
        if finding is not None:
            yield SheetRow(check, finding)


def announcements(site: Site) -> Iterator[str]:
    """`announced` of a site's own sheet."""
    return announced(inspected(site, extremes_of(site)))


def announced(rows: tuple[SheetRow, ...]) -> Iterator[str]:
    """What somebody who starts a run should know, in a line each: what is wrong, and errors to be expected."""
    for row in rows:
        level = row.finding.level
        if level is Level.WRONG or (row.check.announced and level is Level.CHECK):
            yield f"{level}: {row.line()}"
