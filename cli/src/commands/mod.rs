//! One file a command. Each gives a report, or says why it could not.

pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod drive;
pub(crate) mod invoke;
pub(crate) mod plan;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod unstick;
pub(crate) mod verify;
