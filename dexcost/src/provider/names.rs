//! Providers by their names, in any case and spelling.

use super::{ALL, Provider};
use crate::text::same_bytes;

/// So many slots that most names have one of their own.
const SLOTS: usize = 1_024;

/// The providers whose names fall into a slot: the place of the provider from 1, 0 where there is none.
/// A name whose slot is taken has the next free one.
static BY_NAME: [u8; SLOTS] = by_name_slots();

/// Every provider, by its place.
static PLACES: [&Provider; COUNT] = places();

const COUNT: usize = count();

const fn count() -> usize {
    let (mut count, mut group) = (0, 0);
    while group < ALL.len() {
        count += ALL[group].len();
        group += 1;
    }
    count
}

const fn places() -> [&'static Provider; COUNT] {
    let mut places = [&ALL[0][0]; COUNT];
    let (mut place, mut group) = (0, 0);
    while group < ALL.len() {
        let mut row = 0;
        while row < ALL[group].len() {
            places[place] = &ALL[group][row];
            place += 1;
            row += 1;
        }
        group += 1;
    }
    places
}

const fn by_name_slots() -> [u8; SLOTS] {
    let (mut slots, all) = ([0; SLOTS], places());
    let mut place = 0;
    while place < all.len() {
        let provider = all[place];
        insert(&mut slots, provider.id, place);
        insert(&mut slots, provider.price_key, place);
        let mut alias = 0;
        while alias < provider.aliases.len() {
            insert(&mut slots, provider.aliases[alias], place);
            alias += 1;
        }
        let mut path = 0;
        while path < provider.paths.len() {
            insert(&mut slots, provider.paths[path], place);
            path += 1;
        }
        place += 1;
    }
    slots
}

const fn insert(slots: &mut [u8; SLOTS], name: &str, place: usize) {
    let mut slot = slot_of(name.as_bytes());
    while slots[slot] != 0 {
        if slots[slot] == place as u8 + 1 {
            return;
        }
        slot = (slot + 1) % SLOTS;
    }
    slots[slot] = place as u8 + 1;
}

/// Of many factors the one by which the fewest of today's names share a slot; a shared slot costs a step.
const FACTOR: u32 = 0x8a0f_bef9;

/// The slot of a name, from its length and five of its letters.
#[inline]
const fn slot_of(name: &[u8]) -> usize {
    let length = name.len();
    if length < 2 {
        return length;
    }
    let ends = [
        folded(name[0]),
        folded(name[1]),
        folded(name[length / 2]),
        folded(name[length - 1]),
    ];
    let before = folded(name[length - 2]) as u32;
    let word = u32::from_le_bytes(ends) ^ before << 12 ^ (length as u32) << 20;
    (word.wrapping_mul(FACTOR) >> (u32::BITS - SLOTS.ilog2())) as usize
}

/// Letters in lower case; what separates words is the same sign.
static FOLDED: [u8; 256] = {
    let mut folded = [0; 256];
    let mut letter = 0;
    while letter < folded.len() {
        folded[letter] = match letter as u8 {
            b'-' | b'.' | b' ' => b'_',
            letter => letter.to_ascii_lowercase(),
        };
        letter += 1;
    }
    folded
};

#[inline]
const fn folded(letter: u8) -> u8 {
    FOLDED[letter as usize]
}

#[inline]
fn same(name: &[u8], known: &str) -> bool {
    same_bytes(name, known.as_bytes()) || (name.len() == known.len() && same_folded(name, known))
}

#[cold]
fn same_folded(name: &[u8], known: &str) -> bool {
    let mut pairs = name.iter().zip(known.as_bytes());
    pairs.all(|(a, b)| folded(*a) == folded(*b))
}

/// The providers whose slots a name may be in, the likeliest first.
fn candidates(name: &[u8]) -> impl Iterator<Item = &'static Provider> {
    let start = slot_of(name);
    let slots = (0..SLOTS).map(move |step| BY_NAME[(start + step) % SLOTS]);
    let taken = slots.take_while(|place| *place != 0);
    taken.filter_map(|place| PLACES.get(usize::from(place) - 1).copied())
}

/// The provider of a name as events, price tables, wires, other SDKs and users spell it.
#[inline]
pub(crate) fn by_name(name: &str) -> Option<&'static Provider> {
    let name = name.as_bytes();
    let mut slot = slot_of(name);
    loop {
        let place = usize::from(BY_NAME[slot]).checked_sub(1)?;
        let provider = PLACES[place];
        if is_called(provider, name) {
            return Some(provider);
        }
        slot = (slot + 1) % SLOTS;
    }
}

#[inline]
fn is_called(provider: &Provider, name: &[u8]) -> bool {
    same(name, provider.id) || is_called_otherwise(provider, name)
}

fn is_called_otherwise(provider: &Provider, name: &[u8]) -> bool {
    same(name, provider.price_key) || provider.aliases.iter().any(|alias| same(name, alias))
}

/// Who a proxy's path says is behind it. `openai` also names the wire form, as in `/groq/openai/v1/…`,
/// so any other name comes first.
pub(crate) fn by_path(path: &str) -> Option<&'static Provider> {
    let named = |segment: &str| {
        let at = candidates(segment.as_bytes());
        at.into_iter().find(|provider| provider.paths.contains(&segment))
    };
    let mut found = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .filter_map(named);
    let first = found.next()?;
    if first.id == "openai" {
        return Some(found.find(|provider| provider.id != "openai").unwrap_or(first));
    }
    Some(first)
}

/// The length of the shortest name whose family has another one.
const SHORTEST_MEMBER: usize = 9;

/// The family of a provider as price tables name it: entries of one family hold for all of it.
#[inline]
pub(crate) fn family(name: &str) -> &str {
    // No shorter name belongs to the family of another.
    if name.len() < SHORTEST_MEMBER {
        name
    } else if let Some(provider) = by_name(name) {
        provider.family
    } else if name.starts_with("vertex_ai-") {
        "vertex_ai"
    } else if name.starts_with("fireworks_ai-") {
        "fireworks_ai"
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardly_any_name_shares_its_slot_with_another() {
        let is_first = |provider: &&&Provider| {
            let first = candidates(provider.id.as_bytes()).next();
            first.is_some_and(|first| first.id == provider.id)
        };
        assert!(PLACES.iter().filter(is_first).count() + 4 >= PLACES.len());
    }
}
