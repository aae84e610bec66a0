//! One connection and its prepared statements.

use std::collections::HashMap;

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use postgres::{Client, Config, NoTls, Statement};

use super::failure::{failed, unreachable};
use super::param::type_of;
use super::placeholders::rewrite;
use crate::migrations::fnv1a;
use crate::row::{Row, Source};
use crate::{Param, StoreError};

/// What a caller does with each row.
type EachRow<'f> = &'f mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>;

const LOCK: &str = "SELECT pg_advisory_xact_lock(?1)";

/// A connection. Statements are prepared once, by their text; the program's text bounds how many there are.
pub(crate) struct Session {
    client: Client,
    schema: String,
    statements: HashMap<&'static str, Statement>,
}

impl Session {
    /// Connects and settles in `schema`, which need not exist yet.
    pub(super) fn connect(config: &Config, schema: &str, lock_wait_ms: u128) -> Result<Session, StoreError> {
        let mut client = config.connect(NoTls).map_err(|error| unreachable(&error))?;
        // The schema's name is [a-z0-9_] (database.rs), and the other is a number.
        client
            .batch_execute(&format!("SET search_path TO \"{schema}\"; SET lock_timeout = {lock_wait_ms}"))
            .map_err(|error| unreachable(&error))?;
        Ok(Session { client, schema: schema.to_owned(), statements: HashMap::new() })
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let statement = self.prepared(sql, params)?;
        let values: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        self.client.execute(&statement, &values).map_err(|error| failed(sql, &error))
    }

    pub(crate) fn each(&mut self, sql: &'static str, params: &[Param<'_>], row: EachRow<'_>) -> Result<(), StoreError> {
        let statement = self.prepared(sql, params)?;
        self.run(&statement, sql, params, row)
    }

    pub(crate) fn each_dynamic(&mut self, sql: &str, params: &[Param<'_>], row: EachRow<'_>) -> Result<(), StoreError> {
        let statement = self.prepare(sql, params)?;
        self.run(&statement, sql, params, row)
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).map_err(|error| failed(sql, &error))
    }

    /// Takes the lock of `key` in this schema. Two keys with one hash wait for each other, no more.
    pub(crate) fn lock(&mut self, key: &str) -> Result<(), StoreError> {
        let place = self.schema.bytes().chain([0]).chain(key.bytes());
        let hash = fnv1a(place).cast_signed();
        self.each(LOCK, &[Param::Int(hash)], &mut |_| Ok(()))
    }

    fn prepared(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.prepare(sql, params)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn prepare(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Statement, StoreError> {
        let types: Vec<Type> = params.iter().map(type_of).collect();
        self.client.prepare_typed(&rewrite(sql), &types).map_err(|error| failed(sql, &error))
    }

    fn run(
        &mut self,
        statement: &Statement,
        sql: &str,
        params: &[Param<'_>],
        row: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let mut rows = self.client.query_raw(statement, params.iter().copied()).map_err(|error| failed(sql, &error))?;
        while let Some(found) = rows.next().map_err(|error| failed(sql, &error))? {
            row(&Row(Source::Postgres(&found)))?;
        }
        Ok(())
    }
}
