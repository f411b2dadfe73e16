//! Putting a cluster right: whatever its nodes are in is ended, in the order in which that works.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::TopologyError;
use crate::history::{Action, Condition, NodeName};

/// Starts what is down, and ends whatever else lasts: `cure` is done to the nodes of `conditions`, one action after the other
/// on each, several nodes at the same time. Who cannot follow the primary is seen, and mended, when everybody is up again.
///
/// # Errors
/// The first that did not heal; what else was begun is completed. So is a condition that lasts although every cure worked.
pub async fn heal<F>(
    conditions: impl Fn() -> Vec<(NodeName, Condition)>,
    cure: impl Fn(NodeName, Action) -> F,
) -> Result<(), TopologyError>
where
    F: Future<Output = Result<(), TopologyError>>,
{
    // Behind one that could not follow, another one may be found that cannot.
    for diverged in [false, true, true] {
        let mut by_node: BTreeMap<NodeName, Vec<Condition>> = BTreeMap::new();
        for (node, condition) in conditions() {
            if (condition == Condition::Diverged) == diverged {
                by_node.entry(node).or_default().push(condition);
            }
        }
        let node = |(node, conditions): (NodeName, Vec<Condition>)| {
            let cures = conditions.into_iter().map(|condition| cure(node, condition.cure()));
            let cures: Vec<F> = cures.collect();
            async move {
                for cure in cures {
                    cure.await?;
                }
                Ok::<_, TopologyError>(())
            }
        };
        // None is dropped on its way because another one failed.
        join_all(by_node.into_iter().map(node)).await.into_iter().collect::<Result<(), _>>()?;
    }
    // What was left alone on the way would last, and nobody comes after this.
    match conditions().first() {
        Some(&(node, condition)) => Err(TopologyError::Impossible { node, condition }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    /// Nodes that are in something, and what was done to them.
    #[derive(Default)]
    struct Ward {
        conditions: RefCell<BTreeSet<(NodeName, Condition)>>,
        done: RefCell<Vec<String>>,
        /// An action on a node that fails, and one that works and changes nothing.
        fails: Option<(NodeName, Action)>,
        is_vain: Option<(NodeName, Action)>,
        /// What shows when the first action works.
        hidden: Option<(NodeName, Condition)>,
    }

    impl Ward {
        fn of(conditions: &[(NodeName, Condition)]) -> Ward {
            Ward { conditions: RefCell::new(conditions.iter().copied().collect()), ..Ward::default() }
        }

        async fn heal(&self) -> Result<(), TopologyError> {
            let conditions = || self.conditions.borrow().iter().copied().collect();
            heal(conditions, |node, action| self.act(node, action)).await
        }

        async fn act(&self, node: NodeName, action: Action) -> Result<(), TopologyError> {
            self.done.borrow_mut().push(format!("{action} {node}"));
            if self.fails == Some((node, action)) {
                return Err(TopologyError::lab(format!("{node} does not {action}")));
            }
            if self.is_vain != Some((node, action)) {
                self.conditions.borrow_mut().retain(|(of, what)| *of != node || what.cure() != action);
            }
            self.conditions.borrow_mut().extend(self.hidden.filter(|_| self.done.borrow().len() == 1));
            Ok(())
        }
    }

    fn replica(number: usize) -> NodeName {
        NodeName::replica(number)
    }

    #[tokio::test]
    async fn in_the_order_that_works() {
        let ward = Ward {
            hidden: Some((replica(2), Condition::Diverged)),
            ..Ward::of(&[
                (replica(1), Condition::Diverged),
                (replica(3), Condition::DiskFull),
                (replica(3), Condition::Down),
            ])
        };
        ward.heal().await.unwrap();
        let done = ["free-disk replica-3", "start replica-3", "rejoin replica-1", "rejoin replica-2"];
        assert_eq!(*ward.done.borrow(), done);
    }

    #[tokio::test]
    async fn one_that_does_not_heal_keeps_no_other_one_down() {
        let down = |number| (replica(number), Condition::Down);
        let ward =
            Ward { fails: Some((replica(1), Action::Start)), ..Ward::of(&[down(1), down(2), down(3)]) };
        assert_eq!(ward.heal().await.unwrap_err().to_string(), "replica-1 does not start");
        assert_eq!(*ward.done.borrow(), ["start replica-1", "start replica-2", "start replica-3"]);
        assert_eq!(ward.conditions.into_inner(), BTreeSet::from([down(1)]));
    }

    #[tokio::test]
    async fn what_is_left_is_an_error() {
        let ward = Ward {
            is_vain: Some((replica(1), Action::Thaw)),
            ..Ward::of(&[(replica(1), Condition::Frozen)])
        };
        let left = ward.heal().await.unwrap_err();
        assert_eq!(left.to_string(), "replica-1 is frozen, so it was left alone");
    }
}
