//! What a seed draws before its run begins: the weather, the clients and what they do, and who is unplugged when.

use crate::chance::Chance;
use crate::house::PARTS;
use crate::weather::Weather;

/// Orders of a run, at most.
const MOST_ORDERS: u64 = 8;
/// How long bad weather lasts, in milliseconds.
const STORM_MS: (u64, u64) = (5_000, 60_000);
/// Products that can be wanted. Food is not among them: its service is not simulated.
const PRODUCTS: [&str; 8] =
    ["OLJCESPC7Z", "66VCHSJNUP", "1YMWWN1N4O", "2ZYFJ3GM2N", "0PUK6V6EV0", "LS4PSXUNUM", "FURN-1", "FURN-2"];
/// Who orders, and from where they are billed; see `stage.rs` for what is wrong with some of them.
const CUSTOMERS: [&str; 12] = [
    "plain",
    "plain",
    "plain",
    "plain",
    "plain",
    "gold",
    "gold",
    "abroad",
    "closed",
    "unbilled",
    "suspended",
    "nobody",
];

/// A line of an order.
pub(crate) type Line = (&'static str, u64);

/// A client and what they want.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// When they come, in milliseconds after the start.
    pub(crate) at_ms: u64,
    pub(crate) customer: &'static str,
    pub(crate) lines: Vec<Line>,
    /// Whether they send an idempotency key, and try again until they have an answer.
    pub(crate) has_key: bool,
    /// Whether they send everything twice at once.
    pub(crate) is_hasty: bool,
    /// How long after the answer they change their mind, in milliseconds.
    pub(crate) cancels_after_ms: Option<u64>,
    /// Whether they send goods back once they have them, and if so whether all of them.
    pub(crate) sends_back: Option<bool>,
}

/// Somebody is unplugged for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) at_ms: u64,
    pub(crate) service: &'static str,
    pub(crate) down_ms: u64,
}

/// A run before it begins.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) weather: Weather,
    /// When the weather clears, in milliseconds after the start.
    pub(crate) storm_ms: u64,
    pub(crate) clients: Vec<Client>,
    pub(crate) outages: Vec<Outage>,
    /// Units of each product in stock.
    pub(crate) units: u64,
    /// Whether anybody reviews what is on hold; otherwise the deadline decides.
    pub(crate) has_reviewer: bool,
    /// What that deadline decides: `cancel` or `release`.
    pub(crate) unreviewed: &'static str,
    /// How often somebody looks after dead letters, in milliseconds. Seldom enough, and orders are stuck meanwhile.
    pub(crate) on_call_every_ms: u64,
    /// Deliveries of a thousand that fail, each time the carrier is out.
    pub(crate) undelivered: u32,
    /// Whether accounting has a defect until the weather clears.
    pub(crate) bad_deploy: bool,
}

impl Scenario {
    /// The scenario of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 2);
        let weather = Weather::draw(&mut chance);
        let storm_ms = chance.between(STORM_MS.0, STORM_MS.1);
        let orders = chance.between(1, MOST_ORDERS);
        let clients = (0..orders).map(|_| client(&mut chance, storm_ms)).collect();
        let outages = (0..chance.between(0, 2)).map(|_| outage(&mut chance, storm_ms)).collect();
        let units = *chance.pick(&[3, 10, 100]);
        Self {
            weather,
            storm_ms,
            clients,
            outages,
            units,
            has_reviewer: chance.happens(700),
            unreviewed: *chance.pick(&["cancel", "release"]),
            on_call_every_ms: *chance.pick(&[90_000, 480_000]),
            undelivered: chance.sometimes(400, 50, 600),
            bad_deploy: chance.happens(150),
        }
    }
}

fn client(chance: &mut Chance, storm_ms: u64) -> Client {
    let mut lines: Vec<Line> = Vec::new();
    for _ in 0..chance.between(1, 4) {
        let line = (*chance.pick(&PRODUCTS), chance.between(1, 3));
        if lines.iter().all(|(product, _)| *product != line.0) {
            lines.push(line);
        }
    }
    Client {
        at_ms: chance.between(0, storm_ms / 2),
        customer: chance.pick::<&str>(&CUSTOMERS),
        lines,
        has_key: chance.happens(850),
        is_hasty: chance.happens(150),
        cancels_after_ms: if chance.happens(350) { Some(chance.between(0, 6_000)) } else { None },
        sends_back: if chance.happens(400) { Some(chance.happens(500)) } else { None },
    }
}

fn outage(chance: &mut Chance, storm_ms: u64) -> Outage {
    Outage {
        at_ms: chance.between(0, storm_ms),
        // Without the fraud engine there are orders of unknown risk: a part of the shop that is otherwise seldom used.
        service: if chance.happens(400) { fraud_engine::NAME } else { chance.pick(&PARTS).name },
        down_ms: chance.between(1_000, 30_000),
    }
}
