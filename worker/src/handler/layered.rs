//! tower layers around a handler.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use longshore_core::{ClauseAction, Failure};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

use crate::{JobContext, Outcome, Processor};

type BoxError = Box<dyn Error + Send + Sync>;

/// A handler as a tower service: a job goes in, its outcome comes out.
#[derive(Clone, Debug)]
pub struct HandlerService(Arc<dyn Processor>);

impl Service<JobContext> for HandlerService {
    type Response = Outcome;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Outcome, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: JobContext) -> Self::Future {
        let processor = self.0.clone();
        Box::pin(async move { Ok(processor.process(job).await) })
    }
}

/// A handler with layers around it.
struct Layered {
    inner: Arc<dyn Processor>,
    service: BoxCloneSyncService<JobContext, Outcome, BoxError>,
}

impl fmt::Debug for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layered({:?})", self.inner)
    }
}

/// Fits a layer around a processor. An error of the layer fails the attempt, to be retried by
/// policy.
pub(crate) fn layered<L>(inner: Arc<dyn Processor>, layer: &L) -> Arc<dyn Processor>
where
    L: Layer<HandlerService>,
    L::Service: Service<JobContext, Response = Outcome> + Clone + Send + Sync + 'static,
    <L::Service as Service<JobContext>>::Error: Into<BoxError>,
    <L::Service as Service<JobContext>>::Future: Send + 'static,
{
    let service = layer.layer(HandlerService(inner.clone()));
    Arc::new(Layered {
        inner,
        service: BoxCloneSyncService::new(service.map_err(Into::into)),
    })
}

#[async_trait]
impl Processor for Layered {
    async fn process(&self, job: JobContext) -> Outcome {
        match self.service.clone().oneshot(job).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(Failure::retryable(error.to_string())),
        }
    }

    async fn act(&self, job: &JobContext, failure: &Failure, action: &ClauseAction) -> Outcome {
        self.inner.act(job, failure, action).await
    }
}
