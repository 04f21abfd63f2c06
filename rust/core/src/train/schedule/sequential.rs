//! Schedules one after the other.

use super::Schedule;
use std::sync::Arc;

/// Each part counts its steps from its own start.
pub struct Sequential {
    parts: Vec<Arc<dyn Schedule>>,
    milestones: Vec<u64>,
}

impl std::fmt::Debug for Sequential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequential").field("milestones", &self.milestones).finish_non_exhaustive()
    }
}

impl Sequential {
    /// Part i + 1 starts at `milestones[i]`; milestones grow, one fewer than parts.
    pub fn new(parts: Vec<Arc<dyn Schedule>>, milestones: Vec<u64>) -> crate::Result<Self> {
        let grows = milestones.windows(2).all(|pair| pair[0] < pair[1]);
        if parts.len() == milestones.len() + 1 && grows {
            return Ok(Self { parts, milestones });
        }
        let rule = format!("growing milestones, one fewer than the {} schedulers", parts.len());
        Err(crate::Error::value("SequentialLR", rule, format!("{milestones:?}")))
    }
}

impl Schedule for Sequential {
    fn rate(&self, base: f64, step: u64) -> f64 {
        let part = self.milestones.partition_point(|&m| m <= step);
        let start = part.checked_sub(1).map_or(0, |i| self.milestones[i]);
        self.parts[part].rate(base, step - start)
    }
}
