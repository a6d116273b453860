//! Times as texts, as RFC 3339 writes them.

/// Milliseconds since 1970 of a time such as `2021-04-19T06:06:58.219Z`; `None` for what is none.
pub(super) fn read_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-')?;
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [hour, minute, second] = numbers(clock, ':')?;
    let mut ms = 0;
    for (digit, unit) in fraction.bytes().zip([100, 10, 1]) {
        ms += i64::from((digit as char).to_digit(10)?) * unit;
    }
    let offset_minutes = match zone.split_at(1) {
        ("Z" | "z", "") => 0,
        (sign, offset) => {
            let [hours, minutes] = numbers(offset, ':')?;
            (hours * 60 + minutes) * if sign == "-" { -1 } else { 1 }
        }
    };
    let days = days_since_1970(year, month, day);
    let minutes = (days * 24 + hour) * 60 + minute - offset_minutes;
    Some((minutes * 60 + second) * 1_000 + ms)
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let mut parts = text.split(separator).map(|part| part.parse::<u32>().ok().map(i64::from));
    let mut found = [0; N];
    for number in &mut found {
        *number = parts.next()??;
    }
    parts.next().is_none().then_some(found)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar: years are taken to begin in March, so
/// that the day that some have more comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone_and_fraction() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00+00:00", Some(0)),
            ("2021-04-19T06:06:58.219Z", Some(1_618_812_418_219)),
            ("2021-04-19T08:06:58.219+02:00", Some(1_618_812_418_219)),
            ("2024-02-29T23:59:59.9-01:30", Some(1_709_256_599_900)),
            ("2000-03-01 00:00:00.000001Z", Some(951_868_800_000)),
            ("2021-04-19", None),
            ("2021-13-19T00:00:00Z", None),
            ("yesterday", None),
            ("2021-04-19T06:06Z", None),
            ("", None),
        ] {
            assert_eq!(read_time(text), expected, "{text}");
        }
    }
}
