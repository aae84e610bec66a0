//! Every state machine of the house as a table: from, trigger, to.
//!
//! Services keep their status in these states and take a step through [`Machine::next`]; what is not in the table does not happen. Who
//! derives a status from facts (OMS) promises that it only moves along the table.

pub mod hold;
pub mod invoice;
pub mod order;
pub mod page;
pub mod returns;
pub mod shipment;

use std::fmt::Debug;

/// A step that the table does not have. It will never be legal from that state: an event with it is a dead letter, a request a 409.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {machine} is {state}, and {trigger} is no step from there")]
pub struct Illegal {
    /// Whose table it is.
    pub machine: &'static str,
    /// Where the thing stands.
    pub state: &'static str,
    /// What was to happen to it.
    pub trigger: &'static str,
}

/// A state or a trigger: something with a name, and a sentence that says what it means.
pub trait Named: Copy + Eq + Debug + 'static {
    /// Its name in tables, answers and diagrams.
    fn as_str(self) -> &'static str;

    /// What it means.
    fn meaning(self) -> &'static str;
}

/// A state machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine<S: 'static, T: 'static> {
    /// What it is of: `order`.
    pub name: &'static str,
    /// What its table says and who keeps to it.
    pub about: &'static str,
    /// Where everything begins.
    pub initial: S,
    /// Every state.
    pub states: &'static [S],
    /// Every trigger.
    pub triggers: &'static [T],
    /// States in which nothing is owed any more. Only another of them can follow.
    pub finals: &'static [S],
    /// From, trigger, to. A pair of state and trigger is there at most once.
    pub steps: &'static [(S, T, S)],
}

impl<S: Named, T: Named> Machine<S, T> {
    /// Where `trigger` leads from `from`.
    ///
    /// # Errors
    /// [`Illegal`] when the table has no such step.
    pub fn next(&self, from: S, trigger: T) -> Result<S, Illegal> {
        let step = self.steps.iter().find(|(start, by, _)| *start == from && *by == trigger);
        step.map(|(_, _, to)| *to).ok_or(Illegal {
            machine: self.name,
            state: from.as_str(),
            trigger: trigger.as_str(),
        })
    }

    /// What leads from `from` to `to`: for a state that is derived, and not reached by a trigger.
    ///
    /// # Errors
    /// [`Illegal`] when no single step does.
    pub fn lead(&self, from: S, to: S) -> Result<T, Illegal> {
        let step = self.steps.iter().find(|(start, _, end)| *start == from && *end == to);
        step.map(|(_, by, _)| *by).ok_or(Illegal { machine: self.name, state: from.as_str(), trigger: to.as_str() })
    }

    /// Whether nothing is owed any more in `state`.
    #[must_use]
    pub fn is_final(&self, state: S) -> bool {
        self.finals.contains(&state)
    }
}

/// Makes a module's `State`, `Trigger` and `MACHINE`. The comment on a state or a trigger is also its text on the generated page.
macro_rules! machine {
    (
        $name:literal, $about:literal, from $initial:ident,
        states { $($(#[doc = $text:literal])+ $state:ident = $state_name:literal,)+ }
        triggers { $($(#[doc = $trigger_text:literal])+ $trigger:ident = $trigger_name:literal,)+ }
        finals { $($end:ident),+ }
        steps { $($start:ident, $by:ident => $to:ident;)+ }
    ) => {
        #[doc = concat!("Where a ", $name, " stands.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum State {
            $($(#[doc = $text])+ #[serde(rename = $state_name)] $state,)+
        }

        impl State {
            /// Every state, in the order of a life.
            pub const ALL: &'static [State] = &[$(State::$state),+];

            /// The name in tables and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(State::$state => $state_name,)+ }
            }

            /// The state of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.as_str() == name)
            }

            /// Whether nothing is owed any more.
            #[must_use]
            pub fn is_final(self) -> bool {
                MACHINE.is_final(self)
            }
        }

        impl $crate::states::Named for State {
            fn as_str(self) -> &'static str {
                State::as_str(self)
            }

            fn meaning(self) -> &'static str {
                match self { $(State::$state => concat!($($text),+).trim_ascii(),)+ }
            }
        }

        #[doc = concat!("What happens to a ", $name, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Trigger {
            $($(#[doc = $trigger_text])+ $trigger,)+
        }

        impl Trigger {
            /// Every trigger.
            pub const ALL: &'static [Trigger] = &[$(Trigger::$trigger),+];
        }

        impl $crate::states::Named for Trigger {
            fn as_str(self) -> &'static str {
                match self { $(Trigger::$trigger => $trigger_name,)+ }
            }

            fn meaning(self) -> &'static str {
                match self { $(Trigger::$trigger => concat!($($trigger_text),+).trim_ascii(),)+ }
            }
        }

        #[doc = $about]
        pub const MACHINE: $crate::states::Machine<State, Trigger> = $crate::states::Machine {
            name: $name,
            about: $about,
            initial: State::$initial,
            states: State::ALL,
            triggers: Trigger::ALL,
            finals: &[$(State::$end),+],
            steps: &[$((State::$start, Trigger::$by, State::$to)),+],
        };
    };
}
pub(crate) use machine;

#[cfg(test)]
mod tests;
