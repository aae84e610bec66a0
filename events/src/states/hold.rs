//! A hold on stock, as a ledger keeps it.

super::machine! {
    "hold", "A stock ledger keeps a hold's state in its row.", from Held,
    states {
        /// Made at checkout; lapses at its deadline.
        Held = "held",
        /// Firm: the order took the units.
        Committed = "committed",
        /// All of its units left the house.
        Shipped = "shipped",
        /// Nothing of it is held any more.
        Released = "released",
    }
    triggers {
        /// Checkout asks to make it firm, in time.
        Commit = "commit",
        /// Its deadline passed before it was firm.
        Lapse = "lapse",
        /// Checkout gives it up.
        Withdraw = "withdraw",
        /// A shipment takes some of its products; others are still to leave.
        ShipPart = "ship_part",
        /// A shipment takes the last of its products.
        ShipRest = "ship_rest",
        /// Its order was cancelled, other than for what left and could not be delivered.
        Cancel = "cancel",
    }
    finals { Shipped, Released }
    steps {
        Held, Commit => Committed;
        Held, Lapse => Released;
        Held, Withdraw => Released;
        Held, Cancel => Released;
        Committed, Commit => Committed;
        Committed, ShipPart => Committed;
        Committed, ShipRest => Shipped;
        Committed, Cancel => Released;
        Shipped, Commit => Shipped;
        Shipped, Cancel => Shipped;
        // Asked to be firm too late: the answer is that the stock is rejected.
        Released, Commit => Released;
        Released, Withdraw => Released;
        Released, Cancel => Released;
    }
}
