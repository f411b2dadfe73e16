//! Figures computed from a history and its samples: rates, latencies, lag, time to recover. Pure, like `check`, but
//! nothing here is a judgement.

mod distribution;
mod endpoints;
mod errors;
mod figures;
mod gaps;
mod lab;
mod lag;
mod leaks;
mod load;
mod operations;
mod rate;
mod service;
mod statistics;
mod taint;
pub mod threshold;
mod visibility;

use crate::history::{
    BankOp, CounterOp, FaultOp, History, LabSample, LagSample, NodeName, Operation, OrdersOp, SetOp, Tenures,
    TxnOp,
};
use errors::Errors;
use load::{Load, Sample};
use operations::Operations;
use rate::Rates;
use service::Service;

pub use distribution::Distribution;
pub use endpoints::{EndpointFigures, Following, endpoints};
pub use figures::{
    Availability, ErrorCount, Figures, Growth, LabFigures, LagFigures, LagPoint, LatencyPoint,
    OperationFigures, Outage, Percentiles, RatePoint, Recovery, Window,
};
pub use leaks::leaks;
pub use statistics::{Estimate, Standing, median};
pub use taint::Taint;

/// One workload's history.
#[derive(Clone, Copy, Debug)]
pub enum Recorded<'a> {
    /// The order system's.
    Orders(&'a History<OrdersOp>),
    /// Counters'.
    Counter(&'a History<CounterOp>),
    /// That of transactions on lists or registers.
    Transactions(&'a History<TxnOp>),
    /// The bank's.
    Bank(&'a History<BankOp>),
    /// The set's.
    Set(&'a History<SetOp>),
}

impl<'a> Recorded<'a> {
    fn load(self) -> Option<Load> {
        match self {
            Recorded::Orders(history) => Load::of(history),
            Recorded::Counter(history) => Load::of(history),
            Recorded::Transactions(history) => Load::of(history),
            Recorded::Bank(history) => Load::of(history),
            Recorded::Set(history) => Load::of(history),
        }
    }

    fn add_to(self, sums: &mut Sums<'a>, load: Option<Load>) {
        match self {
            Recorded::Orders(history) => sums.add(history, load),
            Recorded::Counter(history) => sums.add(history, load),
            Recorded::Transactions(history) => sums.add(history, load),
            Recorded::Bank(history) => sums.add(history, load),
            Recorded::Set(history) => sums.add(history, load),
        }
    }
}

/// Everything measured in a run of all these workloads. `cores` are the machine's, `primary` is the primary at the start.
pub fn figures(
    histories: &[Recorded<'_>],
    faults: &History<FaultOp>,
    lag: &[LagSample],
    lab: &[LabSample],
    cores: u64,
    primary: NodeName,
) -> Figures {
    let primaries = &Tenures::of(faults, primary);
    let histories: Vec<(Recorded<'_>, Option<Load>)> =
        histories.iter().map(|&history| (history, history.load())).collect();
    let load = Load::hull(histories.iter().filter_map(|(_, load)| *load));

    let mut sums = Sums::new(load);
    for &(history, load) in &histories {
        history.add_to(&mut sums, load);
    }
    sums.service.sort();
    let counter = histories.iter().find_map(|(history, load)| match history {
        Recorded::Counter(history) => Some((*history, (*load)?)),
        Recorded::Orders(_) | Recorded::Transactions(_) | Recorded::Bank(_) | Recorded::Set(_) => None,
    });
    let visibility = match counter {
        Some((history, load)) => {
            visibility::visibility(history, &load, primaries, lag.iter().map(|sample| sample.node))
        }
        None => Default::default(),
    };
    let (rate, latency) = sums.rates.figures();
    Figures {
        load,
        operations: sums.operations.figures(load, primary),
        rate,
        latency,
        lag: lag::lag(lag, visibility),
        recoveries: sums.service.recoveries(faults, load, primaries),
        availability: sums.service.availability(load, primaries),
        outages: sums.service.outages(load, primaries),
        errors: sums.errors.figures(),
        lab: lab::lab(lab, lag, faults, load, cores, primaries),
    }
}

/// What every workload's history adds to.
struct Sums<'a> {
    operations: Operations<'a>,
    rates: Rates,
    errors: Errors<'a>,
    service: Service,
}

impl<'a> Sums<'a> {
    fn new(load: Window) -> Sums<'a> {
        Sums {
            operations: Operations::default(),
            rates: Rates::new(load),
            errors: Errors::default(),
            service: Service::default(),
        }
    }

    /// Errors are those of all operations, set-up and final reads included; everything else is the load's.
    fn add<O: Operation>(&mut self, history: &'a History<O>, load: Option<Load>) {
        for call in history.calls() {
            let sample = Sample::of(history, &call);
            self.errors.add(&sample);
            if load.is_some_and(|load| load.contains(&call)) {
                self.operations.add(&sample);
                self.rates.add(&sample);
                self.service.add(&sample);
            }
        }
    }
}

#[cfg(test)]
mod tests;
