//! The module `time`. Dates are those of the Gregorian calendar in universal time: no time zones.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hotloop::prelude::*;

use super::{float, module};
use crate::object::{list, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};

pub(super) fn define(interp: &Pyllisp) {
    module(
        interp,
        "time",
        &[
            ("now", Work::Native(now)),
            ("clock", Work::Native(clock)),
            ("sleep", Work::Native(sleep)),
            ("date", Work::Native(date)),
            ("parts", Work::Native(parts)),
        ],
    );
}

/// Seconds since the beginning of 1970.
fn seconds_now() -> f64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

fn now(interp: &Pyllisp, _: &[Value<Plain>]) -> Answer {
    Ok(Value::from_float(interp.runtime(), seconds_now().into()))
}

/// Seconds since the interpreter began, which no setting of the clock changes.
fn clock(interp: &Pyllisp, _: &[Value<Plain>]) -> Answer {
    Ok(Value::from_float(interp.runtime(), interp.began.elapsed().as_secs_f64().into()))
}

/// How long a sleep goes on after Ctrl-C, at most.
const NAP: Duration = Duration::from_millis(20);

fn sleep(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let seconds = float(interp, args, 0)?;
    let Ok(duration) = Duration::try_from_secs_f64(seconds) else {
        return Err(interp.error(&format!("cannot sleep for {} seconds", repr::repr(interp, args[0]))));
    };
    interp.flush();
    let start = Instant::now();
    loop {
        let left = duration.saturating_sub(start.elapsed());
        if left.is_zero() {
            return super::nothing();
        }
        interp.runtime().blocking(|| std::thread::sleep(left.min(NAP)));
        interp.stop_if_asked()?;
    }
}

/// Year, month, day, hour, minute, second.
fn civil(seconds: i64) -> [i64; 6] {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days are counted from the first of March of the year 0, so that leap days are last; eras are of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    [year, month, day, second / 3600, second / 60 % 60, second % 60]
}

/// The time that is given, or now; within some hundred thousand years.
fn given(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<[i64; 6], Raise<Plain>> {
    let seconds = if args.is_empty() { seconds_now() } else { float(interp, args, 0)? };
    if seconds.is_nan() || seconds.abs() > 1e13 {
        return Err(interp.error(&format!("no date: {}", repr::repr(interp, args[0]))));
    }
    Ok(civil(seconds.floor() as i64))
}

/// `(time.date)`, `(time.date seconds)`: a text like `2026-11-21 18:20:33`
fn date(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let [year, month, day, hour, minute, second] = given(interp, args)?;
    Ok(interp.text(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")))
}

/// `(time.parts)`, `(time.parts seconds)`: year, month, day, hour, minute, second in a list
fn parts(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let parts = given(interp, args)?.map(Value::small);
    Ok(list::from_values(interp.runtime(), &parts).to_value())
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_of_the_calendar() {
        for (seconds, expected) in [
            (0, [1970, 1, 1, 0, 0, 0]),
            (-1, [1969, 12, 31, 23, 59, 59]),
            (951_782_400, [2000, 2, 29, 0, 0, 0]),
            (4_107_542_399, [2100, 2, 28, 23, 59, 59]),
            (4_107_542_400, [2100, 3, 1, 0, 0, 0]),
            (-62_135_596_800, [1, 1, 1, 0, 0, 0]),
        ] {
            assert_eq!(civil(seconds), expected, "{seconds}");
        }
    }
}
