//! How a list of choices that goes wrong is shortened.

use collab_server::simulation::minimise;

#[test]
fn what_matters_is_kept_and_the_rest_goes() {
    let choices: Vec<u64> = (0..500).map(|n| if n == 100 { 7 } else { n % 5 + 9 }).collect();
    // A 7 with a 9 somewhere behind it.
    let fails = |list: &[u64]| {
        let seven = list.iter().position(|choice| *choice == 7);
        seven.is_some_and(|seven| list[seven..].contains(&9))
    };
    assert!(fails(&choices));
    assert_eq!(minimise(choices, 10_000, fails), [7, 9]);
}

#[test]
fn it_asks_no_more_often_than_it_may() {
    let mut asked = 0;
    let kept = minimise(vec![1; 1_000], 20, |_| {
        asked += 1;
        false
    });
    assert_eq!((asked, kept.len()), (20, 1_000));
}
