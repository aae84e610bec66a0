//! Lets OMS ignore what it hears of an order before the order's confirmation.

use std::collections::BTreeSet;
use std::sync::Mutex;

use events::Fact;
use events::order::{OrderConfirmed, OrderRejected};
use events::platform::MinuteElapsed;
use events::pubsub::Message;

use crate::hooks::Hooks;
use crate::world::{World, locked};

/// Orders OMS has been told of.
#[derive(Default)]
pub(super) struct AssumesOrder(Mutex<BTreeSet<String>>);

impl Hooks for AssumesOrder {
    fn pushed(&self, _: &World, consumer: &'static str, message: &Message) -> Option<u16> {
        let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
        let (event_type, subject) = (attribute("ce-type"), attribute("ce-subject"));
        // Minutes are about no order.
        if consumer != "oms" || event_type == MinuteElapsed::TYPE {
            return None;
        }
        if [OrderConfirmed::TYPE, OrderRejected::TYPE].contains(&event_type.as_str()) {
            locked(&self.0).insert(subject);
            return None;
        }
        // "Unknown order, nothing to do": acked, and gone.
        (!locked(&self.0).contains(&subject)).then_some(204)
    }
}
