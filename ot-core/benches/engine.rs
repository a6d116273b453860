//! What the engine's parts cost: `cargo bench -p ot-core`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ot_core::{
    Client, ClientSeq, History, Limits, Operation, Revision, Text, compose_all, transform,
    transform_pending,
};

const DOCUMENT_LEN: usize = 100_000;

/// A small generator of its own, so that every run measures the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// One edit: offset, characters deleted, text inserted.
struct Edit {
    at: usize,
    deleted: usize,
    inserted: &'static str,
}

/// Edits as a person makes them: runs of typing with slips taken back, then a jump.
fn typing(count: usize) -> (Vec<Edit>, usize) {
    const LETTERS: [&str; 6] = ["e", "t", "a", " ", "n", "é"];
    let mut numbers = Numbers(7);
    let mut edits = Vec::with_capacity(count);
    let (mut len, mut caret, mut run) = (0, 0, 0);
    while edits.len() < count {
        if run == 0 {
            run = 5 + numbers.below(60);
            if numbers.below(4) == 0 {
                caret = numbers.below(len + 1);
            }
        }
        run -= 1;
        if caret > 0 && numbers.below(12) == 0 {
            caret -= 1;
            len -= 1;
            edits.push(Edit { at: caret, deleted: 1, inserted: "" });
        } else {
            edits.push(Edit { at: caret, deleted: 0, inserted: LETTERS[numbers.below(6)] });
            caret += 1;
            len += 1;
        }
    }
    (edits, len)
}

fn operations(edits: &[Edit]) -> Vec<Operation> {
    let mut len = 0;
    edits
        .iter()
        .map(|edit| {
            let op = Operation::splice(len, edit.at, edit.deleted, edit.inserted).expect("fits");
            len = op.target_len();
            op
        })
        .collect()
}

fn insert_at(at: usize) -> Operation {
    Operation::splice(DOCUMENT_LEN, at, 0, "x").expect("fits")
}

/// About `components` components over a document, shifted by `phase`.
fn scattered(components: usize, base_len: usize, phase: usize) -> Operation {
    let stride = base_len / components * 2;
    let mut builder = Operation::builder().retain(phase);
    let mut left = base_len - phase;
    let mut index = 0;
    while left > stride {
        builder = if index % 3 == 2 {
            left -= 1;
            builder.delete(1)
        } else {
            builder.insert("x")
        };
        builder = builder.retain(stride - 1);
        left -= stride - 1;
        index += 1;
    }
    builder.retain(left).build().expect("fits")
}

fn small(c: &mut Criterion) {
    let mut group = c.benchmark_group("one character in 100k");
    let (ours, theirs) = (insert_at(60_000), insert_at(40_000));
    let next = Operation::splice(DOCUMENT_LEN + 1, 40_001, 0, "y").expect("fits");
    group.bench_function("build", |b| b.iter(|| insert_at(black_box(60_000))));
    group.bench_function("transform", |b| {
        b.iter(|| transform(black_box(&ours), black_box(&theirs)));
    });
    group.bench_function("transform one side", |b| {
        b.iter(|| transform_pending(black_box(&ours), black_box(&theirs)));
    });
    group.bench_function("compose, apart", |b| {
        b.iter(|| black_box(&ours).compose(black_box(&next)));
    });
    group.bench_function("compose, a run", |b| {
        b.iter(|| black_box(&theirs).compose(black_box(&next)));
    });
    let mut text = Text::from("0123456789".repeat(DOCUMENT_LEN / 10).as_str());
    let delete = Operation::splice(DOCUMENT_LEN + 1, 60_000, 1, "").expect("fits");
    group.bench_function("apply to a rope, insert and delete", |b| {
        b.iter(|| {
            text.apply(black_box(&ours)).expect("fits");
            text.apply(black_box(&delete)).expect("fits");
        });
    });
    group.bench_function("to JSON and back", |b| {
        b.iter(|| Operation::from_json(&black_box(&ours).to_json(), &Limits::NONE));
    });
    group.finish();
}

fn large(c: &mut Criterion) {
    for components in [1_000, 100_000] {
        let base_len = components * 20;
        let ours = scattered(components, base_len, 3);
        let theirs = scattered(components, base_len, 11);
        let next = scattered(components, ours.target_len(), 7);
        let mut group = c.benchmark_group(format!("{components} by {components} components"));
        let walked = ours.component_count() + theirs.component_count();
        group.throughput(Throughput::Elements(walked as u64));
        group.bench_function("transform", |b| {
            b.iter(|| transform(black_box(&ours), black_box(&theirs)));
        });
        group.bench_function("transform one side", |b| {
            b.iter(|| transform_pending(black_box(&ours), black_box(&theirs)));
        });
        group.bench_function("compose", |b| b.iter(|| black_box(&ours).compose(black_box(&next))));
        group.finish();
    }
}

fn replay(c: &mut Criterion) {
    let count = 100_000;
    let (edits, final_len) = typing(count);
    let operations = operations(&edits);
    let mut group = c.benchmark_group("a typing history of 100k edits");
    group.throughput(Throughput::Elements(count as u64));
    group.sample_size(20);
    group.bench_function("build each and apply to a rope", |b| {
        b.iter(|| {
            let mut text = Text::new();
            for edit in &edits {
                let op = Operation::splice(text.len_chars(), edit.at, edit.deleted, edit.inserted);
                text.apply(&op.expect("fits")).expect("fits");
            }
            assert_eq!(text.len_chars(), final_len);
            text
        });
    });
    group.bench_function("compose all", |b| {
        b.iter_batched(|| operations.clone(), compose_all, BatchSize::LargeInput);
    });
    group.bench_function("type into a client", |b| {
        b.iter(|| {
            let mut client = Client::new("", Revision::ZERO, ClientSeq::new(1));
            for (index, op) in operations.iter().enumerate() {
                client.edit(op.clone(), 100 * index as u64).expect("fits");
            }
            client
        });
    });
    group.bench_function("receive into an idle client", |b| {
        b.iter(|| {
            let mut client = Client::new("", Revision::ZERO, ClientSeq::new(1));
            for op in &operations {
                let to = client.revision().next().expect("small");
                client.receive(op, to).expect("in order");
            }
            client
        });
    });
    group.finish();
}

fn history(c: &mut Criterion) {
    let (edits, _) = typing(10_000);
    let mut history = History::new(Revision::ZERO, 0);
    for op in operations(&edits) {
        history.push(op).expect("meets");
    }
    let mut group = c.benchmark_group("a history of 10,000");
    for behind in [1, 10, 1_000, 9_999] {
        let from = Revision::new(10_000 - behind);
        let pending = Operation::splice(history.len_at(from), 0, 0, "x").expect("fits");
        group.bench_function(format!("rebase over {behind}"), |b| {
            b.iter(|| history.rebase(black_box(&pending), from));
        });
    }
    group.finish();
    let text = "line of text with words\n".repeat(DOCUMENT_LEN / 24);
    let mut changed = text.clone();
    changed.insert_str(50_000, "typed");
    c.bench_function("diff of 100k, one place", |b| {
        b.iter(|| ot_core::diff(black_box(&text), black_box(&changed), Some(50_005)));
    });
    let rope = Text::from(text.as_str());
    c.bench_function("hash of 100k", |b| b.iter(|| black_box(&rope).hash()));
}

criterion_group!(benches, small, large, replay, history);
criterion_main!(benches);
