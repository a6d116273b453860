//! What packed history weighs and how fast a text comes out of it: `cargo bench -p collab-server`.
//!
//! `EDITING_TRACES` names a folder with `automerge-paper.json.gz` of github.com/josephg/editing-traces
//! (CC BY 4.0); without it a typing history of the same kind is made up. Two tables are printed in
//! front of criterion's: what each size of page comes to, and what each column takes.

#[path = "../tests/it/support/history.rs"]
mod history;

use std::hint::black_box;
use std::time::{Duration, Instant};

use collab_server::{LoggedOperation, PackedPage};
use criterion::{Criterion, criterion_group, criterion_main};
use ot_core::{Revision, Text};

use self::history::Recorded;

fn pages(operations: &[LoggedOperation], page_len: usize) -> Vec<Vec<u8>> {
    operations
        .chunks(page_len)
        .map(|chunk| PackedPage::encode(chunk).expect("operations that follow each other"))
        .collect()
}

fn replayed(pages: &[Vec<u8>]) -> Text {
    let mut text = Text::new();
    for page in pages {
        let page = PackedPage::open(page).expect("a page");
        page.replay(&mut text, Revision::MAX).expect("replays");
    }
    text
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn print_sizes(recorded: &Recorded) {
    let operations = &recorded.operations;
    println!(
        "{}: {} operations, {} characters at the end",
        recorded.name,
        operations.len(),
        recorded.end.chars().count()
    );
    println!(
        "{:>10} {:>6} {:>9} {:>12} {:>12}",
        "page", "pages", "bytes", "to text ms", "encode ms"
    );
    for page_len in [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18] {
        let began = Instant::now();
        let pages = pages(operations, page_len);
        let encoding = began.elapsed();
        assert_eq!(replayed(&pages).contents(), recorded.end, "replay gives the recorded text");
        let bytes: usize = pages.iter().map(Vec::len).sum();
        let to_text = median(|| drop(black_box(replayed(&pages).contents())));
        println!(
            "{page_len:>10} {:>6} {bytes:>9} {:>12.2} {:>12.0}",
            pages.len(),
            to_text.as_secs_f64() * 1e3,
            encoding.as_secs_f64() * 1e3,
        );
    }
    let mut columns: Vec<(&str, usize, u64)> = Vec::new();
    for page in pages(operations, 1 << 16) {
        for (index, column) in PackedPage::open(&page).expect("a page").column_sizes().enumerate() {
            match columns.get_mut(index) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + column.1, sum.2 + column.2),
                None => columns.push(column),
            }
        }
    }
    println!("{:>10} {:>9} {:>9}", "column", "bytes", "expanded");
    for (name, bytes, expanded) in columns {
        println!("{name:>10} {bytes:>9} {expanded:>9}");
    }
}

fn packed(criterion: &mut Criterion) {
    let recorded = match std::env::var_os("EDITING_TRACES") {
        Some(folder) => history::automerge_paper(std::path::Path::new(&folder)),
        None => history::typing(60_000),
    };
    print_sizes(&recorded);
    let pages = pages(&recorded.operations, 1 << 16);
    let mut group = criterion.benchmark_group("packed");
    group.sample_size(20);
    group.bench_function("bytes to text", |bencher| bencher.iter(|| replayed(&pages).contents()));
    group.bench_function("bytes to operations", |bencher| {
        bencher.iter(|| {
            let decode = |page: &Vec<u8>| PackedPage::open(page)?.decode().map(|all| all.len());
            pages.iter().map(|page| decode(page).expect("decodes")).sum::<usize>()
        });
    });
    let last = recorded.operations.last().expect("not empty");
    group.bench_function("find a submission in the last page", |bencher| {
        let page = pages.last().expect("a page");
        bencher.iter(|| {
            let stamps = PackedPage::open(page).and_then(|page| page.stamps()).expect("stamps");
            stamps.find(last.client, last.seq)
        });
    });
    group.finish();
}

criterion_group!(benches, packed);
criterion_main!(benches);
