//! How many clients' connections each transport carries.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::{Metrics, StaticText};

/// The label of a transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct TransportLabel {
    transport: StaticText,
}

/// Open connections by transport.
pub(super) type Transports = Family<TransportLabel, Gauge>;

/// One connection among those that the same carries.
pub(crate) struct TransportCount {
    name: &'static str,
    gauge: Gauge,
}

impl TransportCount {
    /// What carries it.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl Drop for TransportCount {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

impl Metrics {
    /// Counts a connection that this carries, for as long as the count is held.
    pub(crate) fn transport(&self, name: &'static str) -> TransportCount {
        let gauge = self.transports.get_or_create(&TransportLabel { transport: StaticText(name) });
        let gauge = gauge.clone();
        gauge.inc();
        TransportCount { name, gauge }
    }
}
