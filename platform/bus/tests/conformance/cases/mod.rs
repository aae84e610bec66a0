//! The cases, each a claim, by what they are about.

mod admin;
mod dead_letters;
mod delivery;
mod filters;
mod limits;
mod lists;
mod ordering;
mod publish;
mod push;
mod retry;
mod seek;
mod update;

use crate::run::Case;

pub(crate) fn all() -> impl Iterator<Item = Case> {
    [
        admin::CASES,
        dead_letters::CASES,
        delivery::CASES,
        filters::CASES,
        limits::CASES,
        lists::CASES,
        ordering::CASES,
        publish::CASES,
        push::CASES,
        retry::CASES,
        seek::CASES,
        update::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
