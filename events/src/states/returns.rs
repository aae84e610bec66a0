//! A return's way back: the warehouse keeps the goods' part of it, OMS derives the money's part.

super::machine! {
    "return", "The warehouse expects the goods and inspects them; OMS derives from its word whether money is given back.", from Expected,
    states {
        /// Asked for; the goods are not here yet.
        Expected = "expected",
        /// The goods were inspected.
        Received = "received",
        /// Money was given back.
        Refunded = "refunded",
        /// Inspected, and nothing is given back.
        Declined = "declined",
        /// The goods did not come in time. Should they come after all, they are inspected like others.
        Lapsed = "lapsed",
    }
    triggers {
        /// The goods came and were inspected.
        Receive = "receive",
        /// Its deadline passed.
        Lapse = "lapse",
        /// Accounting paid.
        Refund = "refund",
        /// By the inspection and the refund policy nothing is due.
        Decline = "decline",
    }
    finals { Refunded, Declined }
    steps {
        Expected, Receive => Received;
        Expected, Lapse => Lapsed;
        Lapsed, Receive => Received;
        Received, Refund => Refunded;
        Received, Decline => Declined;
    }
}
