//! The endpoint, as a warehouse.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use broker::warehouse::{Appended, BadRow, Column, Row, Table, TableName, Trouble, Warehouse};
use futures::FutureExt;
use futures::future::BoxFuture;
use gcp_bigquery_client::Client;
use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;

use crate::insert::{self, Part};
use crate::known::Known;
use crate::trouble;

/// Google's own.
const GOOGLE: &str = "https://bigquery.googleapis.com";
/// The API behind an endpoint.
const API: &str = "/bigquery/v2";
/// Time for one request.
const PATIENCE: Duration = Duration::from_secs(60);

/// BigQuery, or what speaks its REST API.
pub struct BigQuery {
    endpoint: String,
    client: Client,
    known: Known,
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It does not begin with `http://` or `https://`.
    #[error("{0} is no endpoint such as http://127.0.0.1:9050")]
    Endpoint(String),
    /// Google's endpoint needs application default credentials and there are none, or they cannot be read.
    #[error("no application default credentials")]
    Credentials(#[source] Box<BQError>),
    /// The client cannot be made.
    #[error("cannot make a client")]
    Client(#[source] Box<BQError>),
}

impl BigQuery {
    /// Makes a client of an endpoint. Nothing is asked of it yet, but Google's needs application default credentials.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(endpoint: &str) -> Result<BigQuery, OpenError> {
        let endpoint = endpoint.trim_end_matches('/').trim_end_matches(API).to_owned();
        let is_url = |scheme| endpoint.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
        if !is_url("http://") && !is_url("https://") {
            return Err(OpenError::Endpoint(endpoint));
        }
        let mut builder = ClientBuilder::new();
        builder.with_v2_base_url(format!("{endpoint}{API}"));
        let client = if endpoint == GOOGLE {
            let made = builder.build_from_application_default_credentials().await;
            made.map_err(|error| OpenError::Credentials(Box::new(error)))?
        } else {
            let made = builder.build_from_authenticator(Arc::new(NoCredentials)).await;
            made.map_err(|error| OpenError::Client(Box::new(error)))?
        };
        Ok(BigQuery { endpoint, client, known: Known::default() })
    }

    async fn columns(&self, name: &TableName) -> Result<Table, Trouble> {
        let get = self.client.table().get(name.project(), name.dataset(), name.table(), None);
        let found = within(get).await?.map_err(|error| trouble::of(&error))?;
        if let Some(kind) = found.r#type.filter(|kind| kind != "TABLE") {
            return Err(Trouble::SchemaMismatch(format!("it is no table to write to: {kind}")));
        }
        // Both are BigQuery's TableFieldSchema.
        let columns = serde_json::to_value(found.schema.fields.unwrap_or_default())
            .and_then(serde_json::from_value::<Vec<Column>>)
            .map_err(|error| Trouble::SchemaMismatch(error.to_string()))?;
        Ok(Table { columns })
    }

    async fn insert(&self, name: &TableName, part: Part) -> Appended {
        let call =
            self.client.tabledata().insert_all(name.project(), name.dataset(), name.table(), part.request.clone());
        match within(call).await {
            Err(trouble) => Appended::Failed(trouble),
            Ok(Ok(answer)) => insert::outcome(&part, answer),
            Ok(Err(error)) if part.count == 1 && trouble::is_too_large(&error) => {
                let reason = "the row is too large for the endpoint".to_owned();
                Appended::Bad(vec![BadRow { index: part.first, reason }])
            }
            Ok(Err(error)) => Appended::Failed(trouble::of(&error)),
        }
    }
}

impl Warehouse for BigQuery {
    fn look_up<'a>(&'a self, table: &'a TableName) -> BoxFuture<'a, Result<Arc<Table>, Trouble>> {
        async move {
            match self.known.fresh(table) {
                Some(known) => Ok(known),
                None => Ok(self.known.see(table, self.columns(table).await?)),
            }
        }
        .boxed()
    }

    /// Rows that do not fit one request go in several, one after another. When a later one fails, the earlier ones are sent again, and
    /// the endpoint sees from their ids that it has them.
    fn append<'a>(&'a self, table: &'a TableName, rows: &'a [Row]) -> BoxFuture<'a, Appended> {
        async move {
            for part in insert::parts(rows) {
                let outcome = self.insert(table, part).await;
                if outcome != Appended::Written {
                    self.known.doubt(table);
                    return outcome;
                }
            }
            Appended::Written
        }
        .boxed()
    }
}

impl fmt::Debug for BigQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BigQuery").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

async fn within<T>(call: impl Future<Output = T>) -> Result<T, Trouble> {
    let waited = tokio::time::timeout(PATIENCE, call).await;
    waited.map_err(|_| Trouble::Unavailable(format!("no answer within {} s", PATIENCE.as_secs())))
}

/// What an endpoint of one's own is shown.
#[derive(Clone)]
struct NoCredentials;

impl Authenticator for NoCredentials {
    fn access_token<'life, 'out>(&'life self) -> Pin<Box<dyn Future<Output = Result<String, BQError>> + Send + 'out>>
    where
        'life: 'out,
        Self: 'out,
    {
        Box::pin(std::future::ready(Ok("none".to_owned())))
    }
}
