//! What transactions need again and again, made once.

use std::cell::{Cell, RefCell};
use std::rc::Weak;

use js_sys::{Array, Function, Object};
use wasm_bindgen::prelude::*;

use crate::storage::{Area, Head};
use crate::web::global::{of_navigator, set_timeout};
use crate::web::listener::{Listener, listener};
use crate::web::property;

use super::patience::{TRANSACTION_TICK_MS, TRANSACTION_TICKS};
use super::record::bytes_to_js;
use super::transaction::Run;

thread_local! {
    static SUPPLIES: Cell<Option<&'static Supplies>> = const { Cell::new(None) };
}

/// Names and options as the browser takes them, because every text that crosses is made anew; and who listens.
pub struct Supplies {
    names: [JsValue; Area::ALL.len()],
    /// The key of the head.
    pub head_key: JsValue,
    /// Options of a transaction.
    pub relaxed: Object,
    /// Options of a transaction that is flushed.
    pub strict: Object,
    sending: Cell<Option<Sending>>,
    /// As many as transactions were ever under way at once.
    ears: RefCell<Vec<Ear>>,
    on_tick: Listener,
    is_ticking: Cell<bool>,
}

/// What listens to one transaction after the other. To make and to free a function that the browser can call takes
/// longer than what is done in it.
struct Ear {
    run: Weak<Run>,
    /// How often it was looked at the transaction.
    ticks: u32,
    listener: Listener,
}

/// When a transaction is told to commit, so that what it writes is there as a whole or not at all.
///
/// A write can fail when its transaction was told to commit already. The specification has the transaction abort
/// then, and so does Chromium: its storage counts the failures that it has reported, and aborts what it is to commit
/// before the page has dealt with all of them. WebKitGTK 2.50 aborts too; Firefox keeps the other writes. Told at once, a
/// transaction is spared a turn of the event loop and a round trip to the storage, a tenth of an append and more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// As soon as the last write was asked for, and it is known to be right.
    AtOnce,
    /// Only when the last write has succeeded, and with it all before. This is right in every browser.
    OnceWritten,
}

impl Supplies {
    /// What all transactions of this page or worker share.
    #[inline(never)]
    pub fn get() -> &'static Self {
        SUPPLIES.get().unwrap_or_else(|| {
            let supplies: &Self = Box::leak(Box::new(Self::new()));
            SUPPLIES.set(Some(supplies));
            supplies
        })
    }

    fn new() -> Self {
        Self {
            names: Area::ALL.map(|area| area.name().into()),
            head_key: bytes_to_js(Head::KEY.as_bytes()).into(),
            relaxed: options("relaxed"),
            strict: options("strict"),
            sending: Cell::default(),
            ears: RefCell::default(),
            on_tick: listener(Box::new(|_| Self::get().look())),
            is_ticking: Cell::default(),
        }
    }

    /// The name of an area.
    #[inline(never)]
    pub fn name(&self, area: Area) -> JsValue {
        self.names.get(area as usize).cloned().unwrap_or_default()
    }

    /// When transactions are told to commit. The browser is asked by the first that writes: opening has no use for it.
    pub fn sending(&self) -> Sending {
        let sending = self.sending.get().unwrap_or_else(Sending::of_browser);
        self.sending.set(Some(sending));
        sending
    }

    /// Gives what the browser is to call for a transaction, to which it listens until it is dropped.
    pub fn handler(&self, run: &Weak<Run>) -> Function {
        let mut ears = self.ears.borrow_mut();
        let place = ears.iter().position(|ear| ear.run.strong_count() == 0).unwrap_or(ears.len());
        if place == ears.len() {
            let hear = move |event: JsValue| Self::get().hear(place, &event);
            ears.push(Ear { run: Weak::new(), ticks: 0, listener: listener(Box::new(hear)) });
        }
        self.watch();
        let handler = ears.get_mut(place).map(|ear| {
            (ear.run, ear.ticks) = (Weak::clone(run), 0);
            ear.listener.as_ref().clone()
        });
        handler.unwrap_or_default().unchecked_into()
    }

    fn hear(&self, place: usize, event: &JsValue) {
        let run = self.ears.borrow().get(place).and_then(|ear| ear.run.upgrade());
        if let Some(run) = run {
            run.hear(event.unchecked_ref());
        }
    }

    /// Has it looked at the transactions after a while: a time-out for each would be set and cleared for nothing,
    /// again and again.
    fn watch(&self) {
        if !self.is_ticking.replace(true) {
            set_timeout(self.on_tick.as_ref(), TRANSACTION_TICK_MS);
        }
    }

    /// Gives up the transactions that take too long, and looks at the others again.
    fn look(&self) {
        self.is_ticking.set(false);
        for ear in self.ears.borrow_mut().iter_mut() {
            let Some(run) = ear.run.upgrade() else { continue };
            self.watch();
            ear.ticks += 1;
            if ear.ticks == TRANSACTION_TICKS {
                run.give_up();
            }
        }
    }
}

impl Sending {
    /// Chromium names itself to pages of a secure origin. What does not is not known.
    fn of_browser() -> Self {
        let data: Option<JsValue> = of_navigator("userAgentData");
        let brands: Option<Array> = data.and_then(|data| property::get_if_some(&data, "brands"));
        let brands = brands.unwrap_or_default();
        for index in 0..brands.length() {
            if property::text(&brands.get(index), "brand") == "Chromium" {
                return Self::AtOnce;
            }
        }
        Self::OnceWritten
    }
}

fn options(durability: &str) -> Object {
    let options = Object::new();
    property::set(&options, "durability", &durability.into());
    options
}
