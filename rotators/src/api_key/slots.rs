//! Credentials with ids: made, deleted by id, and found again by name.

use secrets_core::rotator::{Live, Overlap, Profile, Repeat, Retirement, Rotates};

use super::list::Listing;
use super::places::{Scope, Source};
use super::request::{Request, Title};
use super::settings::{Names, statuses, success};
use crate::configuration::Fields;
use crate::web::{Expectation, Pointer};

/// The provider mints credentials, and holds several.
#[derive(Clone)]
pub(super) struct Slots {
    pub(super) create: Request,
    pub(super) success: Expectation,
    pub(super) value: Pointer,
    pub(super) id: Pointer,
    /// A repeat of the request is answered with the same credential.
    pub(super) idempotent: bool,
    pub(super) list: Option<Listing>,
    pub(super) delete: Option<Deletion>,
    pub(super) when: When,
}

/// The request that deletes a credential by its id.
#[derive(Clone)]
pub(super) struct Deletion {
    pub(super) request: Request,
    pub(super) success: Expectation,
    /// Statuses that mean: there is no such credential.
    pub(super) gone: Vec<u16>,
}

/// When an old credential is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// In `finishSecret`, the one that is about to lose `AWSPREVIOUS`.
    Superseded,
    /// In `finishSecret`, the one that was `AWSCURRENT`.
    AfterPromotion,
    /// In the next `createSecret`, the one before the current one.
    NextRotation,
    Never,
}

impl Slots {
    pub(super) fn read(fields: &mut Fields, names: Names) -> Option<Self> {
        let create = fields.required_object("create", |create| {
            let scope = Scope {
                sources: &[Source::Current, Source::Admin, Source::Version],
                id: names.id,
                gone: &[],
            };
            let title = Title {
                name: "create",
                role: "the URL of `create`",
                method: "POST",
            };
            let request = Request::read(create, &title, &scope);
            let success = success(create);
            let value = create.required("value", Pointer::parse);
            let id = create.required("id", Pointer::parse);
            let idempotent = create.flag("idempotent", false);
            Some((request?, success, value?, id?, idempotent))
        });
        let listed = fields.has("list");
        let list = fields.object("list", |list| Listing::read(list, names));
        let deletion = fields.required_object("delete", |delete| Some(delete_of(delete, names)));
        let (when, delete) = deletion.unwrap_or((When::Never, None));
        let (create, success, value, id, idempotent) = create?;

        let versioned = create.places().contains(&"version");
        let by_name = list.as_ref().is_some_and(|list| list.name.is_some());
        if (idempotent || by_name) && !versioned {
            fields.fault(
                "create",
                "must hold {version} in its name or its header for idempotency, so that a credential of a \
                 try that was cut off is found again",
            );
        }
        if listed && delete.is_none() {
            fields.fault(
                "delete",
                "needs a `url`, as `list` is there to find what is to be deleted",
            );
        }
        Some(Self {
            create,
            success,
            value,
            id,
            idempotent,
            list,
            delete,
            when,
        })
    }

    pub(super) fn profile(&self, rotates: Rotates) -> Profile {
        let live = match self.when {
            When::Superseded => Live { rest: 2, peak: 3 },
            When::AfterPromotion => Live { rest: 1, peak: 2 },
            When::NextRotation => Live { rest: 2, peak: 2 },
            When::Never => Live {
                rest: usize::MAX,
                peak: usize::MAX,
            },
        };
        let retires = match self.when {
            When::Superseded => Retirement::WhenSuperseded,
            When::AfterPromotion => Retirement::AfterPromotion,
            When::NextRotation | When::Never => Retirement::Never,
        };
        // A value is shown once, so a try that was cut off leaves a credential that nobody holds. It is found
        // and deleted, which must not happen to one that another invocation is about to store.
        let repeat = match (self.idempotent, &self.list) {
            (true, _) => Repeat::Free,
            (false, Some(_)) => Repeat::Told,
            (false, None) => Repeat::Never,
        };
        Profile::new(rotates, Overlap::UntilNextRotation)
            .holding(live)
            .retiring(retires)
            .repeating(repeat)
    }
}

fn delete_of(fields: &mut Fields, names: Names) -> (When, Option<Deletion>) {
    let when = fields.choice(
        "when",
        [
            ("when_superseded", When::Superseded),
            ("after_promotion", When::AfterPromotion),
            ("next_rotation", When::NextRotation),
            ("never", When::Never),
        ],
    );
    if when == When::Never && !fields.has("url") {
        return (when, None);
    }
    let scope = Scope {
        sources: &[Source::Retired, Source::Current, Source::Admin],
        id: names.id,
        gone: &[],
    };
    let title = Title {
        name: "delete",
        role: "the URL of `delete`",
        method: "DELETE",
    };
    let request = Request::read(fields, &title, &scope);
    let wanted = format!("retired.{}", names.id);
    if request
        .as_ref()
        .is_some_and(|delete| !delete.places().contains(&wanted.as_str()))
    {
        fields.fault(
            "url",
            format_args!("or headers or body must hold {{{wanted}}}"),
        );
    }
    let success = success(fields);
    let gone = statuses(fields, "gone", &[404, 410]);
    let deletion = request.map(|request| Deletion {
        request,
        success,
        gone,
    });
    (when, deletion)
}
