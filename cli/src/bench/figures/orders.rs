//! Figure 1: orders per second through checkout with every validation edge, over ruler S_ord.

use serde::Serialize;

use crate::bench::load::{Until, drive};
use crate::bench::numbers::{Spread, ratio};
use crate::bench::ruler::Ruler;
use crate::bench::run::Run;

/// Orders per second.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Orders {
    /// Orders confirmed per second.
    pub shop_per_second: Spread,
    /// Orders the ruler committed per second.
    pub ruler_per_second: Spread,
    /// Shop over ruler, round by round.
    pub ratio: Spread,
    /// Median time to the 201 under this load, in milliseconds.
    pub answer_p50_ms: Spread,
    /// 99th percentile of the same.
    pub answer_p99_ms: Spread,
}

/// Measures ruler and shop in turns.
///
/// # Errors
/// When one of them cannot be reached.
pub async fn measure(run: &mut Run, ruler: &Ruler) -> anyhow::Result<Orders> {
    let (mut shop, mut ruled, mut ratios, mut p50, mut p99) = (vec![], vec![], vec![], vec![], vec![]);
    let until = Until::Elapsed(run.settings.round);
    for round in 1..=run.settings.rounds {
        run.progress.stage(format!("orders, round {round}: ruler"));
        ruled.push(run.rule(ruler, until).await?);
        run.progress.stage(format!("orders, round {round}: shop"));
        let tally = drive(run.orders(until)).await?;
        run.rest.placed(tally.answered);
        shop.push(tally.per_second());
        p50.push(tally.times.ms(0.5));
        p99.push(tally.times.ms(0.99));
        ratios.push(ratio(shop[shop.len() - 1], ruled[ruled.len() - 1]));
        run.problems.add(tally.problems);
        run.progress.stage(format!("orders, round {round}: waiting until all orders have ended"));
        run.come_to_rest().await?;
    }
    Ok(Orders {
        shop_per_second: Spread::of(shop),
        ruler_per_second: Spread::of(ruled),
        ratio: Spread::of(ratios),
        answer_p50_ms: Spread::of(p50),
        answer_p99_ms: Spread::of(p99),
    })
}
