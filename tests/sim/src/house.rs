//! A service's house: its database, which lasts, and the process that lives in it, which does not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use runtime::config::Environment;
use runtime::{Base, Identity, Open, Service, StartError, simulation};
use store::{HeldDatabase, Migration};

use crate::door::Door;
use crate::gate::Watch;
use crate::life::{Life, Place};
use crate::line::Line;
use crate::scenario::Scenario;
use crate::time::wait;
use crate::world::{World, locked};

/// The setting that makes accounting fail.
const DEFECT: &str = "BOUTIQUE_ACCOUNTING_FAIL";
/// The CRM's master key: bytes that count up, for nobody's data.
const PERSONAL_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// How long nobody is there when a process gives way to its successor, in milliseconds.
const DEPLOY_MS: u64 = 200;

/// A service and how it is assembled.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its tables.
    pub(crate) migrations: &'static [Migration],
    assemble: fn(&Base, &Environment) -> Result<Service, StartError>,
}

macro_rules! part {
    ($krate:ident) => {
        Part {
            name: $krate::NAME,
            migrations: $krate::MIGRATIONS,
            assemble: |base, environment| {
                let config = $krate::Config::from_environment(environment).expect("the environment is complete");
                $krate::service(base, config)
            },
        }
    };
}

/// Every service that is simulated; another one is another line.
pub(crate) const PARTS: [Part; 10] = [
    part!(checkout),
    part!(oms),
    part!(accounting),
    part!(warehouse),
    part!(inventory),
    part!(furniture),
    part!(fraud_bridge),
    part!(crm),
    part!(fraud_engine),
    part!(scheduler),
];

/// A house.
pub(crate) struct House {
    pub(crate) part: Part,
    database: HeldDatabase,
    lives: Mutex<Option<Living>>,
}

/// Who lives there now.
struct Living {
    life: Arc<Life>,
    open: Open,
}

impl House {
    pub(crate) fn new(part: Part, database: HeldDatabase) -> Self {
        Self { part, database, lives: Mutex::new(None) }
    }

    /// The doors of the process that is there, if one is.
    pub(crate) fn doors(&self) -> Option<(Router, Arc<Life>)> {
        let lives = locked(&self.lives);
        let living = lives.as_ref().filter(|living| !living.life.is_over())?;
        Some((living.open.router().clone(), Arc::clone(&living.life)))
    }

    /// Ends the process, if it is this one; any, when none is named.
    fn empty(&self, life: Option<&Arc<Life>>) {
        let mut lives = locked(&self.lives);
        let is_named = |living: &Living| life.is_none_or(|life| Arc::ptr_eq(life, &living.life));
        let gone = if lives.as_ref().is_some_and(is_named) { lives.take() } else { None };
        drop(lives);
        if let Some(Living { life, open }) = gone {
            life.end();
            open.kill();
        }
    }
}

impl World {
    /// Starts a process in every house.
    pub(crate) fn start_all(self: &Arc<Self>) {
        for name in self.houses.keys() {
            self.start(name);
        }
    }

    /// Starts a process in a house, on the database it finds.
    fn start(self: &Arc<Self>, name: &'static str) {
        let house = &self.houses[name];
        let life = Arc::new(Life::new(name));
        let gate = Arc::new(Watch::new(self, &life));
        let base = Base {
            listen: ([127, 0, 0, 1], 0).into(),
            database: house.database.through(gate),
            bus: Arc::new(Door::new(self, &life)),
            identity: Identity::open_house(),
        };
        let line = Arc::new(Line::new(self, &life));
        let service = simulation::on_wire(line, || (house.part.assemble)(&base, &environment(&locked(&self.settings))));
        let open = service.expect("a database that was migrated opens").open();
        self.note(format_args!("start {name}"));
        *locked(&house.lives) = Some(Living { life, open });
    }

    /// A process dies, and another takes its place after a while.
    pub(crate) fn kill(self: &Arc<Self>, life: &Arc<Life>, place: Place, down_ms: u64) {
        if !life.end() {
            return;
        }
        let name = life.service;
        self.note(format_args!("crash {name} {place:?} for {down_ms} ms"));
        self.count(|tally| *tally.crashes.entry(place).or_default() += 1);
        self.houses[name].empty(Some(life));
        let world = Arc::clone(self);
        tokio::spawn(async move {
            wait(down_ms).await;
            world.start(name);
        });
    }

    /// Pulls the plug of whoever lives in a house.
    pub(crate) fn outage(self: &Arc<Self>, name: &'static str, down_ms: u64) {
        if let Some((_, life)) = self.houses[name].doors() {
            self.kill(&life, Place::Outage, down_ms);
        }
    }

    /// Settles what every process is told besides the addresses.
    pub(crate) fn set_up(&self, scenario: &Scenario) {
        let mut settings = locked(&self.settings);
        settings.insert("BOUTIQUE_UNREVIEWED", scenario.unreviewed);
        if scenario.bad_deploy {
            settings.insert(DEFECT, "illegal_state");
        }
    }

    /// Takes the defect out of accounting, if it has one: its process gives way to one without.
    pub(crate) fn deploy_fix(self: &Arc<Self>) {
        if locked(&self.settings).remove(DEFECT).is_some() {
            self.outage(accounting::NAME, DEPLOY_MS);
        }
    }

    /// Ends every process: the run is over.
    pub(crate) fn end(&self) {
        for house in self.houses.values() {
            house.empty(None);
        }
    }
}

/// What every process is told: where the others are, delays that let steps be told apart, a fraud engine that finds a customer's second
/// order within ten minutes odd, and what the run has drawn.
fn environment(drawn: &BTreeMap<&'static str, &'static str>) -> Environment {
    let urls = PARTS.map(|part| {
        let variable = format!("BOUTIQUE_{}_URL", part.name.replace('-', "_").to_uppercase());
        (variable, format!("http://{}", part.name))
    });
    let settings = [
        ("BOUTIQUE_DISPATCH_DELAY_MS", "1500"),
        ("BOUTIQUE_DELIVER_DELAY_MS", "1500"),
        ("BOUTIQUE_FRAUD_VELOCITY_LIMIT", "1"),
        ("BOUTIQUE_DEADLINE_REVIEW_MS", "300000"),
        ("BOUTIQUE_DAMAGED_REFUND_PERCENT", "35"),
        (crm::PERSONAL_KEY, PERSONAL_KEY),
    ];
    let settings = settings.into_iter().chain(drawn.iter().map(|(name, value)| (*name, *value)));
    Environment::of(urls.into_iter().chain(settings.map(|(name, value)| (name.to_owned(), value.to_owned()))))
}
