//! The demand as comma-separated values (RFC 4180).

use serde::Deserialize;
use utoipa::ToSchema;

use super::Demand;
use crate::kernel::csv::field;
use crate::kernel::{Money, Quantity};

/// What the lines of the CSV are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DemandBy)]
pub enum By {
    #[default]
    Level,
    Year,
    Region,
}

impl Demand {
    /// A line a group and unit. What holds for a whole group stands on its first line only, so that a column's sum is right.
    #[must_use]
    pub fn csv(&self, by: By) -> String {
        let group = match by {
            By::Level => "level",
            By::Year => "year",
            By::Region => "region",
        };
        let mut csv = format!("as_of,{group},bodies,quantity,unit,annual_value,currency\r\n");
        let mut write = |name: &str, bodies: usize, volumes: &[Quantity], values: Vec<Money>| {
            for index in 0..volumes.len().max(values.len()).max(1) {
                let (volume, value) = (volumes.get(index), values.get(index));
                csv.push_str(&format!(
                    "{},{},{},{},{},{},{}\r\n",
                    self.as_of.to_rfc3339(),
                    field(name),
                    if index == 0 { bodies.to_string() } else { String::new() },
                    volume.map(|volume| volume.quantity.to_string()).unwrap_or_default(),
                    volume.map(|volume| field(&volume.unit)).unwrap_or_default(),
                    value.map(|value| value.amount.to_string()).unwrap_or_default(),
                    value.map(|value| format!("{:?}", value.currency)).unwrap_or_default(),
                ));
            }
        };
        let values = |own: Option<Money>, others: &[Money]| own.into_iter().chain(others.iter().copied()).collect();
        match by {
            By::Level => self.by_level.iter().for_each(|(word, level)| {
                write(word, level.bodies, &level.volume, values(level.annual_value, &level.other_currencies));
            }),
            By::Year => self.by_year.iter().for_each(|year| {
                let name = year.year.map(|year| year.to_string()).unwrap_or_default();
                write(&name, year.bodies, &year.volume, Vec::new());
            }),
            By::Region => self.by_region.iter().for_each(|region| {
                let name = region.nuts.as_deref().unwrap_or_default();
                write(name, region.bodies, &region.volume, values(region.annual_value, &region.other_currencies));
            }),
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::Level;
    use crate::kernel::{Currency, OrganisationId};
    use crate::process::demand::{Figures, Regions, Source, Voice, aggregate};

    fn lines(volumes: &[(&str, f64, Option<i32>)], values: &[Money], by: By) -> Vec<String> {
        let volume = |&(unit, quantity, year): &(&str, f64, _)| Quantity { quantity, unit: unit.into(), year };
        let volumes: Vec<Quantity> = volumes.iter().map(volume).collect();
        let values = values.iter().copied().map(Some).chain([None]);
        let voice = |(number, annual_value): (u8, Option<Money>)| {
            let volumes = if number == 0 { volumes.clone() } else { Vec::new() };
            let figures = Figures { volumes, annual_value, ..Figures::default() };
            let body = OrganisationId::from_bytes([number; 16]);
            Voice { body, level: Level::Intends, source: Source::Commitment, figures }
        };
        let voices: Vec<Voice> = (0..).zip(values).map(voice).collect();
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        let csv = aggregate(&voices, &Regions::new(), None, now).csv(by);
        csv.lines().skip(1).map(|line| line.trim_start_matches("2026-11-22T08:00:00+00:00,").to_owned()).collect()
    }

    #[test]
    fn a_unit_that_looks_like_a_formula_stays_text() {
        assert_eq!(
            lines(&[("=SUM(A1), \"x\"", 1.0, None)], &[], By::Level),
            ["intends,1,1,\"'=SUM(A1), \"\"x\"\"\",,"]
        );
    }

    #[test]
    fn every_unit_currency_and_year_has_its_line_and_bodies_stand_once() {
        let volumes = [("senge", 5.0, Some(2027)), ("senge", 6.0, Some(2028)), ("timer", 7.0, None)];
        let values = [Money::dkk(10), Money { amount: 20, currency: Currency::EUR }];
        assert_eq!(lines(&volumes, &values, By::Level), ["intends,3,11,senge,10,DKK", "intends,,7,timer,20,EUR"]);
        assert_eq!(lines(&volumes, &values, By::Year), [",1,7,timer,,", "2027,1,5,senge,,", "2028,1,6,senge,,"]);
        assert_eq!(lines(&volumes, &values, By::Region), [",3,11,senge,10,DKK", ",,7,timer,20,EUR"]);
    }
}
