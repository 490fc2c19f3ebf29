"""Weather files of every format, written from one year of light that pvlib made."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

LATITUDE, LONGITUDE, ALTITUDE = 45.0, 8.0, 250.0
ZONE_H = 1
FIELDS = ["ghi", "dni", "dhi", "t", "wind"]


@lru_cache(maxsize=1)
def year_of_light() -> pd.DataFrame:
    """Hours of 2023 in UTC+1, each a mean over the hour that begins at its stamp: pvlib's sky under passing weather."""
    place = pvlib.location.Location(LATITUDE, LONGITUDE, altitude=ALTITUDE, tz="Etc/GMT-1")
    times = pd.date_range(
        "2023-01-01", "2024-01-01", freq="5min", inclusive="left", tz=place.tz
    ) + pd.Timedelta("150s")
    clear = place.get_clearsky(times, linke_turbidity=3.0)
    hours = clear.groupby(times.floor("h")).mean()
    n = np.arange(hours.shape[0])
    index = np.clip(0.65 + 0.35 * np.sin(n / 7.3) * np.cos(n / 41.0), 0.1, 1.0)
    direct = np.clip(1.38 * index - 0.38, 0.0, 1.0) ** 2.5
    level = (hours["ghi"] - hours["dhi"]) * direct
    ghi = hours["ghi"] * index
    return pd.DataFrame(
        {
            "ghi": ghi.round(2), "dni": (hours["dni"] * direct).round(2), "dhi": (ghi - level).round(2),
            "t": (10.0 - 8.0 * np.cos(2 * np.pi * n / 8760) + 4.0 * np.sin(2 * np.pi * (n % 24 - 9) / 24)).round(2),
            "wind": (2.0 + np.sin(n / 11.0)).round(2),
        },
        index=hours.index,
    ).set_axis(FIELDS, axis=1)  # fmt: skip


@lru_cache(maxsize=4)
def moments_of_light(minute: int) -> pd.DataFrame:
    """The clear sky of 2023 at moments, at so many minutes past each hour of UTC."""
    place = pvlib.location.Location(LATITUDE, LONGITUDE, altitude=ALTITUDE)
    times = pd.date_range("2023-01-01", "2024-01-01", freq="h", inclusive="left", tz="UTC") + pd.Timedelta(
        minutes=minute
    )
    clear = 0.8 * place.get_clearsky(times, linke_turbidity=3.0)[["ghi", "dni", "dhi"]]
    return clear.assign(t=11.0, wind=3.0)


def csv_file(path: Path, data: pd.DataFrame, columns: dict[str, str] | None = None) -> Path:
    """Plain CSV; `columns` names what goes in, all by default."""
    names = columns or {
        "ghi": "ghi_w_m2",
        "dni": "dni_w_m2",
        "dhi": "dhi_w_m2",
        "t": "t_amb_c",
        "wind": "wind_m_s",
    }
    out = data[list(names)].rename(columns=names)
    out.insert(0, "time", [stamp.isoformat() for stamp in data.index])
    path.write_text("# a logger's file\n" + out.to_csv(index=False), encoding="utf-8")
    return path


