//! What there is of memory: the machine's, or less where control groups (containers, services) or `ulimit -v` bound the process.

use std::fs;
use std::path::{Path, PathBuf};

/// Half of what the process may have, in bytes, as Linux tells it.
pub(crate) fn half_of_memory() -> Option<usize> {
    memory(Path::new("/")).map(|bytes| bytes / 2)
}

/// The least of all bounds that the files below this root tell.
fn memory(root: &Path) -> Option<usize> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let machine = read("proc/meminfo").and_then(|text| of_machine(&text));
    let groups = read("proc/self/cgroup").unwrap_or_default();
    let of_groups =
        groups.lines().flat_map(files_of).filter_map(|file| bound(&fs::read_to_string(root.join(file)).ok()?));
    let of_process = read("proc/self/limits").and_then(|text| of_process(&text));
    machine.into_iter().chain(of_groups).chain(of_process).min()
}

fn of_machine(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

/// What `ulimit -v` says: the soft limit, which is the one that counts.
fn of_process(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The files that bound a group and those above it: of version 2 (`0::/a/b`), and of the version 1 controller
/// (`5:memory:/a/b`). In a container the group's own path often is not there, and the bound stands at the top.
fn files_of(line: &str) -> Vec<PathBuf> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { return Vec::new() };
    let (top, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        _ if controllers.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return Vec::new(),
    };
    let group = Path::new(group.trim_start_matches('/'));
    group.ancestors().map(|group| Path::new(top).join(group).join(file)).collect()
}

/// A number of bytes. Version 2 says `max`, version 1 a number beyond all memory.
fn bound(text: &str) -> Option<usize> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_least_bound_counts() {
        let machine = ("proc/meminfo", "MemTotal:        4000 kB\nMemFree: 1 kB\n");
        let of = |more: &[(&str, &str)]| memory(root(&[&[machine], more].concat()).path());
        assert_eq!(of(&[]), Some(4_096_000));
        let group = ("proc/self/cgroup", "0::/user.slice/nines.service\n");
        let (own, above) = ("sys/fs/cgroup/user.slice/nines.service/memory.max", "sys/fs/cgroup/user.slice/memory.max");
        assert_eq!(of(&[group, (own, "1000000\n"), (above, "max\n")]), Some(1_000_000));
        assert_eq!(of(&[group, (own, "max\n"), (above, "2000000\n")]), Some(2_000_000));
        assert_eq!(of(&[group, (own, "9000000\n")]), Some(4_096_000));
        // A container that sees only itself.
        assert_eq!(of(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "3000000\n")]), Some(3_000_000));
        let first = ("proc/self/cgroup", "4:cpu,cpuacct:/a\n5:memory:/docker/abc\n0::/\n");
        let v1 = "sys/fs/cgroup/memory/memory.limit_in_bytes";
        assert_eq!(of(&[first, (v1, "2500000\n")]), Some(2_500_000));
        assert_eq!(of(&[first, (v1, "9223372036854771712\n")]), Some(4_096_000));
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax address space  1500000  unlimited  bytes\n";
        assert_eq!(of(&[("proc/self/limits", limits)]), Some(1_500_000));
        assert_eq!(of(&[("proc/self/limits", &limits.replace("1500000", "unlimited"))]), Some(4_096_000));
        assert_eq!(memory(root(&[]).path()), None);
    }
}
