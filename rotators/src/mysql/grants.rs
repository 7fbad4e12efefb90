//! Reads what `SHOW GRANTS` shows.

use super::lexer::{Rest, Token, tokens};
use super::rights::{GRANT_OPTION, Grade, Object, Privilege, Rights, is_dynamic};
use super::sql::Account;

/// A line that is none of those in the manuals, "SHOW GRANTS" and "GRANT". It is not kept: it may hold the
/// hash of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUnderstood;

impl Rights {
    /// Reads the lines of one account. `MariaDB` shows lines of its roles among them; these are left out.
    pub(super) fn read<'l>(
        account: &Account,
        lines: impl IntoIterator<Item = &'l str>,
    ) -> Result<Self, NotUnderstood> {
        let mut rights = Self::default();
        for line in lines {
            let tokens = tokens(line).map_err(|_| NotUnderstood)?;
            let mut line = Line {
                rest: Rest::of(&tokens),
                account,
            };
            match line.rest.word().ok_or(NotUnderstood)? {
                "GRANT" => line.grant(&mut rights),
                "REVOKE" => line.revoke(&mut rights),
                "SET" => line.set_default_role(&mut rights),
                _ => None,
            }
            .ok_or(NotUnderstood)?;
        }
        Ok(rights)
    }
}

/// What is left of a line.
struct Line<'t> {
    rest: Rest<'t>,
    account: &'t Account,
}

/// A privilege's name, and the columns that it is limited to.
type Named = (String, Vec<String>);

