"""What is known about a flight the evening before it leaves."""

import holidays

from perennial import view

HOLIDAYS = sorted(holidays.country_holidays("US", years=range(2010, 2031)))


@view()
def weekday(flights):
    """Day of the week of departure, Monday is 0."""
    return flights.event_local.day_of_week.index()


@view()
def holiday(flights):
    """Whether the day of departure is a public holiday."""
    return flights.event_local.date().isin(HOLIDAYS)


@view(entity="tailnum")
def plane_age(planes):
    """Age of the plane in years."""
    return planes.predict_at.year() - planes.year


@view(entity="tailnum")
def seats(planes):
    """Seats of the plane."""
    return planes.seats


@view(window="1d")
def mean_delay_1d(outcomes):
    """Mean arrival delay of all flights of the last day, in minutes."""
    return outcomes.arr_delay.mean()


@view(entity="origin", window="3d")
def mean_delay_origin_3d(outcomes):
    """Mean arrival delay of this airport's flights in the last three days, in minutes."""
    return outcomes.arr_delay.mean()


@view(entity="carrier", window="7d")
def mean_delay_carrier_7d(outcomes):
    """Mean arrival delay of this airline's flights in the last seven days, in minutes."""
    return outcomes.arr_delay.mean()


@view(entity="dest", window="14d")
def mean_delay_destination_14d(outcomes):
    """Mean arrival delay of the flights to this destination in the last fourteen days, in minutes."""
    return outcomes.arr_delay.mean()


@view(entity="tailnum", window="14d")
def mean_delay_plane_14d(outcomes):
    """Mean arrival delay of this plane in the last fourteen days, in minutes."""
    return outcomes.arr_delay.mean()


@view(entity="origin", window="6h")
def wind_speed_evening(weather):
    """Mean wind speed at the airport in the evening before, in miles per hour."""
    return weather.wind_speed.mean()


@view(entity="origin", window="6h")
def visibility_evening(weather):
    """Least visibility at the airport in the evening before, in miles."""
    return weather.visib.min()


@view(entity="origin", window="24h")
def rain_1d(weather):
    """Rain at the airport over the last day, in inches."""
    return weather.precip.sum()


@view(entity="origin", window="6h")
def pressure_evening(weather):
    """Mean air pressure at the airport in the evening before, in millibars."""
    return weather.pressure.mean()
