//! `boutique broker`

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use broker::{Broker, Faults, Settings};
use clap::Args;

/// Run the Pub/Sub broker alone.
///
/// Point clients to it with PUBSUB_EMULATOR_HOST, or with `$(gcloud beta emulators pubsub env-init --data-dir=DIR)`, as for the emulator
/// of the Google Cloud SDK. Everything it has answered is on disk.
#[derive(Args)]
pub struct BrokerArgs {
    /// Address to listen on, as in localhost:8085. Port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8085", value_parser = host_port)]
    host_port: SocketAddr,
    /// Folder for messages and subscriptions
    #[arg(long, value_name = "DIR", default_value = "data/broker")]
    data: PathBuf,
    /// For tests: no slow start, no wait longer than a second after failures
    #[arg(long)]
    fast: bool,
    /// Go wrong on purpose, for tests of subscribers: duplicate=SHARE, drop-acks=SHARE, delay=MILLISECONDS, seed=NUMBER
    ///
    /// Shares are from 0 to 1. A duplicate is an acked message that comes once more; a dropped ack is answered and forgotten.
    #[arg(long = "fault", value_name = "NAME=VALUE", value_parser = fault)]
    faults: Vec<Fault>,
}

/// A name or an address, and a port.
fn host_port(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("{error}; expected HOST:PORT"))?.peekable();
    let first = found.peek().copied();
    found.find(SocketAddr::is_ipv4).or(first).ok_or_else(|| "the name has no address".to_owned())
}

/// One thing to go wrong.
#[derive(Clone, Copy)]
enum Fault {
    Duplicate(f64),
    DropAcks(f64),
    Delay(Duration),
    Seed(u64),
}

fn fault(text: &str) -> Result<Fault, String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let share = || value.parse::<f64>().ok().filter(|s| (0.0..=1.0).contains(s)).ok_or("a share is from 0 to 1");
    let whole = || value.parse::<u64>().map_err(|_| "expected a whole number");
    match name {
        "duplicate" => Ok(Fault::Duplicate(share()?)),
        "drop-acks" => Ok(Fault::DropAcks(share()?)),
        "delay" => Ok(Fault::Delay(Duration::from_millis(whole()?.min(600_000)))),
        "seed" => Ok(Fault::Seed(whole()?)),
        _ => Err("there is duplicate, drop-acks, delay and seed".to_owned()),
    }
}

fn faults(asked: &[Fault]) -> Faults {
    let mut faults = Faults::default();
    for fault in asked {
        match *fault {
            Fault::Duplicate(share) => faults.duplicate = share,
            Fault::DropAcks(share) => faults.drop_acks = share,
            Fault::Delay(delay) => faults.delay = delay,
            Fault::Seed(seed) => faults.seed = seed,
        }
    }
    faults
}

pub(super) async fn run(args: BrokerArgs) -> anyhow::Result<()> {
    let faults = faults(&args.faults);
    let settings =
        Settings { listen: args.host_port, data: args.data.clone(), fast: args.fast, faults, ..Settings::default() };
    let broker = Broker::start(settings).await.context("cannot start the broker")?;
    let address = broker.address();
    // Where the Google Cloud SDK looks for it.
    std::fs::write(args.data.join("env.yaml"), format!("PUBSUB_EMULATOR_HOST: {address}\n"))
        .context("cannot write env.yaml into the data folder")?;
    println!("PUBSUB_EMULATOR_HOST={address}");
    // Scripts made for the emulator wait for this line.
    eprintln!("Server started, listening on {}", address.port());
    if args.fast {
        eprintln!("fast: no slow start, no wait longer than a second");
    }
    if faults.any() {
        eprintln!("faults on purpose: {faults:?}");
    }
    super::serve::asked_to_stop().await?;
    broker.shutdown().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_will_do_for_an_address() {
        assert_eq!(host_port("localhost:8085").map(|a| (a.ip().is_loopback(), a.port())), Ok((true, 8085)));
        assert_eq!(host_port("[::1]:0").map(|a| a.is_ipv6()), Ok(true));
        assert!(host_port("8085").is_err() && host_port("").is_err());
    }

    #[test]
    fn faults_are_read_and_nonsense_is_refused() {
        let asked: Vec<Fault> = ["duplicate=0.1", "drop-acks=1", "delay=50", "seed=7"]
            .iter()
            .map(|text| fault(text).expect(text))
            .collect();
        let Faults { duplicate, delay, drop_acks, seed } = faults(&asked);
        assert_eq!((delay, seed), (Duration::from_millis(50), 7));
        assert!(duplicate > 0.09 && duplicate < 0.11 && drop_acks > 0.99);
        for bad in ["", "duplicate", "duplicate=2", "duplicate=-1", "delay=x", "colour=1"] {
            assert!(fault(bad).is_err(), "{bad}");
        }
    }
}
