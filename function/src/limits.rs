//! All limits and timeouts. Owns every number that bounds time, memory, connections, retries and the
//! length of texts, with its reason. A limit is enforced by the module that reads it from [`LIMITS`].
//!
//! Not here: the lengths and formats of a protocol, such as those of a SHA or a header, which are in the
//! file that parses them, and the number of secrets, which is part of
//! [`verification`](crate::gitlab::verification).

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Declares the groups of [`Limits`], [`LIMITS`] and [`rows`] from one list, so that each number is
/// declared together with its reason.
macro_rules! limits {
    ($(
        $(#[doc = $about:literal])+
        $group:ident: $Group:ident {
            $($(#[doc = $reason:literal])+ $name:ident: $type:ty = $value:expr,)+
        }
    )+) => {
        /// All limits, in groups.
        #[derive(Clone, Copy, Debug)]
        pub struct Limits {
            $($(#[doc = $about])+ pub $group: $Group,)+
        }

        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug)]
            pub struct $Group {
                $($(#[doc = $reason])+ pub $name: $type,)+
            }
        )+

        /// The limits of this program.
        pub const LIMITS: Limits = Limits {
            $($group: $Group { $($name: $value,)+ },)+
        };

        /// Every limit with its value and its reason, for the documentation.
        pub fn rows() -> Vec<(&'static str, String, &'static str)> {
            vec![$($((
                concat!(stringify!($group), ".", stringify!($name)),
                format!("{:?}", LIMITS.$group.$name),
                concat!($($reason),+),
            ),)+)+]
        }
    };
}

limits! {
    /// Connections to the ports for webhooks and for metrics.
    connections: ConnectionLimits {
        /// Open connections on the port for webhooks, if the process may open enough file descriptors.
        max: usize = 2048,
        /// Open connections on `METRICS_PORT`: probes and one or two scrapers.
        max_admin: usize = 32,
        /// File descriptors kept for listeners, logs and connections to Rocket.Chat.
        reserved_descriptors: usize = 128,
        /// File descriptors of a system that does not report its limit.
        default_descriptors: usize = 1024,
        /// Connections that the kernel queues until they are accepted.
        backlog: u32 = 1024,
        /// Pause after the kernel refused to accept a connection, usually because descriptors ran out.
        accept_pause: Duration = Duration::from_millis(50),
        /// From the start of a connection, or from the first byte of a later request, to the end of the
        /// headers, which GitLab sends at once. Also the time in which a client must read part of its
        /// response.
        timeout: Duration = Duration::from_secs(3),
        /// The same if more than half of the connections are in use: a webhook that waits behind a
        /// thousand silent connections must be read before GitLab's timeout of 10 s.
        timeout_under_load: Duration = Duration::from_secs(1),
        /// Default of `IDLE_TIMEOUT_SECONDS`, the time between two requests of a connection: longer than
        /// the 60 s for which nginx and load balancers of AWS keep idle connections, so that the proxy closes them and never
        /// sends a webhook into a closed one.
        default_idle_timeout_seconds: u64 = 75,
        /// Most that `IDLE_TIMEOUT_SECONDS` accepts: longer than the 600 s of load balancers of Google
        /// Cloud and the hour of Envoy.
        max_idle_timeout_seconds: u64 = 7200,
        /// Percentage of the connections above which the one that has waited longest for a request is
        /// closed: a new client then finds room at once, however many silent ones there are.
        crowded_percent: usize = 80,
        /// One that has waited for a shorter time is not closed, because its request may be on the way.
        /// Probes are local, so the port for metrics needs no such time.
        crowded_grace: Duration = Duration::from_millis(100),
        /// Buffer for headers and the start of a body; hyper reads a body in pieces of this size.
        read_buffer_bytes: usize = 16 * KIB,
        /// Time for requests in progress on `METRICS_PORT` to finish at shutdown.
        admin_drain: Duration = Duration::from_secs(1),
    }

    /// Connections that are closed while their client still sends.
    lingering_close: LingeringCloseLimits {
        /// Connections that linger at the same time; further ones are closed at once.
        max: usize = 8,
        /// Time to discard what the client still sends, the same as for a body.
        timeout: Duration = Duration::from_secs(3),
        /// A client that sends nothing for this long is waiting for the connection to close.
        idle_timeout: Duration = Duration::from_millis(500),
        /// Bytes that are read and discarded at once.
        chunk_bytes: usize = 16 * KIB,
        /// Chunks between two pauses, so that an endless client takes little time from others.
        chunks_per_pause: u8 = 8,
        /// Length of such a pause: discarding the largest body takes one second.
        pause: Duration = Duration::from_millis(5),
    }

    /// Bodies of webhooks.
    bodies: BodyLimits {
        /// Largest body, GitLab's own limit (`REQUEST_BODY_SIZE_LIMIT` of GitLab 17.8).
        max_bytes: usize = 25 * MIB,
        /// Memory for all bodies together: two of the largest and many of the usual size. While one of
        /// them is parsed, the process needs twice the length of that body more, and all of it together
        /// stays below 128 MB.
        budget_bytes: usize = 56 * MIB,
        /// Longest body that is copied when it grows.
        small_bytes: usize = MIB,
        /// Address space of a longer body; it uses memory only for what has arrived. From 32 MiB on, the
        /// C library returns memory to the system at once and never moves it, so large bodies leave no
        /// gaps in the heap.
        large_capacity_bytes: usize = 33 * MIB,
        /// Longest wait for memory that other bodies use.
        max_wait: Duration = Duration::from_secs(1),
        /// From the end of the headers to the end of the body. A deadline and not an idle timeout,
        /// because a client could send one byte every two seconds.
        timeout: Duration = Duration::from_secs(3),
        /// The same for bodies that start while `max_slow` others are being read. Most bodies have a
        /// few KiB, which have arrived when the headers are read.
        timeout_under_load: Duration = Duration::from_secs(1),
        /// Bodies that may use the longer timeout at the same time.
        max_slow: usize = 64,
    }

    /// One delivery, from its headers to its response.
    delivery: DeliveryLimits {
        /// Default of `DELIVERY_TIMEOUT_SECONDS`: half of the 10 s that GitLab waits.
        default_timeout_seconds: u64 = 5,
        /// Most that `DELIVERY_TIMEOUT_SECONDS` accepts; the rest of GitLab's 10 s is for the network
        /// and a cold start.
        max_timeout_seconds: u64 = 9,
        /// Part of the timeout that is left for the response: all calls end this long before its end.
        response_reserve: Duration = Duration::from_millis(300),
        /// The same if an undelivered message is handed off to a broker, which takes one more call.
        hand_off_reserve: Duration = Duration::from_secs(1),
        /// Tenths of the timeout that the response to one call may take, from the time it has a
        /// connection: 1.5 s of 5 s. Connecting may take the time that is left.
        call_tenths: u32 = 3,
        /// A call that has less time left is not made.
        min_call: Duration = Duration::from_millis(100),
        /// The header `Retry-After` of failures, in seconds: an outage has no known end, and GitLab does
        /// not retry by itself.
        retry_after_seconds: u64 = 30,
        /// The same for webhooks that are rejected because too many are in progress.
        retry_after_busy_seconds: u64 = 1,
    }

    /// Notifications and their retries.
    sending: SendingLimits {
        /// Notifications in progress; more connections to Rocket.Chat slow down all of them.
        max_in_progress: usize = 64,
        /// Notifications that wait for their turn, half of the connections that a port accepts; further
        /// ones get the response 503 `busy` at once.
        max_waiting: usize = 1024,
        /// Room IDs in the cache, a few hundred bytes each; the cache is cleared when it is full.
        max_rooms: usize = 1000,
        /// Room IDs are used for this long, less a random part of up to a half: when a user is renamed,
        /// the former name may be given to another user.
        room_lifetime: Duration = Duration::from_mins(10),
        /// Pause before the first retry, less a random part of up to a half: a proxy can restart a
        /// worker in this time. It doubles with each retry.
        retry_pause: Duration = Duration::from_millis(100),
        /// Longest pause before a retry, so that an outage of 3 s has ended before the last of them.
        max_retry_pause: Duration = Duration::from_secs(1),
        /// The last retry begins at least this long before the time at which all calls end.
        last_retry: Duration = Duration::from_millis(500),
        /// Retries after a 401 of Rocket.Chat, a 404 or a 405, which may end with a rollout.
        max_brief_retries: u64 = 2,
        /// Pause before such a retry, less a random part of up to a half: two of them outlast a reload of
        /// 1 s.
        brief_retry_pause: Duration = Duration::from_millis(1200),
        /// Notifications that add one retry to the budget of the process, so that retries are at most a
        /// tenth in a long outage.
        notifications_per_retry: u64 = 10,
        /// Retries in a full budget, which is also what a new process has: enough for an outage of a few
        /// seconds.
        max_saved_retries: u64 = 100,
        /// Time in which an empty budget refills while Rocket.Chat responds.
        retry_refill: Duration = Duration::from_mins(1),
        /// Consecutive failed calls after which only one call at a time tests whether Rocket.Chat
        /// responds again.
        failures_until_open: u32 = 5,
        /// For this long, other notifications wait for the result of that test. In a longer outage they
        /// try once and end, so that GitLab gets its response quickly.
        max_outage_wait: Duration = Duration::from_secs(5),
        /// Longest time between two looks at that result.
        outage_poll: Duration = Duration::from_millis(200),
        /// Time from startup to the sign-in and the look-up of the recipients that the configuration names,
        /// so that they do not slow down the webhook that started the process.
        recipient_check_delay: Duration = Duration::from_secs(2),
        /// IDs that are tried for one message if messages of other users have the first ones.
        max_generations: u8 = 3,
    }

    /// Notifications that a broker keeps.
    hand_off: HandOffLimits {
        /// Largest event that comes back: several times the longest message with all of its keys.
        max_bytes: usize = 256 * KIB,
        /// Part of the timeout of a delivery that is left for the response after the last call to the broker.
        response_reserve: Duration = Duration::from_millis(100),
        /// Pause between two calls to the broker, which may be restarting.
        retry_pause: Duration = Duration::from_millis(50),
        /// Least `DELIVERY_TIMEOUT_SECONDS` with a broker: Rocket.Chat and the broker have a second each.
        min_delivery_timeout_seconds: u64 = 2,
        /// A fix that comes back while it is younger than this waits for the message about its failure, which
        /// may come back after it.
        fix_wait: Duration = Duration::from_mins(10),
    }

    /// Webhooks that `webhook-app reconcile` has GitLab send again.
    reconcile: ReconcileLimits {
        /// Resends, and tests, of the hooks of one project within `pace`: what GitLab allows each user.
        requests_per_minute: usize = 5,
        /// Time in which GitLab counts them.
        pace: Duration = Duration::from_mins(1),
        /// Refusals with 429 in a row after which a run ends: others use the same allowance.
        max_rate_limits: u32 = 10,
        /// Pause before a delivery is sent a third time; each further pause is `pause_factor` times as long.
        pause: Duration = Duration::from_mins(1),
        /// Growth of this pause, so that a delivery that always fails is sent about thirty times until GitLab forgets
        /// it.
        pause_factor: u32 = 4,
        /// Longest such pause.
        max_pause: Duration = Duration::from_hours(6),
        /// Longest time for which GitLab shows an event, and so the most that `--since` accepts.
        log_age: Duration = Duration::from_hours(7 * 24),
        /// An object that changed more recently is left to its webhook, which may still wait in GitLab's queue.
        settle: Duration = Duration::from_mins(2),
        /// Difference between the times that GitLab writes in the log and in the API for one change.
        same_change: Duration = Duration::from_mins(1),
        /// Longest time from a change to the attempt that reports it, for attempts that do not say what they report.
        same_delivery: Duration = Duration::from_mins(10),
        /// Entries of one log that are read and remembered, about 200 bytes each; older ones are left.
        max_entries: usize = 20_000,
        /// Time for a webhook that is posted without GitLab: what GitLab waits.
        post_timeout: Duration = Duration::from_secs(10),
        /// Attempts to connect for such a webhook.
        post_attempts: u32 = 4,
        /// Pause before the second of them; each further one is twice as long. Network policies apply to a new pod a few
        /// seconds after its start, and a Job posts at once.
        post_pause: Duration = Duration::from_secs(1),
        /// Default of `RECONCILE_INTERVAL_SECONDS`, the time between two rounds: GitLab pauses a hook for at least a
        /// minute.
        default_interval_seconds: u64 = 60,
        /// Least that `RECONCILE_INTERVAL_SECONDS` accepts, so that the calls do not load GitLab.
        min_interval_seconds: u64 = 10,
        /// Most that it accepts.
        max_interval_seconds: u64 = 3600,
        /// Longest cursor file: a few hundred hooks with thousands of finished events.
        max_cursor_bytes: usize = 4 * MIB,
        /// Bodies that `--direct` keeps until it has sent them; what does not fit is read again later. It is as long as
        /// the longest response of GitLab, so that each record fits.
        max_record_bytes: usize = 32 * MIB,
        /// Age from which on a lost event does not change the exit code: the log shows it for 7 days, and a CronJob that
        /// fails for as long would hide the next failure.
        lost_alarm: Duration = Duration::from_hours(24),
    }

    /// Messages about events of the past.
    lateness: LatenessLimits {
        /// A message that is sent later than this after its event, or after its webhook arrived, says so.
        late_after: Duration = Duration::from_mins(1),
        /// Age of an event from which on `webhook_app.occurred_at` is ignored: GitLab keeps its log of webhooks
        /// for 14 days.
        max_age: Duration = Duration::from_hours(14 * 24),
        /// How far `webhook_app.occurred_at` may be in the future, because clocks differ; as much as the time
        /// of a signature.
        clock_difference: Duration = Duration::from_mins(5),
    }

    /// Calls to Rocket.Chat.
    client: ClientLimits {
        /// Longest response that is read; those of Rocket.Chat are shorter.
        max_response_bytes: usize = 64 * KIB,
        /// Characters of an error of Rocket.Chat that `webhook-app check` shows, enough for a sentence.
        max_error_chars: usize = 200,
        /// Longest wait that a rate limit can announce in `X-RateLimit-Reset`, and so the largest
        /// `Retry-After`. Rocket.Chat's limit is reset every minute.
        max_rate_limit_wait: Duration = Duration::from_hours(1),
        /// Time for one call of `webhook-app setup`, which a person waits for: creating an account takes longer
        /// than a message.
        setup_call_timeout: Duration = Duration::from_secs(15),
        /// Idle connections kept for the next delivery, as many as notifications in progress.
        max_idle_connections: usize = 64,
        /// Difference between the local clock and that of Rocket.Chat that `webhook-app check` notes:
        /// more than the whole seconds of a header and a slow response explain.
        notable_clock_difference_seconds: u64 = 60,
    }

    /// Calls to GitLab's API, of the commands `hooks` and `reconcile`.
    gitlab_api: GitLabApiLimits {
        /// Time to establish a connection.
        connect_timeout: Duration = Duration::from_secs(10),
        /// Time for one call: a resend waits for the response of the receiver, which has 10 s.
        call_timeout: Duration = Duration::from_secs(30),
        /// Longest response that is read: 20 entries of a log, of which GitLab keeps about 1 MB each. Larger ones are
        /// read with fewer entries.
        max_response_bytes: usize = 32 * MIB,
        /// Entries of a page, the most that GitLab accepts.
        entries_per_page: u32 = 100,
        /// Entries of a page of a webhook's log, the most that GitLab accepts there.
        events_per_page: u32 = 20,
        /// Pages of one list: 10,000 projects.
        max_pages: u32 = 100,
        /// Webhooks that one configuration can declare, groups resolved.
        max_hooks: usize = 1000,
        /// Attempts for one call that may be repeated.
        max_attempts: u32 = 3,
        /// Pause before a repetition after an error of the server.
        retry_pause: Duration = Duration::from_secs(1),
        /// The same after a rate limit that does not say when it resets.
        rate_limit_pause: Duration = Duration::from_secs(10),
        /// Longest rate limit that is waited for: GitLab's limits are per minute.
        max_wait: Duration = Duration::from_mins(1),
        /// Longest time until a reset that a rate limit can announce.
        max_announced_wait: Duration = Duration::from_hours(1),
    }

    /// Shutdown after SIGTERM.
    shutdown: ShutdownLimits {
        /// Default of `LAME_DUCK_SECONDS`: Kubernetes needs about this long to remove a pod from its
        /// Services. It is 0 if `K_SERVICE` is set, because Knative drains its proxy before the signal.
        default_lame_duck_seconds: u64 = 5,
        /// Most that `LAME_DUCK_SECONDS` accepts, longer than Kubernetes takes.
        max_lame_duck_seconds: u64 = 60,
        /// Time that requests in progress have beyond `DELIVERY_TIMEOUT_SECONDS`, for the response.
        drain_reserve: Duration = Duration::from_secs(1),
    }

    /// Settings in YAML.
    yaml: YamlLimits {
        /// Longest document.
        max_bytes: usize = 256 * KIB,
        /// Deepest nesting, twice what rules need.
        max_depth: usize = 8,
    }

    /// Routing rules.
    routing: RoutingLimits {
        /// Recipients of one event, because they share the timeout of one delivery.
        max_recipients: usize = 20,
        /// Rules; every event may be matched against all of them.
        max_rules: usize = 200,
        /// Steps of comparing the changed paths of one push with the patterns of all rules; a rule that is
        /// beyond it matches. A step takes a few nanoseconds, and 200 rules with five usual patterns each
        /// need one million for a thousand paths.
        max_path_steps: usize = 5_000_000,
    }

    /// Message templates.
    templates: TemplateLimits {
        /// Longest template.
        max_source_bytes: usize = 8 * KIB,
        /// Steps of the interpreter for one message; the examples take less than a hundred.
        max_steps: u64 = 10_000,
        /// Longest text that a filter accepts or returns: the longest built-in message.
        max_value_bytes: usize = 16 * KIB,
        /// Longest list that a filter or `range` accepts or returns.
        max_entries: usize = 1000,
        /// Texts of such a list together: more than a hundred names.
        max_list_bytes: usize = 128 * KIB,
        /// What all filters of one message accept and return together.
        max_processed_bytes: usize = 4 * MIB,
        /// Output after which rendering is stopped; messages are much shorter.
        max_output_bytes: usize = 64 * KIB,
    }

    /// Texts in messages, in UTF-16 units unless a limit says otherwise, so that messages stay readable
    /// and below Rocket.Chat's limit.
    texts: TextLimits {
        /// Longest message, Rocket.Chat's default limit (`Message_MaxAllowedSize`).
        message: usize = 5000,
        /// Longest name of a person, a job or an environment.
        name: usize = 100,
        /// Longest path of a project, branch or tag.
        path: usize = 255,
        /// Longest title or line of a text.
        title: usize = 200,
        /// Longest word that a template shows without a code span; GitLab's longest has 20 letters.
        word: usize = 24,
        /// Longest address that is linked to, in bytes.
        address_bytes: usize = 1024,
        /// Longest first line, in characters that a reader sees: what push and desktop notifications show
        /// of a message.
        headline: usize = 90,
        /// Shortest beginning of a person's name in the first line; a shorter one says nothing.
        min_name: usize = 8,
        /// Characters that stay of a branch, tag or job in the first line while there is a name to leave out.
        branch: usize = 24,
        /// Characters that stay of a branch, tag, job or project in the first line in any case.
        min_branch: usize = 12,
        /// Lines of a message.
        lines: usize = 5,
        /// Commits of a push that a message lists; it counts the others.
        commits: usize = 3,
        /// Failed jobs that a message names; it counts the others.
        jobs: usize = 3,
        /// Reviewers, assignees or labels that a message names; it counts the others.
        names: usize = 3,
        /// Longest name or label in a list of them.
        list_name: usize = 60,
        /// Longest title in a list of commits or of changes.
        list_title: usize = 100,
        /// Longest address of a project that a message repeats in its lists, in bytes, so that it stays below
        /// its limit; with a longer one, only the first line and the commit have links.
        list_address_bytes: usize = 400,
    }

    /// Content of webhooks, before it is routed and rendered.
    events: EventLimits {
        /// Longest text that is kept: more than any message shows and longer than any address that is
        /// linked to, so that an event in progress is small however large its body was.
        max_text_bytes: usize = 4096,
        /// Longest string of a body before its escapes are replaced; of a longer one, only this much is
        /// parsed: twice the longest text in escapes of six characters, and more.
        max_json_string_bytes: usize = 64 * KIB,
        /// Entries of a list that are kept: more assignees than a rule can notify.
        max_list_entries: usize = 100,
        /// Quotes and list items that one line of a Markdown text may begin; what follows such a line is not
        /// searched for mentions. People write four or five; the parser takes time for each of them on every
        /// later line.
        max_markdown_depth: usize = 100,
        /// JSON of the paths that a push changed; a rule that asks for a path treats the rest as more than
        /// GitLab lists. The newest 20 commits have a few KiB.
        max_path_bytes: usize = 16 * KIB,
        /// Longest ID and source of a CloudEvent together; they are kept as a digest.
        max_cloud_event_name_bytes: usize = 4096,
        /// Difference between the timestamp of a signature and the local clock, in seconds and either
        /// way: the tolerance of the libraries of Standard Webhooks.
        signature_tolerance_seconds: u64 = 300,
        /// Signatures in one header that are compared; a sender rotates between two or three keys.
        max_signatures: usize = 16,
    }

    /// Metrics, traces and logs.
    telemetry: TelemetryLimits {
        /// Series of one metric; none has as many. The library reserves memory for this many at startup,
        /// and for two thousand by default.
        max_series: usize = 192,
        /// Longest value of a log field, in characters.
        max_field_chars: usize = 256,
        /// Log lines that wait to be written, in bytes: more than two thousand webhooks, while the reader
        /// of standard output pauses. As much again is being written at the same time.
        log_queue_bytes: usize = MIB,
        /// Pause after log lines were written, so that the next ones are written together: a write for
        /// every line would cost more than the line.
        log_pause: Duration = Duration::from_millis(5),
        /// Time to write the last log lines at exit or after a panic; the reader may have stopped.
        log_flush_timeout: Duration = Duration::from_secs(1),
        /// Time to export one batch of spans, retries included; a batch is exported every 5 s.
        export_timeout: Duration = Duration::from_secs(3),
        /// Time to export the last spans at shutdown: the collector may be unreachable, and Kubernetes
        /// kills the process after its grace period.
        flush_timeout: Duration = Duration::from_secs(2),
        /// Longest response of a collector that is read; it says how many spans were rejected.
        max_response_bytes: usize = 64 * KIB,
        /// Longest header `tracestate` that is accepted; W3C Trace Context allows dropping longer ones.
        max_tracestate_bytes: usize = 512,
    }
}