impl Line<'_> {
    /// `GRANT` is read.
    fn grant(&mut self, rights: &mut Rights) -> Option<()> {
        if matches!(self.rest.peek()?, Token::Name(_) | Token::Text(_)) {
            return self.grant_roles(rights);
        }
        let named = self.privileges()?;
        let object = match named.as_slice() {
            [(name, _)] if name == "PROXY" => Object::Proxy(self.account()?),
            _ => self.object()?,
        };
        self.rest.expect("TO")?;
        let own = self.is_own()?;
        let grantable = self.rest_grants()?;
        if own {
            rights.add(&object, named, grantable);
        }
        Some(())
    }

    fn grant_roles(&mut self, rights: &mut Rights) -> Option<()> {
        let mut roles = vec![self.account()?];
        while self.rest.sign(',') {
            roles.push(self.account()?);
        }
        self.rest.expect("TO")?;
        let own = self.is_own()?;
        let admin = self.rest.peek().is_some();
        if admin {
            self.rest.expect("WITH")?;
            self.rest.expect("ADMIN")?;
            self.rest.expect("OPTION")?;
            self.rest.end()?;
        }
        if own {
            rights
                .roles
                .extend(roles.into_iter().map(|role| (role, admin)));
        }
        Some(())
    }

    /// `REVOKE` is read: a partial revoke.
    fn revoke(&mut self, rights: &mut Rights) -> Option<()> {
        let named = self.privileges()?;
        let object = self.object()?;
        self.rest.expect("FROM")?;
        let own = self.is_own()?;
        self.rest.end()?;
        let Object::Database(_) = object else {
            return None;
        };
        if own {
            rights
                .privileges
                .extend(named.into_iter().map(|(name, _)| Privilege {
                    object: object.clone(),
                    grade: Grade::TakenBack,
                    name,
                    column: None,
                }));
        }
        Some(())
    }

    /// `SET` is read: of `MariaDB`.
    fn set_default_role(&mut self, rights: &mut Rights) -> Option<()> {
        self.rest.expect("DEFAULT")?;
        self.rest.expect("ROLE")?;
        let role = self.account()?;
        self.rest.expect("FOR")?;
        if self.is_own()? {
            rights.default_roles.insert(role);
        }
        self.rest.end()
    }

    /// Up to `ON`, which is read, too.
    fn privileges(&mut self) -> Option<Vec<Named>> {
        let mut all = Vec::new();
        loop {
            let mut name = self.rest.word()?.to_owned();
            let mut columns = Vec::new();
            loop {
                match self.rest.next()? {
                    Token::Word(word) if word == "ON" => {
                        all.push((name, columns));
                        return Some(all);
                    }
                    Token::Word(word) if columns.is_empty() => {
                        name.push(' ');
                        name.push_str(word);
                    }
                    Token::Sign('(') if columns.is_empty() => columns = self.columns()?,
                    Token::Sign(',') => break,
                    _ => return None,
                }
            }
            all.push((name, columns));
        }
    }

    /// `(` is read; so is `)` afterwards.
    fn columns(&mut self) -> Option<Vec<String>> {
        let mut columns = Vec::new();
        loop {
            match self.rest.next()? {
                Token::Name(name) => columns.push(name.clone()),
                _ => return None,
            }
            match self.rest.next()? {
                Token::Sign(',') => {}
                Token::Sign(')') => return Some(columns),
                _ => return None,
            }
        }
    }

    fn object(&mut self) -> Option<Object> {
        if self.rest.sign('*') {
            return (self.rest.sign('.') && self.rest.sign('*')).then_some(Object::Everything);
        }
        let mut kind = String::new();
        while let Some(Token::Word(word)) = self.rest.peek() {
            self.rest.next()?;
            if !kind.is_empty() {
                kind.push(' ');
            }
            kind.push_str(word);
        }
        if kind == "TABLE" {
            kind.clear();
        }
        let Token::Name(database) = self.rest.next()? else {
            return None;
        };
        if !self.rest.sign('.') {
            return None;
        }
        match self.rest.next()? {
            Token::Sign('*') if kind.is_empty() => Some(Object::Database(database.clone())),
            Token::Name(name) => Some(Object::Part {
                kind,
                database: database.clone(),
                name: name.clone(),
            }),
            _ => None,
        }
    }

    /// A user at a host, or a role of `MariaDB`.
    fn account(&mut self) -> Option<Account> {
        let user = self.rest.text()?;
        let host = if self.rest.sign('@') {
            Some(self.rest.text()?)
        } else {
            None
        };
        Some(Account { user, host })
    }

    fn is_own(&mut self) -> Option<bool> {
        // To whom `MariaDB` gives what everybody has.
        if matches!(self.rest.peek()?, Token::Word(word) if word == "PUBLIC") {
            self.rest.next()?;
            return Some(false);
        }
        Some(self.account()? == *self.account)
    }

    /// Whether `GRANT OPTION` is among what follows `WITH`. In between `MariaDB` tells how the account logs
    /// in, which is read elsewhere.
    fn rest_grants(&mut self) -> Option<bool> {
        let after: Vec<&Token> = std::iter::from_fn(|| self.rest.next()).collect();
        let is = |token: &&Token, word: &str| matches!(token, Token::Word(it) if it == word);
        match after.first() {
            None => return Some(false),
            Some(first)
                if ["WITH", "IDENTIFIED", "REQUIRE"]
                    .iter()
                    .any(|word| is(first, word)) => {}
            Some(_) => return None,
        }
        let with = after.iter().position(|token| is(token, "WITH"));
        let options = with.map_or(&[][..], |at| &after[at..]);
        let grants = |pair: &[&Token]| is(&pair[0], "GRANT") && is(&pair[1], "OPTION");
        Some(options.windows(2).any(grants))
    }
}

impl Rights {
    fn add(&mut self, object: &Object, named: Vec<Named>, grantable: bool) {
        let is_proxy = matches!(object, Object::Proxy(_));
        let mut option = false;
        for (name, columns) in named {
            let own_grade = is_proxy || is_dynamic(&name);
            let grade = if grantable && own_grade {
                Grade::Grantable
            } else {
                Grade::Plain
            };
            option |= grantable && !own_grade;
            // No privilege at all, as its name does not say.
            if name == "USAGE" {
                continue;
            }
            let columns = if columns.is_empty() {
                vec![None]
            } else {
                columns.into_iter().map(Some).collect()
            };
            self.privileges
                .extend(columns.into_iter().map(|column| Privilege {
                    object: object.clone(),
                    grade,
                    name: name.clone(),
                    column,
                }));
        }
        if option {
            self.privileges.insert(Privilege {
                object: object.clone(),
                grade: Grade::Plain,
                name: GRANT_OPTION.to_owned(),
                column: None,
            });
        }
    }
}

#[cfg(test)]
mod tests;
