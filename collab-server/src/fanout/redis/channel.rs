//! How addresses are named in Redis.

use crate::fanout::{Address, ServerId};

/// Names for the servers of one database.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    prefix: String,
}

impl Channels {
    /// For the database with this id. It is random: several installations may share one Redis.
    pub(super) fn new(database: u128) -> Self {
        Channels { prefix: format!("concord:{database:032x}") }
    }

    /// The channel of an address, no other's. A tenant may hold any printable character, so its
    /// length comes first.
    pub(super) fn name(&self, address: &Address) -> String {
        let prefix = &self.prefix;
        match address {
            Address::Document(document) => format!("{prefix}:d:{document}"),
            Address::Servers => format!("{prefix}:a"),
            Address::Tenant(tenant) => format!("{prefix}:t:{tenant}"),
            Address::User(tenant, user) => {
                format!("{prefix}:u:{}:{tenant}:{user}", tenant.as_str().len())
            }
            Address::Topic(tenant, topic) => {
                format!("{prefix}:r:{}:{tenant}:{topic}", tenant.as_str().len())
            }
        }
    }

    /// The channel on which a server hears itself.
    pub(super) fn own(&self, server: ServerId) -> String {
        format!("{}:s:{:032x}", self.prefix, server.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collab_protocol::DocumentId;

    #[test]
    fn no_two_addresses_share_a_channel() {
        let channels = Channels::new(1);
        let (tenant, other) = ("a".parse().expect("a tenant"), "a:b".parse().expect("a tenant"));
        let user = |text: &str| text.parse().expect("a user");
        let topic = |text: &str| text.parse().expect("a topic");
        let addresses = [
            Address::User(tenant, user("b:c")),
            Address::User(other, user("c")),
            Address::Topic("a".parse().expect("a tenant"), topic("b:c")),
            Address::Topic("a:b".parse().expect("a tenant"), topic("c")),
            Address::Tenant("a".parse().expect("a tenant")),
            Address::Tenant("".parse().expect("a tenant")),
            Address::Document(DocumentId::new(1)),
            Address::Document(DocumentId::new(2)),
            Address::Servers,
        ];
        let mut names: Vec<String> = addresses.iter().map(|one| channels.name(one)).collect();
        names.extend(addresses.iter().map(|one| Channels::new(2).name(one)));
        names.push(channels.own(ServerId::new(1)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 2 * addresses.len() + 1);
    }
}
