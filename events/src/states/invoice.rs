//! An invoice's life, as accounting keeps it.

super::machine! {
    "invoice", "Accounting keeps an invoice's state in its row. What is asked again changes nothing; what comes before the invoice waits for it.", from Absent,
    states {
        /// Nobody asked for it yet.
        Absent = "absent",
        /// The order was cancelled before an invoice was asked for.
        Cancelled = "cancelled",
        /// It is in the books.
        Issued = "issued",
        /// It could not be issued.
        Failed = "failed",
        /// It was issued and taken back.
        Reversed = "reversed",
    }
    triggers {
        /// It is asked for, and the customer can be billed.
        Issue = "issue",
        /// It is asked for, and the customer cannot be billed.
        Refuse = "refuse",
        /// A shipment earns its share.
        Earn = "earn",
        /// A part of it is given back.
        Refund = "refund",
        /// Its order was cancelled: all that is left of it is given back.
        Cancel = "cancel",
    }
    finals { Cancelled, Issued, Failed, Reversed }
    steps {
        Absent, Issue => Issued;
        Absent, Refuse => Failed;
        Absent, Cancel => Cancelled;
        // Asked for after the cancellation: the answer is that it failed.
        Cancelled, Issue => Failed;
        Cancelled, Refuse => Failed;
        Cancelled, Cancel => Cancelled;
        Issued, Issue => Issued;
        Issued, Refuse => Issued;
        Issued, Earn => Issued;
        Issued, Refund => Issued;
        Issued, Cancel => Reversed;
        Failed, Issue => Failed;
        Failed, Refuse => Failed;
        Failed, Cancel => Failed;
        Reversed, Issue => Reversed;
        Reversed, Refuse => Reversed;
        // All of it was given back, nothing of it stays earned: a dispatch or a refund that was on its way is part of that.
        Reversed, Earn => Reversed;
        Reversed, Refund => Reversed;
        Reversed, Cancel => Reversed;
    }
}
