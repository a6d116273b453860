//! Migrations: the same numbers and names for every database, each number once.

use super::Files;

const FOLDERS: [&str; 2] = ["migrations/sqlite/", "migrations/postgres/"];

/// Complaints about numbers that one folder has and the other lacks. A folder without any is not compared.
pub(super) fn check(files: &Files) -> Vec<String> {
    let lists = FOLDERS.map(|folder| {
        files.children(folder).into_iter().filter(|name| name.ends_with(".sql")).collect::<Vec<_>>()
    });
    let mut complaints = Vec::new();
    for (folder, list) in FOLDERS.iter().zip(&lists) {
        let number = |name: &String| name.split('_').next().unwrap_or_default().to_owned();
        let twice = list.windows(2).filter(|pair| number(&pair[0]) == number(&pair[1]));
        complaints.extend(
            twice.map(|pair| format!("{folder}: {} and {} have one number", pair[0], pair[1])),
        );
    }
    let [sqlite, postgres] = &lists;
    if !sqlite.is_empty() && !postgres.is_empty() {
        for (here, there, folder) in
            [(sqlite, postgres, FOLDERS[1]), (postgres, sqlite, FOLDERS[0])]
        {
            let missing = here.iter().filter(|name| !there.contains(name));
            complaints.extend(
                missing.map(|name| format!("{folder}{name} is missing; the other database has it")),
            );
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_must_be_in_both_folders_once() {
        let one = [
            "migrations/sqlite/0001_a.sql",
            "migrations/sqlite/0002_b.sql",
            "migrations/postgres/0001_a.sql",
        ];
        assert_eq!(
            check(&Files::of(&one)),
            ["migrations/postgres/0002_b.sql is missing; the other database has it"]
        );
        let two = ["migrations/sqlite/0001_a.sql", "migrations/sqlite/0001_b.sql"];
        assert_eq!(
            check(&Files::of(&two)),
            ["migrations/sqlite/: 0001_a.sql and 0001_b.sql have one number"]
        );
    }
}