def epw_file(path: Path, data: pd.DataFrame, years: dict[int, int] | None = None) -> Path:
    """EPW: hour 1 is the hour that ends at 1 o'clock; `years` gives months years of their own."""
    lines = [
        f"LOCATION,Somewhere,-,ITA,test,0,{LATITUDE},{LONGITUDE},{ZONE_H}.0,{ALTITUDE}",
        "DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,made for a test", "COMMENTS 2,none",
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]  # fmt: skip
    for stamp, row in zip(data.index, data.itertuples(), strict=True):
        year = (years or {}).get(stamp.month, stamp.year)
        lines.append(
            f"{year},{stamp.month},{stamp.day},{stamp.hour + 1},0,?9?9,{row.t},5.0,80,97000,9999,9999,300,"
            f"{row.ghi},{row.dni},{row.dhi},999999,999999,999999,9999,180,{row.wind},5,5,20,77777,9,999999999,"
            "10,0.1,0,88,0.2,0,0"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tmy3_file(path: Path, data: pd.DataFrame, years: dict[int, int] | None = None) -> Path:
    """TMY3: 01:00 is the hour that ends then, 24:00 the day's last."""
    head = f'999999,"SOMEWHERE",XX,{ZONE_H}.0,{LATITUDE},{LONGITUDE},{ALTITUDE:.0f}\n'
    out = pd.DataFrame(
        {
            "Date (MM/DD/YYYY)": [
                f"{s.month:02d}/{s.day:02d}/{(years or {}).get(s.month, s.year)}" for s in data.index
            ],
            "Time (HH:MM)": [f"{s.hour + 1:02d}:00" for s in data.index],
            "GHI (W/m^2)": data["ghi"].to_numpy(), "DNI (W/m^2)": data["dni"].to_numpy(),
            "DHI (W/m^2)": data["dhi"].to_numpy(), "Dry-bulb (C)": data["t"].to_numpy(),
            "Wspd (m/s)": data["wind"].to_numpy(),
        }
    )  # fmt: skip
    path.write_text(head + out.to_csv(index=False), encoding="utf-8")
    return path


def nsrdb_file(path: Path, data: pd.DataFrame, years: dict[int, int] | None = None) -> Path:
    """NSRDB: stamped half past, the middle of its hour."""
    head = (
        "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone\n"
        f"NSRDB,1,-,-,-,{LATITUDE},{LONGITUDE},{ZONE_H},{ALTITUDE:.0f},{ZONE_H}\n"
    )
    out = pd.DataFrame(
        {
            "Year": [(years or {}).get(s.month, s.year) for s in data.index],
            "Month": data.index.month, "Day": data.index.day, "Hour": data.index.hour, "Minute": 30,
            "GHI": data["ghi"].to_numpy(), "DHI": data["dhi"].to_numpy(), "DNI": data["dni"].to_numpy(),
            "Temperature": data["t"].to_numpy(), "Wind Speed": data["wind"].to_numpy(),
        }
    )  # fmt: skip
    path.write_text(head + out.to_csv(index=False), encoding="utf-8")
    return path


def solaranywhere_file(path: Path, data: pd.DataFrame) -> Path:
    """SolarAnywhere: stamped with the end of its interval, as its header says."""
    head = (
        f'0,Somewhere,NA,{ZONE_H},{LATITUDE},{LONGITUDE},{ALTITUDE:.0f},"Data Version: 3.6 / Type: Timeseries / '
        'LatLon Resolution: 0.005 / Time Resolution: 60 minutes / Averaging Method: End of Period"\n'
    )
    out = pd.DataFrame(
        {
            "ObservationTime(LST)": (data.index + pd.Timedelta("1h")).strftime("%m/%d/%Y %H:%M"),
            "Global Horizontal Irradiance (GHI) W/m2": data["ghi"].to_numpy(),
            "Direct Normal Irradiance (DNI) W/m2": data["dni"].to_numpy(),
            "Diffuse Horizontal Irradiance (DIF) W/m2": data["dhi"].to_numpy(),
            "AmbientTemperature (deg C)": data["t"].to_numpy(), "WindSpeed (m/s)": data["wind"].to_numpy(),
        }
    )  # fmt: skip
    path.write_text(head + out.to_csv(index=False), encoding="iso-8859-1")
    return path


def pvgis_tmy_csv(path: Path, data: pd.DataFrame, offset_h: float) -> Path:
    """PVGIS's typical year: stamps on the hour, light that many hours later."""
    years = [2012, 2007, 2009, 2013, 2008, 2006, 2011, 2010, 2020, 2005, 2007, 2016]
    lines = [
        f"Latitude (decimal degrees): {LATITUDE}", f"Longitude (decimal degrees): {LONGITUDE}",
        f"Elevation (m): {ALTITUDE}", f"Irradiance Time Offset (h): {offset_h}", "month,year",
        *(f"{month},{year}" for month, year in enumerate(years, 1)),
        "time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP",
    ]  # fmt: skip
    for stamp, row in zip(data.index, data.itertuples(), strict=True):
        time = f"{years[stamp.month - 1]}{stamp:%m%d:%H}00"
        lines.append(
            f"{time},{row.t},80.0,{row.ghi:.3f},{row.dni:.3f},{row.dhi:.3f},300.0,{row.wind},180.0,97000.0"
        )
    lines += ["", "T2m: 2-m air temperature (degree Celsius)", "", "PVGIS (c) European Union, 2001-2024"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pvgis_hourly_json(path: Path, data: pd.DataFrame, slope: float = 0.0) -> Path:
    """PVGIS's hourly series of a plane."""
    level = data["ghi"] - data["dhi"]
    hourly = [
        {"time": f"{stamp:%Y%m%d:%H%M}", "Gb(i)": round(float(b), 3), "Gd(i)": round(float(row.dhi), 3), "Gr(i)": 0.0,
         "H_sun": 0.0, "T2m": row.t, "WS10m": row.wind, "Int": 0.0}
        for stamp, row, b in zip(data.index, data.itertuples(), level, strict=True)
    ]  # fmt: skip
    document = {
        "inputs": {
            "location": {"latitude": LATITUDE, "longitude": LONGITUDE, "elevation": ALTITUDE},
            "mounting_system": {
                "fixed": {"slope": {"value": slope, "optimal": False}, "type": "free-standing"}
            },
        },
        "outputs": {"hourly": hourly},
        "meta": {"inputs": {}},
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
