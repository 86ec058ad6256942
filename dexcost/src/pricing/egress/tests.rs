use rust_decimal::Decimal;

use super::row;
use super::{EgressCost, EgressDestination, EgressPricing};
use crate::dec;
use crate::event::CostConfidence;

fn internet(provider: &str, region: &str, bytes: u64) -> Option<EgressCost> {
    EgressPricing::new().cost(provider, Some(region), EgressDestination::Internet, bytes)
}

#[test]
fn a_gigabyte_is_what_the_provider_calls_one() {
    for (provider, region, gigabyte, usd, confidence) in [
        ("aws", "eu-west-1", 1 << 30, dec!(0.09), CostConfidence::Computed),
        ("AWS", "sa-east-1", 1 << 30, dec!(0.15), CostConfidence::Estimated),
        (
            "gcp",
            "us-central1",
            1 << 30,
            dec!(0.12),
            CostConfidence::Computed,
        ),
        ("azure", "eastus", 1 << 30, dec!(0.087), CostConfidence::Computed),
        (
            "oci",
            "eu-frankfurt-1",
            1_000_000_000,
            dec!(0.0085),
            CostConfidence::Computed,
        ),
        ("fly", "jnb", 1_000_000_000, dec!(0.12), CostConfidence::Computed),
        (
            "alibaba",
            "cn-hangzhou",
            1_000_000_000,
            dec!(0.123),
            CostConfidence::Estimated,
        ),
        (
            "vercel",
            "iad1",
            1_000_000_000,
            dec!(0.15),
            CostConfidence::Computed,
        ),
        (
            "digitalocean",
            "nyc3",
            1_000_000_000,
            dec!(0.01),
            CostConfidence::Computed,
        ),
        (
            "runpod",
            "wherever",
            1_000_000_000,
            dec!(0),
            CostConfidence::Computed,
        ),
    ] {
        let cost = internet(provider, region, gigabyte).unwrap_or_else(|| panic!("{provider}"));
        assert_eq!((cost.cost_usd, cost.gigabytes), (usd, Decimal::ONE), "{provider}");
        assert_eq!(cost.confidence, confidence, "{provider}");
        assert_eq!(cost.version.len(), 12);
    }
}

#[test]
fn what_the_table_does_not_have_is_unpriced() {
    let prices = EgressPricing::new();
    assert_eq!(internet("", "us-east-1", 1), None);
    assert_eq!(internet("some cloud", "us-east-1", 1), None);
    assert_eq!(internet("aws", "moon-east-1", 1), None);
    assert_eq!(prices.cost("aws", None, EgressDestination::Internet, 1), None);
    assert_eq!(
        prices.cost("azure", Some("eastus"), EgressDestination::Zone, 1),
        None
    );
    assert!(prices.cost("aws", None, EgressDestination::Zone, 1).is_some());
    assert!(
        prices
            .cost(
                "gcp",
                Some("europe-west1"),
                EgressDestination::InternetStandard,
                1
            )
            .is_some()
    );
    assert_eq!(
        prices.cost("gcp", Some("asia-east1"), EgressDestination::InternetStandard, 1),
        None
    );
}

#[test]
fn a_few_bytes_cost_something_and_all_of_them_too() {
    let few = internet("aws", "us-east-1", 1200).unwrap();
    assert_eq!(few.gigabytes, dec!(0.000001117587));
    assert_eq!(few.cost_usd, dec!(0.00000010058283));
    let none = internet("aws", "us-east-1", 0).unwrap();
    assert_eq!(none.cost_usd, dec!(0));
    // The first price, whatever the size: the process does not know the account's month.
    let much = internet("aws", "us-east-1", 20 << 40).unwrap();
    assert_eq!(much.cost_usd, dec!(1843.2));
    assert!(internet("aws", "us-east-1", u64::MAX).is_some());
}

#[test]
fn who_knows_the_month_so_far_climbs_the_ladder() {
    let after = |bytes: u64, before: u64| {
        EgressPricing::new()
            .cost_after(
                "aws",
                Some("us-east-1"),
                EgressDestination::Internet,
                bytes,
                before,
            )
            .map(|cost| cost.cost_usd)
    };
    let gib = 1u64 << 30;
    assert_eq!(after(gib, 0), Some(dec!(0.09)));
    assert_eq!(after(gib, 10_239 * gib), Some(dec!(0.09)));
    assert_eq!(after(gib, 10_240 * gib), Some(dec!(0.085)));
    assert_eq!(after(gib, 200_000 * gib), Some(dec!(0.05)));
    assert_eq!(
        after(200_000 * gib, 0),
        Some(dec!(921.6) + dec!(3481.6) + dec!(7168) + dec!(2320))
    );
    assert_eq!(after(u64::MAX, u64::MAX), None);
}

#[test]
fn every_row_can_be_read_and_its_ladder_has_no_gap() {
    let mut count = 0;
    for row in row::rows() {
        count += 1;
        assert!(row.destination.parse::<EgressDestination>().is_ok(), "{row:?}");
        assert!(!row.as_of.is_empty() && !row.source.is_empty(), "{row:?}");
        let mut above = Some(Decimal::ZERO);
        for tier in row.tiers() {
            assert_eq!(Some(tier.above), above, "{row:?}");
            assert!(tier.usd < dec!(1), "{row:?}");
            above = tier.up_to;
        }
        assert_eq!(above, None, "{row:?}");
    }
    assert_eq!(count, 64);
}

#[test]
fn the_packed_rows_are_those_of_the_table() {
    let Ok(text) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/egress.txt")) else {
        return;
    };
    assert_eq!(row::version(), &crate::privacy::sha256_hex(&text)[..12]);
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    assert!(rows.eq(include_str!("bundled.tsv").lines().skip(1)));
}

/// Every row of the table of price facts, where it is at hand.
#[test]
#[allow(clippy::print_stdout, reason = "a test that skips says so")]
fn every_listed_price_survives() {
    let Some(shared) = std::env::var_os("DEXCOST_SHARED") else {
        println!("SKIPPED every_listed_price_survives: DEXCOST_SHARED is not set");
        return;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&shared).join("prices/egress.csv")).unwrap();
    let mut seen = 0;
    for record in crate::pricing::services::csv_records(&text).skip(1) {
        let [
            provider,
            regions,
            _,
            above,
            up_to,
            usd,
            confidence,
            as_of,
            source,
            note,
        ] = &record[..]
        else {
            panic!("{record:?}");
        };
        seen += 1;
        let number = |text: &str| (!text.is_empty()).then(|| text.parse::<Decimal>().unwrap());
        let confidence = if confidence == "high" {
            CostConfidence::Computed
        } else {
            CostConfidence::Estimated
        };
        let survives = row::rows().any(|row| {
            row.provider == provider
                && (row.regions.split(' ').any(|own| own == regions)
                    || row.regions == regions
                    || row.note.contains(&regions[..]))
                && row.as_of == as_of
                && row.source == source
                && row.note.ends_with(&note[..])
                && row.tiers().any(|tier| {
                    Some(tier.above) == number(above)
                        && tier.up_to == number(up_to)
                        && Some(tier.usd) == number(usd)
                        && tier.confidence == confidence
                })
        });
        assert!(survives, "{record:?}");
    }
    assert!(seen > 500, "{seen}");
}
