//! `nines report`: a notebook for a service, or for every owner of services, handed on by a command.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nines_engine::Session;

use self::owners::{Owner, owners};
use super::page;
use crate::args::{PageFormat, Report};
use crate::error::{CliError, Result, doing};
use crate::notebooks::{self, Named};
use crate::opened::{self, Opening};
use crate::output::{is_standard_output, note, say};

mod index;
mod owners;

/// The parameter that says whom a report is about.
const SERVICE: &str = "service";

pub(crate) async fn run(opening: Opening, args: Report) -> Result<()> {
    let named = notebooks::find(&args.name, Path::new(&args.name), false)?;
    let about_services = named.notebook.parameters.iter().any(|parameter| parameter.name == SERVICE);
    if !about_services && (args.all || args.service.is_some()) {
        let problem = format!("the notebook {} is not about a service: it has no parameter service", named.name);
        return Err(CliError::Usage(problem));
    }
    if let Some(file) = args.output.as_deref().filter(|file| args.all && file.extension().is_some() && !file.is_dir()) {
        let problem = format!("{}: with --all, --output is the folder of the pages", file.display());
        return Err(CliError::Usage(problem));
    }
    let session = opened::open_as_of(opening, &args.as_of).await?;
    page::needs_store(&session, &args.name)?;
    let done = match args.output.clone().filter(|_| args.all) {
        Some(folder) => all(&session, &named, &args, &folder).await,
        None => one(&session, &named, &args).await,
    };
    opened::tell_as_of(&session);
    done
}

async fn one(session: &Session, named: &Named, args: &Report) -> Result<()> {
    page::keeps(Path::new(&args.name), args.output.as_deref())?;
    let format = page::format(args.format, args.output.as_deref())?;
    let mut given = page::given(&args.running);
    if let Some(service) = &args.service {
        given.insert(SERVICE.to_string(), service.clone());
    }
    let page = page::made(session, named, &given, &args.running).await?;
    page::put(&page, format, args.output.as_deref())?;
    if let (Some(command), Some(file)) = (&args.exec, &args.output) {
        if is_standard_output(file) {
            return Err(CliError::Usage("--exec hands on a file; name one with --output".to_string()));
        }
        let about = given.get(SERVICE).cloned().unwrap_or_default();
        let known = owners(session).await?;
        let owner = known.into_iter().find(|owner| owner.name == about || owner.services.contains(&about));
        let owner = match owner {
            Some(owner) if owner.name == about => owner,
            Some(owner) => Owner { services: vec![about], ..owner },
            None => Owner { name: about.clone(), services: vec![about] },
        };
        hand_on(command, file.clone(), &owner, &named.name).await?;
    }
    notebooks::check(&page, &named.name)
}

async fn all(session: &Session, named: &Named, args: &Report, folder: &Path) -> Result<()> {
    let format = args.format.unwrap_or(PageFormat::Html);
    let owners = owners(session).await?;
    if owners.is_empty() {
        let problem = "no objective is in force, so there is nobody to report to; define some with: nines apply FILE…";
        return Err(CliError::Usage(problem.to_string()));
    }
    doing(folder.display(), std::fs::create_dir_all(folder))?;
    let ending = match format {
        PageFormat::Html => "html",
        PageFormat::Md => "md",
        PageFormat::Terminal => "txt",
    };
    let mut taken = BTreeSet::from(["index".to_string()]);
    let (mut entries, mut failed) = (Vec::new(), 0);
    let mut about = None;
    for owner in owners {
        let mut given = page::given(&args.running);
        given.insert(SERVICE.to_string(), owner.name.clone());
        let page = match page::made(session, named, &given, &args.running).await {
            Ok(page) => page,
            // What is wrong with what was asked for is wrong for all.
            Err(error @ CliError::Usage(_)) => return Err(error.at(owner.name)),
            Err(error) => {
                note(format_args!("{}: {error}", owner.name));
                failed += 1;
                continue;
            }
        };
        let file = folder.join(format!("{}.{ending}", owners::file_name(&owner.name, &mut taken)));
        page::put(&page, format, Some(&file))?;
        if let Err(error) = notebooks::check(&page, &named.name) {
            note(format_args!("{}: {error}", owner.name));
            failed += 1;
        }
        if let Some(command) = &args.exec
            && let Err(error) = hand_on(command, file.clone(), &owner, &named.name).await
        {
            note(format_args!("{}: {error}", owner.name));
            failed += 1;
        }
        about = about.or(page.about);
        entries.push((owner, file));
    }
    let index = index::page(session, &named.name, &entries, about).await?;
    let file = folder.join(format!("index.{ending}"));
    page::put(&index, format, Some(&file))?;
    say(&format!("{} pages and {}\n", entries.len(), file.display()))?;
    match failed {
        0 => Ok(()),
        1 => Err(CliError::Failed("one thing went wrong, see above".to_string())),
        n => Err(CliError::Failed(format!("{n} things went wrong, see above"))),
    }
}

/// Runs a command on a page that was written.
async fn hand_on(command: &str, file: PathBuf, owner: &Owner, report: &str) -> Result<()> {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("{command} \"$@\""), "sh"]).arg(&file).stdin(Stdio::null());
    shell.env("NINES_OWNER", &owner.name).env("NINES_SERVICE", owner.services.join("\n")).env("NINES_REPORT", report);
    let doing_what = format!("{command} {}", file.display());
    let done = tokio::task::spawn_blocking(move || shell.status()).await;
    let status = match done {
        Ok(status) => doing(&doing_what, status)?,
        Err(failed) => return Err(CliError::Failed(format!("{doing_what}: {failed}"))),
    };
    match status.success() {
        true => Ok(()),
        false => Err(CliError::Failed(format!("{doing_what}: {status}"))),
    }
}
