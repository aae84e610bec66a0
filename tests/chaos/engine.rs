//! What stands between the shop and its fraud engine: a wire that can be cut, go dead, or answer nonsense.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What an engine in trouble says.
const TROUBLE: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// More of a request than needs to be read before it is refused.
const REQUEST_BYTES: usize = 8 * 1024;

/// How the wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Everything passes.
    Whole,
    /// Every connection is closed at once.
    Cut,
    /// Connections are taken, and nothing is answered.
    Dead,
    /// Everything is answered with 500.
    Failing,
}

/// The wire. Every change ends the connections there are.
pub(crate) struct Engine {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Engine {
    /// Listens in front of the engine at `behind`.
    pub(crate) async fn before(behind: SocketAddr) -> Engine {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (wire, state) = watch::channel(Wire::Whole);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, behind, state.clone()));
            }
        });
        Engine { address, wire }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

async fn connection(mut client: TcpStream, behind: SocketAddr, mut state: watch::Receiver<Wire>) {
    let wire = *state.borrow_and_update();
    let work = async {
        match wire {
            Wire::Cut => {}
            Wire::Dead => std::future::pending().await,
            Wire::Failing => {
                let mut request = vec![0; REQUEST_BYTES];
                if client.read(&mut request).await.is_ok() {
                    // A client that is gone needs no answer.
                    let _ = client.write_all(TROUBLE).await;
                }
            }
            Wire::Whole => {
                if let Ok(mut engine) = TcpStream::connect(behind).await {
                    // How it ends is seen by both sides.
                    let _ = copy_bidirectional(&mut client, &mut engine).await;
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = state.changed() => {}
    }
}
