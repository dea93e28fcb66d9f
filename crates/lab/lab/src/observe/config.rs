//! Prometheus' configuration of the Compose stage, made fit for this machine.

use std::path::Path;

/// `text` with the addresses of local processes, the rules where they are, and each second looked at.
///
/// # Errors
/// What it should hold and does not.
pub(super) fn for_this_machine(
    text: &str,
    rules: &Path,
    (api, worker): (u16, u16),
) -> Result<String, String> {
    let replacements = [
        ("\"api:8080\"", format!("\"127.0.0.1:{api}\"")),
        ("\"worker:8081\"", format!("\"127.0.0.1:{worker}\"")),
        ("- rules/*.yml", format!("- {}/*.yml", rules.display())),
        ("scrape_interval: 5s", "scrape_interval: 1s".to_owned()),
        ("scrape_timeout: 3s", "scrape_timeout: 1s".to_owned()),
        (
            "evaluation_interval: 5s",
            "evaluation_interval: 1s".to_owned(),
        ),
    ];
    let mut text = text.to_owned();
    for (from, to) in replacements {
        if text.matches(from).count() != 1 {
            return Err(format!("{from} is not in it once"));
        }
        text = text.replace(from, &to);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../../../deploy/observe/prometheus.yml");
    const PORTS: (u16, u16) = (1, 2);

    #[test]
    fn the_repositorys_file_can_be_made_fit_and_nothing_of_the_network_is_left() {
        let made = for_this_machine(FILE, Path::new("/r"), PORTS).unwrap();
        assert!(made.contains("127.0.0.1:1") && made.contains("127.0.0.1:2"));
        assert!(
            made.contains("- /r/*.yml") && !made.contains("5s"),
            "{made}"
        );
        assert!(!made.contains("api:8080") && !made.contains("worker:8081"));
    }

    #[test]
    fn a_file_that_has_changed_is_refused() {
        let changed = FILE.replace("api:8080", "api:8090");
        let refused = for_this_machine(&changed, Path::new("/r"), PORTS);
        assert!(refused.unwrap_err().contains("api:8080"));
    }
}
