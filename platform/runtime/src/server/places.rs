//! How many connections, or requests under way, a network may have at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::Networks;

/// The network an address stands for when it is counted: itself, and of IPv6 its /56.
///
/// A /56 is what providers give a household (RIPE-690 recommends no less): 256 networks of /64, in each of which its owner may be anybody.
/// By /64, one such client would have 256 times what one address may have. Companies get a /48; that they share 256 numbers is our loss.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d & 0xff00, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

type Counts = Mutex<HashMap<IpAddr, usize>>;

/// Connections or requests by network. There are never more entries than there are of these.
pub(super) struct Places {
    most: usize,
    unlimited: Networks,
    taken: Arc<Counts>,
}

impl Places {
    pub(super) fn new(most: usize, unlimited: Networks) -> Self {
        Self { most, unlimited, taken: Arc::default() }
    }

    /// A place for one more from `address`; `None` when its network has all it may have.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        if (self.unlimited)(address) {
            return Some(Place(None));
        }
        let network = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place(Some((network, Arc::clone(&self.taken)))))
    }
}

/// A place of a network; given back when dropped.
pub(super) struct Place(Option<(IpAddr, Arc<Counts>)>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some((network, taken)) = &self.0 else { return };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_its_places_and_gets_them_back() {
        let places = Places::new(2, Arc::new(|address| address == IpAddr::from([10, 0, 0, 1])));
        let (one, two) = (places.take(address("2001:db8::1")), places.take(address("2001:db8::2")));
        assert!(one.is_some() && two.is_some());
        assert!(places.take(address("2001:db8::ffff:3")).is_none(), "the same /64");
        assert!(places.take(address("2001:db8:0:ff::1")).is_none(), "the same /56");
        assert!(places.take(address("2001:db8:0:100::1")).is_some(), "another /56");
        drop(one);
        assert!(places.take(address("2001:db8::1")).is_some());
        let proxies: Vec<_> = (0..9).map(|_| places.take(address("10.0.0.1"))).collect();
        assert!(proxies.iter().all(Option::is_some), "behind a proxy is everybody");
        drop(two);
        assert!(places.taken.lock().unwrap().is_empty(), "what is not taken is not kept");
    }

    #[test]
    fn an_address_in_ipv6_clothes_is_itself() {
        assert_eq!(network(address("::ffff:192.0.2.7")), address("192.0.2.7"));
        assert_eq!(network(address("192.0.2.7")), address("192.0.2.7"));
    }
}
