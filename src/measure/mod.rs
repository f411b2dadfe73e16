//! Figures computed from a history and its samples: rates, latencies, lag, time to recover. Pure, like `check`, but
//! nothing here is a judgement.

mod figures;

pub use figures::{
    Availability, ErrorCount, Figures, LabFigures, LagFigures, LagPoint, LatencyPoint, OperationFigures,
    Percentiles, RatePoint, Recovery, Window,
};
