//! The statements that bring one account's rights into line with those of another.

use std::collections::{BTreeMap, BTreeSet};

use super::rights::{ALL, GRANT_OPTION, Grade, Object, Privilege, Rights, is_dynamic};
use super::sql::{Account, Ident, Sql};

/// What one statement can be about.
type Group<'p> = (&'p Object, Grade);

impl Rights {
    /// Statements after which `own` has what this has, and no more. What is too much is taken away first.
    /// Some of them only show what else differs, so the caller looks again.
    pub(super) fn steps(&self, own: &Self, account: &Account) -> Vec<Sql> {
        let missing: BTreeSet<_> = self.privileges.difference(&own.privileges).collect();
        let extra: BTreeSet<_> = own.privileges.difference(&self.privileges).collect();
        let mut steps = Vec::new();
        for (group, names) in grouped(extra.iter().copied().filter(|&it| !self.covers(it))) {
            steps.extend(revokes(group, &names, account));
        }
        for role in too_many(&self.roles, &own.roles) {
            steps.push(
                Sql::new("REVOKE ")
                    .account(role)
                    .text(" FROM ")
                    .account(account),
            );
        }
        for (group, names) in grouped(missing.iter().copied()) {
            steps.extend(grants(group, &names, account));
        }
        let wanted = self
            .roles
            .iter()
            .filter(|(role, admin)| own.roles.get(role) != Some(admin));
        for (role, admin) in wanted {
            let grant = Sql::new("GRANT ")
                .account(role)
                .text(" TO ")
                .account(account);
            steps.push(if *admin {
                grant.text(" WITH ADMIN OPTION")
            } else {
                grant
            });
        }
        if self.default_roles != own.default_roles {
            steps.push(self.set_default_roles(own, account));
        }
        steps
    }

    /// Whether what an account has too much of is part of what it is going to get.
    fn covers(&self, extra: &Privilege) -> bool {
        let grantable = Privilege {
            grade: Grade::Grantable,
            ..extra.clone()
        };
        let all = Privilege {
            name: ALL.to_owned(),
            ..extra.clone()
        };
        self.privileges.contains(&grantable)
            || extra.grade == Grade::Plain
                && extra.column.is_none()
                && extra.name != GRANT_OPTION
                && !is_dynamic(&extra.name)
                && self.privileges.contains(&all)
    }

    fn set_default_roles(&self, own: &Self, account: &Account) -> Sql {
        let set = Sql::new("SET DEFAULT ROLE ");
        let set = if self.default_roles.is_empty() {
            set.text("NONE")
        } else {
            set.list(&self.default_roles, Sql::account)
        };
        // A role without a host is one of MariaDB's, which has another word here.
        let mut roles = self.default_roles.iter().chain(&own.default_roles);
        let mariadb = roles.any(|role| role.host.is_none());
        let to = if mariadb { " FOR " } else { " TO " };
        set.text(to).account(account)
    }
}

/// Roles that the model does not have, or that it may not give on.
fn too_many<'r>(
    model: &'r BTreeMap<Account, bool>,
    own: &'r BTreeMap<Account, bool>,
) -> impl Iterator<Item = &'r Account> {
    own.iter()
        .filter(|&(role, &admin)| match model.get(role) {
            None => true,
            Some(&wanted) => admin && !wanted,
        })
        .map(|(role, _)| role)
}

fn grouped<'p>(
    privileges: impl Iterator<Item = &'p Privilege>,
) -> BTreeMap<Group<'p>, Vec<&'p Privilege>> {
    let mut groups: BTreeMap<Group<'p>, Vec<_>> = BTreeMap::new();
    for privilege in privileges {
        groups
            .entry((&privilege.object, privilege.grade))
            .or_default()
            .push(privilege);
    }
    groups
}

fn grants((object, grade): Group<'_>, privileges: &[&Privilege], account: &Account) -> Vec<Sql> {
    if grade == Grade::TakenBack {
        return vec![
            on(Sql::new("REVOKE "), privileges, object)
                .text(" FROM ")
                .account(account),
        ];
    }
    let (option, named): (Vec<_>, Vec<_>) = privileges
        .iter()
        .copied()
        .partition(|it| it.name == GRANT_OPTION);
    let (dynamic, fixed): (Vec<_>, Vec<_>) = named.into_iter().partition(|it| is_dynamic(&it.name));
    let grantable = grade == Grade::Grantable;
    let mut steps = Vec::new();
    if !dynamic.is_empty() {
        steps.push(grant(&dynamic, object, account, grantable));
    }
    if !fixed.is_empty() || !option.is_empty() {
        steps.push(grant(
            &fixed,
            object,
            account,
            grantable || !option.is_empty(),
        ));
    }
    steps
}

fn grant(names: &[&Privilege], object: &Object, account: &Account, with_option: bool) -> Sql {
    let grant = on(Sql::new("GRANT "), names, object)
        .text(" TO ")
        .account(account);
    if with_option {
        grant.text(" WITH GRANT OPTION")
    } else {
        grant
    }
}

fn revokes((object, grade): Group<'_>, privileges: &[&Privilege], account: &Account) -> Vec<Sql> {
    if grade == Grade::TakenBack {
        // To give what was taken back is what ends that.
        return vec![grant(privileges, object, account, false)];
    }
    // All of them at once, and then `GRANT OPTION` on its own: together they are another statement.
    let (all, others): (Vec<_>, Vec<_>) = privileges.iter().copied().partition(|it| it.name == ALL);
    [all, others]
        .iter()
        .filter(|names| !names.is_empty())
        .map(|names| {
            on(Sql::new("REVOKE "), names, object)
                .text(" FROM ")
                .account(account)
        })
        .collect()
}

/// Privileges, and what they are about. None is `USAGE`.
fn on(sql: Sql, privileges: &[&Privilege], object: &Object) -> Sql {
    let sql = match privileges {
        [] => sql.text("USAGE"),
        _ => sql.list(privileges, |sql, privilege| {
            let sql = sql.words(&privilege.name);
            match &privilege.column {
                Some(column) => sql.text(" (").ident(Ident(column)).text(")"),
                None => sql,
            }
        }),
    };
    let sql = sql.text(" ON ");
    match object {
        Object::Everything => sql.text("*.*"),
        Object::Database(name) => sql.ident(Ident(name)).text(".*"),
        Object::Part {
            kind,
            database,
            name,
        } => {
            let sql = if kind.is_empty() {
                sql
            } else {
                sql.words(kind).text(" ")
            };
            sql.ident(Ident(database)).text(".").ident(Ident(name))
        }
        Object::Proxy(account) => sql.account(account),
    }
}

#[cfg(test)]
mod tests;
