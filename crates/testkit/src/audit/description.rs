//! What the rules of offer and answer need of a session description (RFC 3264, RFC 8866 §5).
//!
//! It is read line by line: a description that a parser would refuse is still an offer.

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Description {
    /// The kinds of its media, in order.
    pub(super) media: Vec<String>,
    origin: Option<Origin>,
    /// Everything but the version.
    content: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    /// User name and session: what must not change.
    session: String,
    version: u64,
}

impl Description {
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut description = Self { media: Vec::new(), origin: None, content: String::new() };
        for line in text.lines() {
            match line.split_once('=') {
                Some(("o", value)) => description.take_origin(value),
                Some(("m", value)) => {
                    description.media.push(value.split(' ').next().unwrap_or_default().to_owned());
                    description.content.push_str(line);
                }
                _ => description.content.push_str(line),
            }
            description.content.push('\n');
        }
        description
    }

    /// `o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`
    fn take_origin(&mut self, value: &str) {
        let words: Vec<&str> = value.split(' ').collect();
        let [user, session, version, place @ ..] = words.as_slice() else { return };
        self.content.push_str(&place.join(" "));
        let session = format!("{user} {session}");
        self.origin = version.parse().ok().map(|version| Origin { session, version });
    }

    /// What is wrong with the origin of this description after the one `before`, if anything.
    pub(super) fn fault_after(&self, before: &Self) -> Option<String> {
        let (Some(old), Some(new)) = (&before.origin, &self.origin) else { return None };
        let is_same = self.content == before.content;
        let version = if is_same { old.version } else { old.version.saturating_add(1) };
        if old.session != new.session {
            return Some(format!("the session {:?} in o=, not {:?}", old.session, new.session));
        }
        let what = if is_same { "has not changed" } else { "has changed" };
        let is_right = new.version == version;
        let wrong = || format!("version {version} in o=, not {}: the session {what}", new.version);
        (!is_right).then(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(version: u32, port: u16) -> Description {
        let text = format!("v=0\r\no=a 1 {version} IN IP4 h\r\nm=audio {port} RTP/AVP 0\r\n");
        Description::read(text.as_bytes())
    }

    #[test]
    fn the_version_rises_by_one_with_a_change_and_stays_without() {
        let before = description(7, 4000);
        assert_eq!(before.media, ["audio"]);
        assert_eq!(description(7, 4000).fault_after(&before), None);
        assert_eq!(description(8, 4002).fault_after(&before), None);
        for (version, port) in [(8, 4000), (7, 4002), (9, 4002), (6, 4002)] {
            assert!(description(version, port).fault_after(&before).is_some(), "{version} {port}");
        }
    }
}
