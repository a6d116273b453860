//! What stands in front of several servers, in the test: passes each connection on to a server that
//! says it is ready, as a load balancer with health checks does.
//!
//! Each client has a door of its own, and each door a server that it prefers: what a balancer does
//! that tells clients apart by their address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::http::Request;
use super::until;

/// How often each server is asked.
const PROBE: Duration = Duration::from_millis(50);

/// How long it may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Target {
    address: SocketAddr,
    is_ready: bool,
}

/// See the module. It ends with this value; connections end with their servers.
pub(crate) struct Balancer {
    targets: Arc<Mutex<Vec<Target>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Balancer {
    /// Stands in front of these servers, once all are ready.
    pub(crate) async fn start(addresses: &[SocketAddr]) -> Self {
        let target = |&address| Target { address, is_ready: false };
        let targets: Vec<Target> = addresses.iter().map(target).collect();
        let targets = Arc::new(Mutex::new(targets));
        let probing = (0..addresses.len()).map(|index| tokio::spawn(probe(targets.clone(), index)));
        let balancer = Balancer { tasks: probing.collect(), targets };
        for index in 0..addresses.len() {
            balancer.is_ready(index).await;
        }
        balancer
    }

    /// Where a client connects that prefers the server with this number; numbers go round.
    pub(crate) async fn door(&mut self, preferred: usize) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        self.tasks.push(tokio::spawn(accept(listener, Arc::clone(&self.targets), preferred)));
        address
    }

    /// Another server takes the place of one.
    pub(crate) fn replace(&self, index: usize, address: SocketAddr) {
        lock(&self.targets)[index] = Target { address, is_ready: false };
    }

    /// Waits until a server is known to be ready.
    pub(crate) async fn is_ready(&self, index: usize) {
        until("the server is ready", async || lock(&self.targets)[index].is_ready).await;
    }
}

fn lock(targets: &Mutex<Vec<Target>>) -> std::sync::MutexGuard<'_, Vec<Target>> {
    targets.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn probe(targets: Arc<Mutex<Vec<Target>>>, index: usize) {
    loop {
        let address = lock(&targets)[index].address;
        let asking = Request::get("/health/ready").try_send(address);
        let answer = tokio::time::timeout(ANSWER_MAX, asking).await.ok().flatten();
        {
            let mut targets = lock(&targets);
            if targets[index].address == address {
                targets[index].is_ready = answer.is_some_and(|answer| answer.status == 200);
            }
        }
        tokio::time::sleep(PROBE).await;
    }
}

async fn accept(listener: TcpListener, targets: Arc<Mutex<Vec<Target>>>, preferred: usize) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else { continue };
        let target = {
            let targets = lock(&targets);
            let in_turn =
                (0..targets.len()).map(|step| targets[(preferred + step) % targets.len()]);
            in_turn.into_iter().find(|target| target.is_ready)
        };
        let Some(target) = target else { continue };
        tokio::spawn(async move {
            let Ok(mut server) = TcpStream::connect(target.address).await else { return };
            for stream in [&client, &server] {
                let _ = stream.set_nodelay(true);
            }
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
