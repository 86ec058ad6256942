use super::*;
use crate::pricing::{names, sanity};
use crate::text::same_bytes;

fn rows(name: Name) -> Vec<Row> {
    let newest = name.row(u64::MAX);
    let mut rows = vec![newest];
    while let Some(row) = rows.last().filter(|row| row.since_seconds() > 0) {
        rows.push(name.row(row.since_seconds() - 1));
    }
    rows
}

fn prices(rates: Rates<'static>) -> impl Iterator<Item = (Code, rust_decimal::Decimal)> {
    (0..rates.len()).filter_map(move |at| rates.nth(at))
}

#[test]
fn every_name_is_found_exactly_and_in_other_case() {
    assert!(len() > 5_000);
    for name in all() {
        let key = name.as_str();
        assert!(!key.is_empty() && key.len() <= LONGEST_NAME, "{key}");
        assert_eq!(find(key.as_bytes()), Some(Hit { name, exact: true }), "{key}");
        let shouted = key.to_ascii_uppercase();
        let found = find(shouted.as_bytes());
        assert!(
            found.is_some_and(|found| found.name.as_str().eq_ignore_ascii_case(key)),
            "{key}"
        );
        // Under every prefix that it has, as one that is put together.
        for (at, _) in key.match_indices('/') {
            for (whole, hit) in [(key, find(key.as_bytes())), (&shouted, found)] {
                let [head, rest] = [&whole[..at], &whole[at + 1..]].map(|piece| Piece::of(piece.as_bytes()));
                assert_eq!(rest.unwrap().find_under(head.unwrap()), hit, "{whole} at {at}");
            }
        }
    }
}

#[test]
fn names_that_are_in_no_table_are_not_found() {
    for name in [
        "",
        "no-such-model",
        "gpt-4o\0",
        "gpt-4o ",
        "sample_spec",
        "fallback_generalizations",
    ] {
        assert_eq!(find(name.as_bytes()), None, "{name:?}");
    }
    assert_eq!(find(&[b'a'; 1 << 20]), None);
}

#[test]
fn every_price_is_well_formed_and_the_absurd_ones_are_marked() {
    let mut refused = 0;
    for name in all() {
        for row in rows(name) {
            let codes: Vec<_> = prices(row.rates()).map(|(code, _)| code).collect();
            assert!(codes.is_sorted_by(|a, b| a < b), "{}", name.as_str());
            for (code, price) in prices(row.rates()) {
                assert!(
                    code.component().is_some() && code.tier().is_some(),
                    "{}",
                    name.as_str()
                );
                assert!(
                    code.threshold() == 0 || threshold(code.threshold()).is_some(),
                    "{}",
                    name.as_str()
                );
                assert_eq!(row.rates().get(code), Some(price), "{}", name.as_str());
            }
            let sane = prices(row.rates()).all(|(code, price)| sanity::is_sane(code, price));
            assert_eq!(row.is_refused(), !sane, "{}", name.as_str());
            refused += usize::from(row.is_refused());
            assert!(!row.provider().is_empty(), "{}", name.as_str());
            assert_eq!(row.family(), names::family(row.provider()), "{}", name.as_str());
        }
    }
    assert!(refused > 0 && refused < 50, "{refused}");
}

#[test]
fn every_range_and_off_peak_block_can_be_read() {
    let (mut ranged, mut timed) = (0, 0);
    for row in all().flat_map(rows) {
        if let Some(ranges) = row.ranges() {
            ranged += 1;
            for range in ranges.iter() {
                assert!(range.low <= range.high && range.rates.len() > 0);
                assert!(
                    prices(range.rates)
                        .all(|(code, price)| sanity::is_sane(code, price) && code.threshold() == 0)
                );
            }
        }
        if let Some(off_peak) = row.off_peak() {
            timed += 1;
            assert!(prices(off_peak.rates).all(|(code, price)| sanity::is_sane(code, price)));
            let open = (0..7 * 24).filter(|hour| off_peak.is_open(hour * 3600)).count();
            assert!(open > 0 && open < 7 * 24, "{open}");
        }
    }
    assert!(ranged > 0 && timed > 0);
}

#[test]
fn the_components_are_those_of_the_generator() {
    let listed = KEYS.lines().nth(2).unwrap_or("");
    let ours: Vec<_> = Component::ALL
        .iter()
        .map(|component| component.as_str())
        .collect();
    assert_eq!(listed.split(' ').collect::<Vec<_>>(), ours);
    for component in Component::ALL {
        assert_eq!(Component::parse(component.as_str()), Some(*component));
        assert_eq!(Code::plain(*component).component(), Some(*component));
    }
}

#[test]
fn the_version_is_twelve_hexadecimal_digits() {
    assert_eq!(VERSION.len(), 12);
    assert!(VERSION.bytes().all(|b| b.is_ascii_hexdigit()));
}

#[test]
fn thresholds_ascend() {
    let all: Vec<_> = (1..).map_while(threshold).collect();
    assert!(all.len() > 3 && all.is_sorted_by(|a, b| a < b));
    assert_eq!(threshold(0), None);
}

#[test]
fn an_instant_before_every_row_takes_the_oldest() {
    for name in all() {
        assert_eq!(rows(name).last(), Some(&name.row(0)), "{}", name.as_str());
    }
}

#[test]
fn names_are_the_same_where_every_byte_is() {
    for len in 0..40 {
        let name: Vec<u8> = (0..len).collect();
        assert!(same_bytes(&name, &name.clone()));
        for at in 0..name.len() {
            let mut other = name.clone();
            other[at] ^= 1;
            assert!(!same_bytes(&name, &other), "{at} of {len}");
        }
        assert!(!same_bytes(&name, &[&name[..], b"x"].concat()));
    }
}
