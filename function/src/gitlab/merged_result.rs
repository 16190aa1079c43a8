//! The temporary commit that GitLab creates to test the result of a merge, also in a merge train. Owns
//! how it is recognized: GitLab marks it in no field.

use super::commit::CommitSha;

/// The last commit of the source branch, from the title of the temporary commit:
/// `Merge <source> into <target>`.
pub(super) fn source(title: &str) -> Option<CommitSha> {
    let (source, target) = title.strip_prefix("Merge ")?.split_once(" into ")?;
    CommitSha::parse(target)?;
    CommitSha::parse(source)
}

#[cfg(test)]
mod tests {
    use super::CommitSha;

    #[test]
    fn only_the_whole_title_of_a_merged_result_names_its_source() {
        let [source, target] = ["a", "b"].map(|digit| digit.repeat(40));
        let title = format!("Merge {source} into {target}");
        let found = super::source(&title);
        assert_eq!(found.as_ref().map(CommitSha::as_str), Some(source.as_str()));
        let long = format!("Merge {} into {}", "a".repeat(64), "b".repeat(64));
        assert!(super::source(&long).is_some());
        for other in [
            format!("{title}."),
            format!(" {title}"),
            format!("Revert {title}"),
            format!("merge {source} into {target}"),
            format!("Merge {source} into main"),
            format!("Merge main into {target}"),
            format!("Merge {source} into {}", "0".repeat(40)),
            format!("Merge branch '{source}' into '{target}'"),
        ] {
            assert_eq!(super::source(&other), None, "{other}");
        }
    }
}
