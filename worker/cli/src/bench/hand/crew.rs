//! Several workers on one store.

use std::time::Duration;

use futures_util::future::{join_all, select_all};

use super::{Hand, Order, Said};
use crate::bench::place::Place;
use crate::bench::scratch::Scratch;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Several workers on one store.
#[derive(Debug)]
pub(crate) struct Crew(Vec<Hand>);

impl Crew {
    /// Workers that are ready for orders.
    pub(crate) async fn hire(place: &Place, scratch: &Scratch, count: u32) -> Result<Self> {
        let hired = (0..count).map(|_| Hand::hire(place, scratch));
        let hired = join_all(hired).await;
        hired.into_iter().collect::<Result<_>>().map(Self)
    }

    /// Gives each its order, all at once, and waits for every answer.
    pub(crate) async fn ask_each(
        &mut self,
        orders: impl IntoIterator<Item = Order>,
    ) -> Result<Vec<Said>> {
        let asked = self.0.iter_mut().zip(orders);
        let answers = join_all(asked.map(|(hand, order)| hand.ask(order))).await;
        answers.into_iter().collect()
    }

    /// The processor time that all of them have used so far.
    pub(crate) async fn processor_time(&mut self) -> Result<Duration> {
        let mut sum = Duration::ZERO;
        let orders = std::iter::repeat(Order::Usage);
        for said in self.ask_each(orders).await? {
            match said {
                Said::Usage { processor_ns, .. } => sum += Duration::from_nanos(processor_ns),
                other => return Err(other.unexpected()),
            }
        }
        Ok(sum)
    }

    /// Gives everyone the same order; the answers come with [`Self::next_within`].
    pub(crate) async fn order_each(&self, order: &Order) -> Result<()> {
        for hand in &self.0 {
            hand.order(order.clone()).await?;
        }
        Ok(())
    }

    /// What anyone says next. Nothing is lost when the future is dropped.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Result<Said> {
        let next = select_all(self.0.iter_mut().map(|hand| Box::pin(hand.next())));
        match tokio::time::timeout(patience, next).await {
            Ok((said, ..)) => said,
            Err(_) => Err(CliError::new(
                Exit::Failed,
                format!(
                    "bench failed: no worker got a message within {} s, so one is lost or stuck",
                    patience.as_secs()
                ),
            )),
        }
    }

    /// Ends what runs and answers what was said until then.
    pub(crate) async fn stop(&mut self) -> Result<Vec<Said>> {
        self.order_each(&Order::Stop).await?;
        let mut late = Vec::new();
        for hand in &mut self.0 {
            loop {
                match hand.next().await? {
                    Said::Stopped => break,
                    said => late.push(said),
                }
            }
        }
        Ok(late)
    }
}
