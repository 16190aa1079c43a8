//! Who hears of an event and in which words: the rules, the words and the pipelines that are told of
//! as they move, put together. Owns the order in which they are asked. How each decides is told in
//! [`routes`](crate::routes), [`words`](crate::words) and [`live`].

use crate::courier::Message;
use crate::gitlab::circumstances::{Circumstances, Progress};
use crate::gitlab::delivery_id::DeliveryId;
use crate::gitlab::event::{Event, ParseError};
use crate::live;
use crate::notice::{self, Allowance, Ignored, Notice};
use crate::outcome::{Failure, Outcome};
use crate::routes::{Routes, Target};
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
    ) -> Result<(Vec<Target>, Notice), Ignored> {
        let targets = self.routes.decide(circumstances)?;
        let notice = notice::compose_for(event, EVERYTHING)?;
        let notice = self.words.retell(notice, circumstances);
        Ok((targets, notice.ok_or(Ignored::NoWords)?))
    }

    /// The message under its name: that of the delivery, or that of the pipeline where all
    /// deliveries about it make one message.
    pub fn message(
        &self,
        delivery_id: Option<DeliveryId>,
        notice: Notice,
        progress: Option<Progress>,
    ) -> Result<Message, Outcome> {
        let key = delivery_id.ok_or(Outcome::Failed(Failure::MissingKey))?;
        let Some(progress) = progress.filter(|_| self.live_pipelines) else {
            let progress = None;
            return Ok(Message {
                key,
                notice,
                progress,
            });
        };
        match live::mark(&notice.text, &progress) {
            Some(text) => Ok(Message {
                key: live::key(&progress),
                notice: Notice { text, ..notice },
                progress: Some(progress),
            }),
            // Without a link to mark, nobody could tell later how far the message is: only the end
            // is told then.
            None if progress.finished_at.is_none() => Err(Outcome::Ignored(Ignored::NotFinal)),
            None => Ok(Message {
                key,
                notice,
                progress: None,
            }),
        }
    }
}
