//! What an SQLSTATE says: about the server's health, about trying again, about the statement, to the client.

use holdfast_policy::Class;
use holdfast_wire::Reason;

/// What an error of Postgres is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribution {
    /// The server, or the way there.
    Server,
    /// A lock that somebody holds.
    Lock,
    /// A table or column that is not there.
    Schema,
    /// What was to be written.
    Row,
}

impl Attribution {
    /// By its SQLSTATE; without one it is the way there.
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        match error.code() {
            // The session's prepared statement, not what it was given.
            Some(_) if is_stale_plan(error) => Self::Server,
            Some(code) => Self::of_sqlstate(code.code()),
            None => Self::Server,
        }
    }

    fn of_sqlstate(sqlstate: &str) -> Self {
        match sqlstate {
            "55P03" => Self::Lock,
            // Undefined table, column, function, schema.
            "42P01" | "42703" | "42883" | "3F000" => Self::Schema,
            _ if is_servers_trouble(sqlstate) || is_lost_race(sqlstate) => Self::Server,
            // The session's state: the next one may do.
            _ if sqlstate.starts_with("25") => Self::Server,
            // Whatever a rule or a trigger may say of what was to be written.
            _ => Self::Row,
        }
    }
}

/// The table was altered ("cached plan must not change result type"), or the name stands for nothing or for another
/// statement: a pooler changed the session under us.
pub(super) fn is_stale_plan(error: &tokio_postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else {
        return false;
    };
    match error.code().code() {
        "26000" | "42P05" => true,
        "0A000" => error.routine() == Some("RevalidateCachedQuery"),
        _ => false,
    }
}

/// Whether the server is in trouble, whatever it was asked: connection lost (08), out of resources (53), cancelled by our
/// own limit (57014), shutting down, crashed or starting (57P0x), trouble outside it such as its disk (58), no writes here
/// (25006).
pub(super) fn is_servers_trouble(sqlstate: &str) -> bool {
    matches!(sqlstate, "57014" | "25006")
        || ["08", "53", "57P0", "58"]
            .iter()
            .any(|class| sqlstate.starts_with(class))
}

/// Whether the statement lost a race and may win it next time: serialization failure, deadlock.
fn is_lost_race(sqlstate: &str) -> bool {
    matches!(sqlstate, "40001" | "40P01")
}

/// Of a statement that was refused.
pub fn class_of(sqlstate: &str) -> Class {
    if is_servers_trouble(sqlstate) {
        Class::failure().retry_if_idempotent()
    } else if is_lost_race(sqlstate) {
        Class::neutral().retry_if_idempotent()
    } else {
        // This statement or its data: 22, 23, 42, 55P03, P0, XX and whatever else. The server answers, so it is well.
        Class::neutral()
    }
}

/// Of a session that was refused. Whatever the reason, the database is of no use without one.
pub(super) fn class_of_refused_session(sqlstate: &str) -> Class {
    if is_servers_trouble(sqlstate) {
        Class::failure().retry_always()
    } else {
        Class::failure()
    }
}

/// Whether a session survives it. One whose statement was cancelled or timed out does not: a late cancel request could
/// hit its successor. Nor one that saw corrupted data (XX).
pub(super) fn leaves_session_sound(sqlstate: &str) -> bool {
    !is_servers_trouble(sqlstate) && !sqlstate.starts_with("XX") && !sqlstate.starts_with("25")
}

/// What it is called in answers and metrics.
pub fn reason_of(sqlstate: &str) -> Reason {
    match sqlstate {
        "57014" => Reason::AttemptTimeout,
        // Starting up or shutting down: it takes no sessions.
        "57P03" => Reason::ConnectRefused,
        "57P01" | "57P02" => Reason::ConnectionReset,
        // Too many connections.
        "53300" => Reason::PoolExhausted,
        "25006" => Reason::NotWritable,
        // No such table, column, function, constraint, schema.
        "42P01" | "42703" | "42883" | "42P10" | "42704" | "3F000" => Reason::SchemaOutdated,
        _ if sqlstate.starts_with("08") => Reason::ConnectionReset,
        _ => Reason::BadStatus,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_in_trouble_is_a_failure_and_may_be_tried_again() {
        for sqlstate in [
            "08006", "53300", "57P01", "57P03", "57014", "58030", "25006",
        ] {
            let class = Class::failure().retry_if_idempotent();
            assert_eq!(class_of(sqlstate), class, "{sqlstate}");
            assert!(!leaves_session_sound(sqlstate), "{sqlstate}");
        }
    }

    #[test]
    fn what_concerns_one_statement_says_nothing_about_the_server() {
        for sqlstate in [
            "22P02", "23505", "42501", "42P01", "55P03", "P0001", "XX001", "0A000", "57000", "",
        ] {
            assert_eq!(class_of(sqlstate), Class::neutral(), "{sqlstate}");
        }
        assert!(leaves_session_sound("P0001"));
        assert!(!leaves_session_sound("XX001"));
    }

    #[test]
    fn whatever_is_not_the_servers_trouble_is_about_a_row_a_lock_or_the_schema() {
        for sqlstate in [
            "22P02", "23505", "P0001", "XX001", "42501", "45000", "54001", "38000", "0A000",
            "57000",
        ] {
            let attribution = Attribution::of_sqlstate(sqlstate);
            assert_eq!(attribution, Attribution::Row, "{sqlstate}");
        }
        for sqlstate in ["57014", "08006", "40P01", "25006", "25P02"] {
            let attribution = Attribution::of_sqlstate(sqlstate);
            assert_eq!(attribution, Attribution::Server, "{sqlstate}");
        }
        assert_eq!(Attribution::of_sqlstate("55P03"), Attribution::Lock);
        assert_eq!(Attribution::of_sqlstate("42P01"), Attribution::Schema);
    }

    #[test]
    fn a_lost_race_is_tried_again_without_blaming_the_server() {
        for sqlstate in ["40001", "40P01"] {
            let class = Class::neutral().retry_if_idempotent();
            assert_eq!(class_of(sqlstate), class, "{sqlstate}");
        }
    }

    #[test]
    fn without_a_session_the_database_is_of_no_use_for_whatever_reason() {
        assert_eq!(class_of_refused_session("28P01"), Class::failure());
        assert_eq!(class_of_refused_session("3D000"), Class::failure());
        let starting = class_of_refused_session("57P03");
        assert_eq!(starting, Class::failure().retry_always());
    }
}
