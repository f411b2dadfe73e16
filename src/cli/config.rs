//! `replab config`: the settings, where they come from, and a file to begin with.

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};

use super::args::Place;
use super::console::Console;
use super::setting::SettingArgs;
use super::{Exit, Failure, plan};
use crate::config::{DEFAULT_FILE, SettingOrigin, schema};

/// `replab config`.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Every setting in force, with where it comes from
    Show(Box<ShowArgs>),
    /// Print a commented configuration file with every key and its default
    #[command(after_help = "Example:\n  replab config init > replab.toml")]
    Init,
    /// Print the JSON Schema of replab.toml, for editors
    Schema,
}

/// `replab config show`.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// As of `replab run` [default: orders counter]
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Shows what `command` asks for.
pub(super) fn config(command: &ConfigCommand, place: &Place, console: &Console) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Show(args) => {
            let flags = args.settings.overrides(&args.workloads, place);
            show(&plan::settings(&flags, place)?.settings, console);
        }
        ConfigCommand::Init if console.is_json() => {
            console.json(&serde_json::json!({ "file": "replab.toml", "content": DEFAULT_FILE }));
        }
        ConfigCommand::Init => console.result(DEFAULT_FILE),
        ConfigCommand::Schema => console.json(&schema()),
    }
    Ok(Exit::Valid)
}

fn show(settings: &[SettingOrigin], console: &Console) {
    if console.is_json() {
        console.json(&settings);
    } else {
        console.result(&format!("{}\n", table(settings, console.width())));
    }
}

fn table(settings: &[SettingOrigin], width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(["key", "value", "origin"]);
    for SettingOrigin { key, value, origin } in settings {
        let value = if value.is_null() { "-".to_owned() } else { value.to_string() };
        table.add_row([key.clone(), value, origin.to_string()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, load};

    #[test]
    fn every_setting_is_a_row_with_its_origin() {
        let flags = Overrides { seed: Some(1), duration: Some("1.5m".to_owned()), ..Overrides::default() };
        let variables = [("REPLAB_COUNTER__KEYS".to_owned(), "9".to_owned())];
        let loaded = load(&flags, Some(std::path::Path::new("/dev/null")), variables).unwrap();
        insta::assert_snapshot!(table(&loaded.settings, 100), @r#"
        ╭───────────────────────────────────┬───────────────────────────────────────┬──────────────────────╮
        │ key                               ┆ value                                 ┆ origin               │
        ╞═══════════════════════════════════╪═══════════════════════════════════════╪══════════════════════╡
        │ aurora.auth                       ┆ "password"                            ┆ default              │
        │ aurora.ca_bundle                  ┆ -                                     ┆ default              │
        │ aurora.cluster                    ┆ -                                     ┆ default              │
        │ aurora.consistency_mode           ┆ -                                     ┆ default              │
        │ aurora.database                   ┆ "postgres"                            ┆ default              │
        │ aurora.endpoint_url               ┆ -                                     ┆ default              │
        │ aurora.profile                    ┆ -                                     ┆ default              │
        │ aurora.region                     ┆ -                                     ┆ default              │
        │ aurora.sslmode                    ┆ "verify-full"                         ┆ default              │
        │ aurora.user                       ┆ "postgres"                            ┆ default              │
        │ bank.accounts                     ┆ 8                                     ┆ default              │
        │ bank.balance                      ┆ 100                                   ┆ default              │
        │ bank.clients                      ┆ 8                                     ┆ default              │
        │ bank.isolation                    ┆ "serializable"                        ┆ default              │
        │ checks.require                    ┆ []                                    ┆ default              │
        │ checks.thresholds                 ┆ []                                    ┆ default              │
        │ counter.clients                   ┆ 8                                     ┆ default              │
        │ counter.keys                      ┆ 9                                     ┆ REPLAB_COUNTER__KEYS │
        │ counters.clients                  ┆ 8                                     ┆ default              │
        │ faults.schedule                   ┆ "crash(primary)@26.298s,restart(repli ┆ default              │
        │                                   ┆ ca-1)@46.478s,stop(primary,immediate) ┆                      │
        │                                   ┆ @68.195s,start(primary)@70.195s"      ┆                      │
        │ load.connect_deadline             ┆ "5s"                                  ┆ default              │
        │ load.duration                     ┆ "1.5m"                                ┆ --duration           │
        │ load.operations                   ┆ -                                     ┆ default              │
        │ load.seed                         ┆ 1                                     ┆ --seed               │
        │ load.statement_deadline           ┆ "10s"                                 ┆ default              │
        │ load.workloads                    ┆ ["orders","counter"]                  ┆ default              │
        │ orders.clients                    ┆ 8                                     ┆ default              │
        │ orders.products                   ┆ 30                                    ┆ default              │
        │ orders.stock                      ┆ -                                     ┆ default              │
        │ output.runs                       ┆ "runs"                                ┆ default              │
        │ readers.interval                  ┆ "2ms"                                 ┆ default              │
        │ readers.per_node                  ┆ 2                                     ┆ default              │
        │ readers.stock_interval            ┆ "100ms"                               ┆ default              │
        │ set.clients                       ┆ 8                                     ┆ default              │
        │ topology.cascade                  ┆ []                                    ┆ default              │
        │ topology.failover_command         ┆ -                                     ┆ default              │
        │ topology.hot_standby_feedback     ┆ "off"                                 ┆ default              │
        │ topology.image                    ┆ "postgres:17"                         ┆ default              │
        │ topology.keep                     ┆ "off"                                 ┆ default              │
        │ topology.kind                     ┆ "local"                               ┆ default              │
        │ topology.pg_bin                   ┆ -                                     ┆ default              │
        │ topology.port                     ┆ -                                     ┆ default              │
        │ topology.readers                  ┆ []                                    ┆ default              │
        │ topology.recovery_min_apply_delay ┆ "0s"                                  ┆ default              │
        │ topology.replicas                 ┆ 1                                     ┆ default              │
        │ topology.restart_command          ┆ -                                     ┆ default              │
        │ topology.synchronous_commit       ┆ "on"                                  ┆ default              │
        │ topology.synchronous_standbys     ┆ -                                     ┆ default              │
        │ topology.writer                   ┆ -                                     ┆ default              │
        │ transactions.clients              ┆ 8                                     ┆ default              │
        │ transactions.isolation            ┆ "serializable"                        ┆ default              │
        │ transactions.keys                 ┆ 8                                     ┆ default              │
        │ transactions.length               ┆ 4                                     ┆ default              │
        │ transactions.writes_per_key       ┆ 100                                   ┆ default              │
        ╰───────────────────────────────────┴───────────────────────────────────────┴──────────────────────╯
        "#);
    }
}
