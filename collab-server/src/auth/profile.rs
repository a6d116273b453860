//! The name and colour that a guest begins with.

use collab_protocol::{COLOR_COUNT, UserId};

const TEMPERS: [&str; 32] = [
    "Amber", "Bold", "Brisk", "Calm", "Candid", "Clever", "Cosy", "Daring", "Eager", "Fair",
    "Gentle", "Glad", "Golden", "Hardy", "Jolly", "Keen", "Kind", "Lively", "Lucky", "Mellow",
    "Merry", "Mild", "Nimble", "Noble", "Patient", "Quick", "Quiet", "Silver", "Steady", "Sunny",
    "Warm", "Witty",
];

const ANIMALS: [&str; 32] = [
    "Badger", "Beaver", "Bison", "Crane", "Deer", "Dolphin", "Falcon", "Ferret", "Finch", "Fox",
    "Gecko", "Hare", "Heron", "Ibex", "Jay", "Koala", "Lark", "Lynx", "Marten", "Mole", "Newt",
    "Otter", "Owl", "Panda", "Puffin", "Raven", "Robin", "Seal", "Stork", "Swan", "Tern", "Wren",
];

/// The name and colour (0 to 11) of somebody who has chosen none: the same for the same id.
pub(crate) fn default_profile(user: &UserId) -> (String, u8) {
    let hash = blake3::hash(user.as_str().as_bytes());
    let [temper, animal, color, ..] = *hash.as_bytes();
    let name = format!(
        "{} {}",
        TEMPERS[usize::from(temper) % TEMPERS.len()],
        ANIMALS[usize::from(animal) % ANIMALS.len()]
    );
    (name, color % COLOR_COUNT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_keeps_its_first_name_and_others_have_others() {
        let names: std::collections::BTreeSet<String> = (0..100)
            .map(|number| {
                let user: UserId = format!("g_{number}").parse().expect("a user id");
                let (name, color) = default_profile(&user);
                assert_eq!((name.clone(), color), default_profile(&user));
                assert!(color < COLOR_COUNT);
                name
            })
            .collect();
        assert!(names.len() > 80, "{}", names.len());
    }
}
