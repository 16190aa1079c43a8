//! Who hears of an event and in which words: the rules, the words and the pipelines that are told of
//! as they move, put together. Owns the order in which they are asked. How each decides is told in
//! [`routes`](crate::routes), [`words`](crate::words) and [`live`].

use crate::courier::{Errand, Message};
use crate::fix;
use crate::gitlab::circumstances::Circumstances;
use crate::gitlab::delivery_id::DeliveryId;
use crate::gitlab::event::{Event, ParseError};
use crate::live;
use crate::notice::{self, Allowance, Ignored, Notice};
use crate::outcome::{Failure, Outcome};
use crate::routes::{Hearer, Interest, Routes};
use crate::words::Words;

/// Who hears of what, and in which words.
#[derive(Debug)]
pub struct Telling {
    /// Who.
    pub routes: Routes,
    /// In which words, where they are not ours.
    pub words: Words,
    /// Whether one message about a pipeline is edited as it moves.
    pub live_pipelines: bool,
}

/// What one of those hears who hear of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tidings {
    /// Who, and what for.
    pub hearer: Hearer,
    /// What.
    pub notice: Notice,
}

/// Rules have let it through; the words need not ask again.
const EVERYTHING: Allowance = Allowance {
    confidential: true,
    under_way: true,
};

impl Telling {
    /// What can be asked of an event, read out of its body only where somebody asks.
    pub fn circumstances(&self, event: &Event, body: &[u8]) -> Result<Circumstances, ParseError> {
        let asked = self.routes.ask_more() || self.words.has(event.kind()) || self.live_pipelines;
        if asked {
            Circumstances::read(event, body)
        } else {
            Ok(Circumstances::of(event))
        }
    }

    /// Who is told what, or why nobody is told.
    pub fn tell(
        &self,
        event: &Event,
        circumstances: &Circumstances,
    ) -> Result<Vec<Tidings>, Ignored> {
        let hearers = self.routes.decide(circumstances)?;
        let has = |fix: bool| hearers.iter().any(|hearer| is_fix(hearer) == fix);
        let words = has(false).then(|| notice::compose_for(event, EVERYTHING));
        let words = words
            .transpose()?
            .and_then(|notice| self.words.retell(notice, circumstances));
        let words_of_fix = has(true).then(|| notice::compose_fix(event));
        let words_of_fix = words_of_fix.transpose()?;
        let words_of_fix =
            words_of_fix.and_then(|notice| self.words.retell_fix(notice, circumstances));
        let tidings: Vec<_> = hearers
            .into_iter()
            .filter_map(|hearer| {
                let words = if is_fix(&hearer) {
                    &words_of_fix
                } else {
                    &words
                };
                let notice = words.clone()?;
                Some(Tidings { hearer, notice })
            })
            .collect();
        if tidings.is_empty() {
            return Err(Ignored::NoWords);
        }
        Ok(tidings)
    }

    /// What is to be brought to whom, each message under its name.
    pub fn errands(
        &self,
        delivery_id: Option<&DeliveryId>,
        tidings: Vec<Tidings>,
        circumstances: &Circumstances,
    ) -> Result<Vec<Errand>, Outcome> {
        let key = delivery_id.ok_or(Outcome::Failed(Failure::MissingKey))?;
        let errands = tidings.into_iter().map(|Tidings { hearer, notice }| {
            let message = self.message(key.clone(), hearer.interest, notice, circumstances)?;
            Ok(Errand {
                target: hearer.target,
                message,
            })
        });
        errands.collect()
    }

    /// The message under the name of its delivery, or that of the failure or the pipeline where all
    /// deliveries about that make one message.
    fn message(
        &self,
        key: DeliveryId,
        interest: Interest,
        notice: Notice,
        circumstances: &Circumstances,
    ) -> Result<Message, Outcome> {
        match (interest, &circumstances.lineage) {
            (Interest::Failure, Some(lineage)) => Ok(Message::new(fix::failure(lineage), notice)),
            (Interest::Fix, Some(lineage)) => Ok(Message {
                conditions: fix::mended(lineage),
                ..Message::new(key, notice)
            }),
            (Interest::Fix, None) => Err(Outcome::Ignored(Ignored::NotAFix)),
            (Interest::Failure, None) | (Interest::Event, _) => {
                self.plain_message(key, notice, circumstances)
            }
        }
    }

    fn plain_message(
        &self,
        key: DeliveryId,
        notice: Notice,
        circumstances: &Circumstances,
    ) -> Result<Message, Outcome> {
        let progress = circumstances.progress.as_ref();
        let Some(progress) = progress.filter(|_| self.live_pipelines) else {
            return Ok(Message::new(key, notice));
        };
        match live::mark(&notice.text, progress) {
            Some(text) => Ok(Message {
                progress: Some(progress.clone()),
                ..Message::new(live::key(progress), Notice { text, ..notice })
            }),
            // Without a link to mark, nobody could tell later how far the message is: only the end
            // is told then.
            None if progress.finished_at.is_none() => Err(Outcome::Ignored(Ignored::NotFinal)),
            None => Ok(Message::new(key, notice)),
        }
    }
}

fn is_fix(hearer: &Hearer) -> bool {
    hearer.interest == Interest::Fix
}
