//! Pulls plugs, and lets the sun come out.

use std::sync::Arc;

use crate::scenario::Scenario;
use crate::time::wait;
use crate::weather::Weather;
use crate::world::World;

/// Starts the weather and everything that ends it.
pub(super) fn start(world: &Arc<World>, scenario: &Scenario) {
    world.set_weather(scenario.weather);
    for outage in scenario.outages.clone() {
        let world = Arc::clone(world);
        tokio::spawn(async move {
            wait(outage.at_ms).await;
            world.outage(outage.service, outage.down_ms);
        });
    }
    let (world, storm_ms) = (Arc::clone(world), scenario.storm_ms);
    tokio::spawn(async move {
        wait(storm_ms).await;
        world.set_weather(Weather::default());
        world.note(format_args!("the weather clears"));
        world.deploy_fix();
    });
}
