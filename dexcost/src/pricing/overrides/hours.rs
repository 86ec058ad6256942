//! Prices of certain hours.

use yaml_rust2::Yaml;

use super::fault::{Read, fault, known_keys, scalar, text_at};
use super::prices::flat_prices;
use crate::pricing::entry::OwnOffPeak;
use crate::pricing::table::Window;

/// Reads the hours, their zone and their prices.
pub(super) fn read_off_peak(model: &str, value: &Yaml) -> Read<Option<OwnOffPeak>> {
    let at = format!("{model}, off_peak");
    if matches!(value, Yaml::BadValue) {
        return Ok(None);
    }
    known_keys(&at, value, &["zone", "windows", "prices"])?;
    let zone_minutes = match text_at(&at, value, "zone")? {
        None => 0,
        Some(zone) => match zone_minutes(&zone) {
            Some(minutes) => minutes,
            None => return fault(&at, format!("`zone: {zone}` is no offset like +08:00")),
        },
    };
    let mut windows = Vec::new();
    for row in value["windows"].as_vec().map_or(&[][..], Vec::as_slice) {
        known_keys(&at, row, &["days", "hours"])?;
        read_window(&at, row, &mut windows)?;
    }
    if windows.is_empty() {
        return fault(&at, "`windows` needs at least one entry with `hours`");
    }
    let rates = flat_prices(&at, &value["prices"])?;
    Ok(Some(OwnOffPeak {
        zone_minutes,
        windows,
        rates,
    }))
}

/// `days: [1, 2]` (1 is Monday; every day where absent) and `hours: ["22:00-02:00"]` in UTC.
fn read_window(at: &str, row: &Yaml, windows: &mut Vec<Window>) -> Read<()> {
    let mut mask = 0u8;
    for day in row["days"].as_vec().map_or(&[][..], Vec::as_slice) {
        match day {
            Yaml::Integer(day @ 1..=7) => mask |= 1 << (day - 1),
            _ => return fault(at, "days are numbers from 1 (Monday) to 7"),
        }
    }
    let mask = if mask == 0 { 0x7f } else { mask };
    for span in row["hours"].as_vec().map_or(&[][..], Vec::as_slice) {
        let text = scalar(span).unwrap_or_default();
        let Some((start, end)) = text
            .split_once('-')
            .and_then(|(start, end)| minute(start).zip(minute(end)))
        else {
            return fault(at, format!("`{text}` are no hours like 22:00-02:00"));
        };
        windows.push((mask, start, end));
    }
    Ok(())
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn zone_minutes(text: &str) -> Option<i16> {
    if text == "UTC" {
        return Some(0);
    }
    let (sign, rest) = text
        .strip_prefix('+')
        .map(|rest| (1, rest))
        .or_else(|| text.strip_prefix('-').map(|rest| (-1, rest)))?;
    Some(sign * minute(rest)?.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_zones_are_minutes() {
        assert_eq!(
            (minute("22:30"), minute("24:00"), minute("x")),
            (Some(1350), None, None)
        );
        assert_eq!(
            (
                zone_minutes("+08:00"),
                zone_minutes("-03:30"),
                zone_minutes("UTC")
            ),
            (Some(480), Some(-210), Some(0))
        );
    }
}
