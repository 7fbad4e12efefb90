use super::*;

fn rights(lines: &[&str]) -> Rights {
    Rights::read(&Account::new("b", "%"), lines.iter().copied()).expect("lines")
}

fn steps(model: &[&str], own: &[&str]) -> Vec<String> {
    let (model, own) = (rights(model), rights(own));
    let account = Account::new("b'c", "%");
    let steps = model.steps(&own, &account);
    steps.iter().map(|step| step.expose().to_owned()).collect()
}

#[test]
fn equal_rights_need_nothing() {
    let lines = [
        "GRANT SELECT ON `d`.* TO `b`@`%` WITH GRANT OPTION",
        "GRANT `r`@`%` TO `b`@`%`",
    ];
    assert!(steps(&lines, &lines).is_empty());
}

#[test]
fn what_is_missing_is_granted_and_what_is_too_much_is_revoked() {
    let model = [
        "GRANT SELECT, INSERT ON *.* TO `b`@`%`",
        "GRANT BACKUP_ADMIN ON *.* TO `b`@`%` WITH GRANT OPTION",
        "GRANT SELECT (`a``b`), DELETE ON `d`.`t TO x` TO `b`@`%`",
        "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `b`@`%` WITH GRANT OPTION",
        "GRANT PROXY ON `x`@`%` TO `b`@`%`",
        "GRANT `r`@`%` TO `b`@`%` WITH ADMIN OPTION",
        "REVOKE INSERT ON `mysql`.* FROM `b`@`%`",
    ];
    let usage = ["GRANT USAGE ON *.* TO `b`@`%`"];
    assert_eq!(
        steps(&model, &usage),
        [
            "GRANT INSERT, SELECT ON *.* TO 'b''c'@'%'",
            "GRANT BACKUP_ADMIN ON *.* TO 'b''c'@'%' WITH GRANT OPTION",
            "REVOKE INSERT ON `mysql`.* FROM 'b''c'@'%'",
            "GRANT DELETE, SELECT (`a``b`) ON `d`.`t TO x` TO 'b''c'@'%'",
            "GRANT EXECUTE ON PROCEDURE `d`.`p` TO 'b''c'@'%' WITH GRANT OPTION",
            "GRANT PROXY ON 'x'@'%' TO 'b''c'@'%'",
            "GRANT 'r'@'%' TO 'b''c'@'%' WITH ADMIN OPTION",
        ]
    );
    assert_eq!(
        steps(&usage, &model),
        [
            "REVOKE INSERT, SELECT ON *.* FROM 'b''c'@'%'",
            "REVOKE BACKUP_ADMIN ON *.* FROM 'b''c'@'%'",
            "GRANT INSERT ON `mysql`.* TO 'b''c'@'%'",
            "REVOKE DELETE, SELECT (`a``b`) ON `d`.`t TO x` FROM 'b''c'@'%'",
            "REVOKE EXECUTE, GRANT OPTION ON PROCEDURE `d`.`p` FROM 'b''c'@'%'",
            "REVOKE PROXY ON 'x'@'%' FROM 'b''c'@'%'",
            "REVOKE 'r'@'%' FROM 'b''c'@'%'",
        ]
    );
}

#[test]
fn all_privileges_stand_alone() {
    let all = ["GRANT ALL PRIVILEGES ON `d`.* TO `b`@`%` WITH GRANT OPTION"];
    let some = ["GRANT SELECT ON `d`.* TO `b`@`%`"];
    // What is part of all is not taken away in between.
    assert_eq!(
        steps(&all, &some),
        ["GRANT ALL PRIVILEGES ON `d`.* TO 'b''c'@'%' WITH GRANT OPTION"]
    );
    assert_eq!(
        steps(&some, &all),
        [
            "REVOKE ALL PRIVILEGES ON `d`.* FROM 'b''c'@'%'",
            "REVOKE GRANT OPTION ON `d`.* FROM 'b''c'@'%'",
            "GRANT SELECT ON `d`.* TO 'b''c'@'%'",
        ]
    );
}

#[test]
fn the_right_to_give_on_comes_and_goes() {
    let with = [
        "GRANT SELECT ON `d`.* TO `b`@`%` WITH GRANT OPTION",
        "GRANT BACKUP_ADMIN ON *.* TO `b`@`%` WITH GRANT OPTION",
        "GRANT `r`@`%` TO `b`@`%` WITH ADMIN OPTION",
    ];
    let without = [
        "GRANT SELECT ON `d`.* TO `b`@`%`",
        "GRANT BACKUP_ADMIN ON *.* TO `b`@`%`",
        "GRANT `r`@`%` TO `b`@`%`",
    ];
    assert_eq!(
        steps(&with, &without),
        [
            "GRANT BACKUP_ADMIN ON *.* TO 'b''c'@'%' WITH GRANT OPTION",
            "GRANT USAGE ON `d`.* TO 'b''c'@'%' WITH GRANT OPTION",
            "GRANT 'r'@'%' TO 'b''c'@'%' WITH ADMIN OPTION",
        ]
    );
    assert_eq!(
        steps(&without, &with),
        [
            "REVOKE BACKUP_ADMIN ON *.* FROM 'b''c'@'%'",
            "REVOKE GRANT OPTION ON `d`.* FROM 'b''c'@'%'",
            "REVOKE 'r'@'%' FROM 'b''c'@'%'",
            "GRANT BACKUP_ADMIN ON *.* TO 'b''c'@'%'",
            "GRANT 'r'@'%' TO 'b''c'@'%'",
        ]
    );
}

#[test]
fn default_roles_are_set_by_the_word_of_each_server() {
    let mariadb = ["GRANT `r` TO `b`@`%`", "SET DEFAULT ROLE `r` FOR `b`@`%`"];
    assert_eq!(
        steps(&mariadb, &mariadb[..1]),
        ["SET DEFAULT ROLE `r` FOR 'b''c'@'%'"]
    );
    assert_eq!(
        steps(&mariadb[..1], &mariadb),
        ["SET DEFAULT ROLE NONE FOR 'b''c'@'%'"]
    );
    let mut model = rights(&["GRANT `r`@`%` TO `b`@`%`"]);
    let own = model.clone();
    model.default_roles = model.roles.keys().cloned().collect();
    let account = Account::new("b", "%");
    let steps = model.steps(&own, &account);
    assert_eq!(steps[0].expose(), "SET DEFAULT ROLE 'r'@'%' TO 'b'@'%'");
}
