//! Every bound of a stock ledger by name.

/// The most units of one product a ledger counts.
pub const MAX_STOCK_LEVEL: u32 = 1_000_000_000;
/// The dearest unit, in cents: a cent below ten million dollars.
pub const MAX_PRICE_MINOR: i64 = 999_999_999;
/// The most product ids asked for at once.
pub const MAX_IDS: usize = 100;
/// The longest page of a list.
pub const MAX_PAGE: u32 = 500;
/// The page of a list when nothing is said.
pub const DEFAULT_PAGE: u32 = 100;
/// The most products put at once.
pub const MAX_BULK: usize = 500;
/// The longest name, category or location, in characters.
pub const MAX_TEXT_CHARS: usize = 200;
/// The longest time a hold may last, in milliseconds: seven days.
pub const MAX_HOLD_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// The most holds that lapse in one minute; the rest lapse in the next.
pub const MAX_LAPSES_PER_MINUTE: u32 = 1_000;
/// The most holds of one order a reaction looks at. Checkout makes one per ledger and attempt.
pub const MAX_HOLDS_PER_ORDER: u32 = 100;
/// The most shipments of one order a reaction looks at: one per line an order may have.
pub const MAX_DEPARTURES_PER_ORDER: u32 = 100;
