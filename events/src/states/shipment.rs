//! A shipment's way to the customer, as the warehouse keeps it.

super::machine! {
    "shipment", "The warehouse keeps a shipment's state in its row; its own timers or the carrier's tracking move it on.", from Created,
    states {
        /// Being packed.
        Created = "created",
        /// With the carrier.
        Dispatched = "dispatched",
        /// The first delivery failed; it is made ready to be carried again.
        Retrying = "retrying",
        /// With the customer.
        Delivered = "delivered",
        /// Delivery failed as often as it is tried; the goods are on their way back.
        Failed = "failed",
        /// Never left.
        Cancelled = "cancelled",
    }
    triggers {
        /// The carrier takes it.
        Dispatch = "dispatch",
        /// The customer has it.
        Deliver = "deliver",
        /// A delivery failed, and another is to be tried.
        Retry = "retry",
        /// The last delivery failed.
        Fail = "fail",
        /// The order was stopped or cancelled.
        Cancel = "cancel",
    }
    finals { Delivered, Failed, Cancelled }
    steps {
        Created, Dispatch => Dispatched;
        Created, Cancel => Cancelled;
        Dispatched, Deliver => Delivered;
        Dispatched, Retry => Retrying;
        Dispatched, Fail => Failed;
        Retrying, Dispatch => Dispatched;
        // The carrier takes back its word about the first delivery.
        Retrying, Deliver => Delivered;
    }
}
