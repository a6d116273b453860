//! Long histories to pack: a recorded one, or one made up like it.

#[path = "patches.rs"]
pub(crate) mod patches;

use collab_protocol::{ClientId, UserId};
use collab_server::{ChainHash, LoggedOperation};
use ot_core::{ClientSeq, Operation, Revision, Text};

use self::patches::Patches;

/// A history, with the text that it must end with.
pub(crate) struct Recorded {
    pub(crate) name: &'static str,
    pub(crate) operations: Vec<LoggedOperation>,
    pub(crate) end: String,
}

/// The history that the folder holds.
pub(crate) fn automerge_paper(folder: &std::path::Path) -> Recorded {
    let (patches, end) = patches::recorded(folder, "automerge-paper");
    Recorded { name: "automerge-paper", operations: logged(patches, |_| 0), end }
}

/// Edits as two people make them in turns: runs of typing with slips taken back, then a jump.
pub(crate) fn typing(count: usize) -> Recorded {
    let patches = patches::typing(String::new(), 7, count);
    let operations = logged(patches, |index| (index / 500) as u128 % 2);
    let mut text = Text::new();
    for logged in &operations {
        text.apply(&logged.operation).expect("each follows the last");
    }
    Recorded { name: "made-up typing", operations, end: text.contents() }
}

/// Patches as committed operations, without their chain. `client` says whose each is.
fn logged(patches: Patches, client: impl Fn(usize) -> u128) -> Vec<LoggedOperation> {
    assert!(patches.start.is_empty(), "a log begins with the first edit of an empty text");
    let mut len = 0;
    let mut seqs = std::collections::HashMap::new();
    patches
        .edits
        .into_iter()
        .enumerate()
        .map(|(index, (time_ms, (offset, deleted, inserted)))| {
            let operation = Operation::splice(len, offset, deleted, &inserted).expect("fits");
            len = operation.target_len();
            let client = client(index);
            let seq = seqs.entry(client).or_insert(0);
            *seq += 1;
            let author: UserId = format!("g_{client}").parse().expect("an id");
            LoggedOperation {
                revision: Revision::new(index as u64 + 1),
                client: ClientId::new(0x00c1_1e47 + client),
                seq: ClientSeq::new(*seq),
                author,
                time_ms,
                operation,
                chain: ChainHash::START,
            }
        })
        .collect()
}
