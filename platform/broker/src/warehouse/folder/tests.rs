use std::io::Write;

use serde_json::{Map, json};
use tempfile::TempDir;

use super::super::column::{Mode, Type};
use super::*;

fn name() -> TableName {
    "p.d.t".parse().unwrap()
}

fn column() -> Vec<Column> {
    vec![Column::new("data", Type::String, Mode::Nullable)]
}

fn with_table() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    Folder::create_table(directory.path(), &name(), &column()).unwrap();
    directory
}

fn row(text: &str) -> Row {
    Row { insert_id: text.to_owned(), columns: Map::from_iter([("data".to_owned(), json!(text))]) }
}

fn file(directory: &TempDir, number: &str) -> String {
    fs::read_to_string(directory.path().join("p.d.t").join(format!("{number}.ndjson"))).unwrap()
}

async fn write(folder: &Folder, texts: &[&str]) -> Appended {
    let rows: Vec<Row> = texts.iter().map(|text| row(text)).collect();
    folder.append(&name(), &rows).await
}

#[tokio::test]
async fn rows_are_lines_and_a_full_file_makes_place_for_the_next() {
    let directory = with_table();
    let folder = Folder::with_files_of(directory.path(), 30).unwrap();
    for texts in [&["a", "b\n"][..], &["c"], &["d"]] {
        assert_eq!(write(&folder, texts).await, Appended::Written);
    }
    assert_eq!(file(&directory, "0001"), "{\"data\":\"a\"}\n{\"data\":\"b\\n\"}\n{\"data\":\"c\"}\n");
    assert_eq!(file(&directory, "0002"), "{\"data\":\"d\"}\n");
}

#[tokio::test]
async fn an_unfinished_row_is_cut_off_at_the_start_and_no_whole_one() {
    let directory = with_table();
    write(&Folder::open(directory.path()).unwrap(), &["a"]).await;
    let path = directory.path().join("p.d.t/0001.ndjson");
    for torn in ["{\"data\":\"torn", &"x".repeat(200_000)] {
        OpenOptions::new().append(true).open(&path).unwrap().write_all(torn.as_bytes()).unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        assert_eq!(file(&directory, "0001"), "{\"data\":\"a\"}\n");
        drop(folder);
    }
    fs::write(&path, "torn").unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    write(&folder, &["b"]).await;
    assert_eq!(file(&directory, "0001"), "{\"data\":\"b\"}\n");
}

#[tokio::test]
async fn a_table_is_found_once_it_is_made_and_its_schema_is_read_again_when_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    assert_eq!(folder.look_up(&name()).await, Err(Trouble::NotFound));
    assert_eq!(write(&folder, &["a"]).await, Appended::Failed(Trouble::NotFound));

    Folder::create_table(directory.path(), &name(), &column()).unwrap();
    let first = folder.look_up(&name()).await.unwrap();
    assert_eq!(first.columns, column());
    assert!(Arc::ptr_eq(&first, &folder.look_up(&name()).await.unwrap()));
    assert!(matches!(Folder::create_table(directory.path(), &name(), &[]), Err(CreateTableError::Exists)));

    fs::write(directory.path().join("p.d.t/schema.json"), "[]").unwrap();
    assert_eq!(folder.look_up(&name()).await.unwrap().columns, []);
    fs::write(directory.path().join("p.d.t/schema.json"), "{}").unwrap();
    assert!(matches!(folder.look_up(&name()).await, Err(Trouble::SchemaMismatch(_))));
}

#[tokio::test]
async fn a_table_that_is_removed_and_made_again_gets_its_rows_in_its_new_place() {
    let directory = with_table();
    let folder = Folder::open(directory.path()).unwrap();
    write(&folder, &["old"]).await;
    fs::remove_dir_all(directory.path().join("p.d.t")).unwrap();
    assert_eq!(write(&folder, &["lost?"]).await, Appended::Failed(Trouble::NotFound));
    Folder::create_table(directory.path(), &name(), &column()).unwrap();
    assert_eq!(write(&folder, &["new"]).await, Appended::Written);
    assert_eq!(file(&directory, "0001"), "{\"data\":\"new\"}\n");
}

#[tokio::test]
async fn a_row_file_that_cannot_be_written_is_trouble_that_passes() {
    let directory = with_table();
    let folder = Folder::open(directory.path()).unwrap();
    let in_the_way = directory.path().join("p.d.t/0001.ndjson");
    fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(write(&folder, &["a"]).await, Appended::Failed(Trouble::Unavailable(_))));
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(write(&folder, &["a"]).await, Appended::Written);
}

#[test]
fn a_folder_has_one_writer_and_columns_with_defaults_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    assert_eq!(Folder::open(directory.path()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    drop(folder);
    assert!(Folder::open(directory.path()).is_ok());
    let mut columns = column();
    columns[0].default_value_expression = Some("'x'".to_owned());
    assert!(matches!(Folder::create_table(directory.path(), &name(), &columns), Err(CreateTableError::Columns(_))));
}
