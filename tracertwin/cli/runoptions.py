"""What a run may be told in words: its step, the time between samples, a moment of it."""

from plant.base.civiltime import moment_utc_s
from plant.base.clock import DAY_S, STEP_S, is_step, parse_duration_s, parse_local
from plant.site.model import Site

# Longest run [days] for which samples so far apart [s] are the default: a year of minutes would be 300 MB.
SAMPLES = ((31.0, 60), (366.0, 600), (float("inf"), 3600))


def parse_step_s(text: str, fidelity: str) -> int:
    """Step [s] of a run.

    Raises
    ------
    ValueError
        If it is not a duration, or none that a run of this fidelity can have.
    """
    step_s = parse_duration_s(text)
    if is_step(step_s, fidelity):
        return int(step_s)
    if fidelity == "detailed":
        raise ValueError(
            f"a detailed run has steps of {STEP_S} s, got {text}; longer ones: --fidelity sizing"
        )
    raise ValueError(f"a sizing run's step must be whole minutes that divide an hour, 1min to 1h, got {text}")


def parse_sample_s(text: str, step_s: int) -> int:
    """Time between samples [s].

    Raises
    ------
    ValueError
        If it is not a duration, or doesn't fit the step and the day.
    """
    sample_s = parse_duration_s(text)
    if sample_s <= 0 or sample_s % step_s or DAY_S % sample_s:
        raise ValueError(f"must be a multiple of {step_s} s, the step, that divides a day, got {text}")
    return int(sample_s)


def default_sample_s(days: float, step_s: int) -> int:
    """Time between samples [s] unless one is asked for."""
    return max(step_s, next(sample_s for longest, sample_s in SAMPLES if days <= longest))


def parse_moment(text: str, timezone: str, start_utc_s: int, end_utc_s: int, step_s: int) -> int:
    """A moment of a run [s UTC], on its grid: the end of a step.

    Raises
    ------
    ValueError
        If it is not a time, or lies outside of the run.
    """
    moment = moment_utc_s(parse_local(text), timezone)
    moment -= (moment - start_utc_s) % step_s
    if not start_utc_s < moment <= end_utc_s:
        raise ValueError(f"{text} is outside the run: it must be after the start and not after the end")
    return moment


def check_weather(site: Site, begin_utc_s: int, end_utc_s: int) -> None:
    """Check that a weather file holds the whole of a run, before the run finds out.

    Raises
    ------
    ProblemsError
        Saying what the file holds.
    """
    if site.weather.file is not None:
        from plant.weather.measured.days import file_sky

        file_sky(site.weather, site.location).check_run(begin_utc_s, end_utc_s)
