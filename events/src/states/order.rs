//! An order's life, as OMS derives it from the facts it knows.

super::machine! {
    "order", "OMS derives an order's state from the set of facts it knows, in whatever order they came; the state only moves along this table.", from Pending,
    states {
        /// Facts about it came, its confirmation has not yet.
        Pending = "pending",
        /// Waits for stock, invoice or risk.
        Confirmed = "confirmed",
        /// Waits for a person's word, or a deadline's.
        OnHold = "on_hold",
        /// The warehouse was asked to ship it.
        Fulfilling = "fulfilling",
        /// All of its shipments left the house.
        Shipped = "shipped",
        /// Every shipment arrived, or was given up and its refund asked for.
        Completed = "completed",
        /// It ended undelivered.
        Cancelled = "cancelled",
        /// Checkout refused it.
        Rejected = "rejected",
        /// Everything that was delivered came back.
        Returned = "returned",
    }
    triggers {
        /// Checkout confirmed it.
        Confirm = "confirm",
        /// Checkout refused it.
        Reject = "reject",
        /// The fraud engine flagged it.
        Hold = "hold",
        /// A reviewer or a deadline lets it go on.
        Release = "release",
        /// Stock is firm, the invoice issued, the risk clear.
        Fulfil = "fulfil",
        /// The last of its shipments left the house.
        Ship = "ship",
        /// The last of its shipments arrived or was given up, and something arrived.
        Complete = "complete",
        /// Nothing of it is or will be delivered: no stock, no invoice, fraud, the customer's wish before dispatch, or shipments that all failed.
        Cancel = "cancel",
        /// The last unit that was delivered came back.
        Return = "return",
    }
    finals { Completed, Cancelled, Rejected, Returned }
    steps {
        Pending, Confirm => Confirmed;
        Pending, Reject => Rejected;
        Pending, Cancel => Cancelled;
        Confirmed, Hold => OnHold;
        Confirmed, Fulfil => Fulfilling;
        // The warehouse's word was known before OMS's own request was noted.
        Confirmed, Ship => Shipped;
        Confirmed, Cancel => Cancelled;
        OnHold, Release => Confirmed;
        OnHold, Cancel => Cancelled;
        Fulfilling, Ship => Shipped;
        Fulfilling, Cancel => Cancelled;
        Shipped, Complete => Completed;
        Shipped, Cancel => Cancelled;
        // The last shipment was given up after all that had arrived was back already.
        Shipped, Return => Returned;
        Completed, Return => Returned;
    }
}
