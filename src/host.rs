//! The class that `lib/` talks to. Every method is cheap and returns at once; what takes time ends in an event.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Event, Input, Payload};
use distribus_net::{Bind, HostHandle};
use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{JsString, JsValue};
use napi_derive::napi;
use parking_lot::Mutex;
use serde_json::json;

use crate::delivery::Batch;
#[cfg(unix)]
use crate::event_loop::{self, Callback};
use crate::ops::Beside;
use crate::{error, ops, options, stats, text};

/// How much is handed to JavaScript at a time: about this many bytes of messages.
const BATCH_BYTES: usize = 256 * 1024;

/// Rings in JavaScript. Weak: it does not keep the process alive.
type Doorbell = ThreadsafeFunction<(), (), (), Status, false, true, 0>;

#[napi]
pub struct NativeHost {
    handle: HostHandle,
    /// Also held by the handle; taken out on shutdown, so that nothing rings in an environment that has gone.
    doorbell: Arc<Mutex<Option<Doorbell>>>,
    #[cfg(unix)]
    callback: Option<Arc<Callback>>,
    next_seq: Cell<u64>,
    events: RefCell<Vec<Event>>,
    batch: RefCell<Batch>,
    batch_is_out: Cell<bool>,
}

#[napi]
impl NativeHost {
    /// `wake` is called when events begin to wait. `uv` wants sockets to be read on the thread of JavaScript, where that can be.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, options: String, wake: Function<(), ()>, uv: bool) -> Result<Self> {
        let doorbell = wake
            .build_threadsafe_function::<()>()
            .callee_handled::<false>()
            .weak::<true>()
            .build()?;
        let doorbell = Arc::new(Mutex::new(Some(doorbell)));
        let rings = Arc::clone(&doorbell);
        let ring = move || {
            if let Some(doorbell) = rings.lock().as_ref() {
                doorbell.call((), ThreadsafeFunctionCallMode::NonBlocking);
            }
        };
        let (config, limits) = options::read(&options);
        #[cfg(unix)]
        let (handle, callback) = match uv.then(|| event_loop::of(env)).flatten() {
            Some(event_loop) => {
                let callback = Callback::new(env, &wake)?;
                let host_loop = callback.enter(&event_loop);
                let read_loop = Arc::new(host_loop.clone());
                let wake = move || {
                    if !host_loop.wake() {
                        ring();
                    }
                };
                let handle = HostHandle::new(config, wake, Some(read_loop));
                (handle, Some(callback))
            }
            None => (HostHandle::new(config, ring, None), None),
        };
        #[cfg(not(unix))]
        let handle = {
            let _ = (env, uv);
            HostHandle::new(config, ring, None)
        };
        handle.set_limits(limits);
        Ok(NativeHost {
            handle,
            doorbell,
            #[cfg(unix)]
            callback,
            next_seq: Cell::new(0),
            events: RefCell::default(),
            batch: RefCell::default(),
            batch_is_out: Cell::new(false),
        })
    }

    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> String {
        self.handle.id().to_owned()
    }

    /// How many frames this host has sent in all.
    #[napi(getter, catch_unwind)]
    pub fn frames_sent(&self) -> f64 {
        self.handle.frames_sent() as f64
    }

    /// Says that the batch that the last call gave has been applied, with the replies to it; hands over what the program
    /// collected meanwhile; gives the next batch.
    #[napi(catch_unwind)]
    pub fn exchange<'env>(
        &self,
        env: &'env Env,
        replies: Option<String>,
        collected: Option<Unknown<'env>>,
        beside: Option<Unknown<'env>>,
    ) -> Result<Option<JsString<'env>>> {
        let mut batch = self.batch.borrow_mut();
        let mut inputs = Vec::new();
        if self.batch_is_out.replace(false) {
            inputs.push(batch.applied(replies.as_deref()));
        }
        if let Some(collected) = collected {
            inputs.extend(self.read(env, &collected, beside.as_ref())?);
        }
        if !inputs.is_empty() {
            self.handle.input(inputs);
        }
        let mut events = self.events.borrow_mut();
        events.clear();
        let upto = self.handle.take(BATCH_BYTES, &mut events);
        if events.is_empty() {
            return Ok(None);
        }
        self.batch_is_out.set(true);
        text::write(env, batch.write(&events, upto)).map(Some)
    }

    /// The values that belong to the batch that the last call gave, beside its text.
    #[napi(catch_unwind)]
    pub fn beside<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let mut values = Vec::new();
        for payload in self.batch.borrow_mut().beside() {
            match payload {
                Payload::Text(items) => {
                    for item in items {
                        values.push(text::write(env, &item)?.raw());
                    }
                }
                Payload::Binary { items, .. } => {
                    for item in items {
                        values.push(text::write_bytes(env.raw(), &item)?);
                    }
                }
                Payload::Json { .. } | Payload::Undefined { .. } => {}
            }
        }
        let array = text::array(env.raw(), &values)?;
        // SAFETY: it is a value of this environment, made just now.
        unsafe { Unknown::from_napi_value(env.raw(), array) }
    }

    /// The program is not through with the batch, but with that many of its questions, which is worth an acknowledgement.
    #[napi(catch_unwind)]
    pub fn progress(&self, questions: u32, replies: Option<String>) {
        let input = self
            .batch
            .borrow()
            .applied_part(questions, replies.as_deref());
        self.handle.input(input);
    }

    /// The batch was not valid JSON, because a stranger's messages are none: gives it again without those.
    #[napi(catch_unwind)]
    pub fn purge<'env>(&self, env: &'env Env) -> Result<JsString<'env>> {
        let mut batch = self.batch.borrow_mut();
        let mut events = self.events.borrow_mut();
        let upto = batch.upto();
        let first = upto - events.len() as u64;
        let mut inputs = Vec::new();
        for (event, number) in events.iter_mut().zip(first..) {
            if let Some(payload) = event.payload_mut()
                && !payload.is_valid()
            {
                *payload = Payload::Undefined { count: 0 };
                inputs.push(Input::Invalid { event: number });
            }
        }
        self.handle.input(inputs);
        text::write(env, batch.write(&events, upto))
    }

    /// Hands over what the program collected. `more`: this turn goes on, and more is likely to come. Gives whether so much waits for a
    /// host that it would be better to publish no more for now.
    #[napi(catch_unwind)]
    pub fn flush<'env>(
        &self,
        env: &'env Env,
        collected: Unknown<'env>,
        beside: Option<Unknown<'env>>,
        more: bool,
    ) -> Result<bool> {
        let inputs = self.read(env, &collected, beside.as_ref())?;
        if more {
            self.handle.input_more(inputs);
        } else {
            self.handle.input(inputs);
        }
        Ok(self.handle.is_pressed())
    }

    /// Whether it would be better to publish no more for now.
    #[napi(catch_unwind)]
    pub fn is_pressed(&self) -> bool {
        self.handle.is_pressed()
    }

    /// Whether a lost host is just being dialled.
    #[napi(catch_unwind)]
    pub fn is_seeking(&self) -> bool {
        self.handle.is_seeking()
    }

    /// Whether a send to that peer would fail now because too much is in flight.
    #[napi(catch_unwind)]
    pub fn refuses(&self, to: Option<String>) -> bool {
        self.handle.refuses(&to.map(ByteString::from))
    }

    /// Counters, as JSON.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> String {
        stats::write(&self.handle.stats())
    }

    /// Takes nobody in any more. The call ends when nothing is in flight.
    #[napi(catch_unwind)]
    pub fn drain(&self, call: u32) {
        self.handle.stop_accepting();
        self.input(Input::Drain { call: call.into() });
    }

    fn read(&self, env: &Env, collected: &Unknown, beside: Option<&Unknown>) -> Result<Vec<Input>> {
        let text = text::read(env.raw(), collected.raw())?;
        let mut beside = Beside::new(env.raw(), beside.map(JsValue::raw));
        let mut seq = self.next_seq.get();
        let inputs = ops::read(&text, &mut beside, &mut seq);
        self.next_seq.set(seq);
        Ok(inputs)
    }

    /// Listens at once. Gives `{"port"}` or `{"error"}` as JSON.
    #[napi(catch_unwind)]
    pub fn listen(&self, addresses: Vec<String>, required: u32, port: u16) -> String {
        let addresses = addresses.iter().zip(0..).filter_map(|(text, n)| {
            let address: IpAddr = text.parse().ok()?;
            Some(Bind {
                address,
                required: n < required,
            })
        });
        match self.handle.listen(&addresses.collect::<Vec<_>>(), port) {
            Ok(port) => json!({ "port": port }),
            Err(error) => json!({ "error": error::facts(&error) }),
        }
        .to_string()
    }

    #[napi(catch_unwind)]
    pub fn close_server(&self) {
        self.handle.close_server();
    }

    fn input(&self, input: Input) {
        self.handle.input([input]);
    }

    #[napi(catch_unwind)]
    pub fn join(&self, call: u32, url: String) {
        self.input(Input::Join {
            call: call.into(),
            url: url.into(),
        });
    }

    /// That url is dialled with this value of the header `Authorization` from now on, or without.
    #[napi(catch_unwind)]
    pub fn authorize(&self, url: String, authorization: Option<String>) {
        self.handle.authorize(&url, authorization.as_deref());
    }

    /// Forgets that value for that url, unless there is a newer one.
    #[napi(catch_unwind)]
    pub fn forget_authorization(&self, url: String, authorization: String) {
        self.handle.forget_authorization(&url, &authorization);
    }

    /// Goes on trying to join a url that could not be joined.
    #[napi(catch_unwind)]
    pub fn retry(&self, url: String) {
        self.input(Input::Retry { url: url.into() });
    }

    #[napi(catch_unwind)]
    pub fn find(&self, call: u32, id: Option<String>) {
        self.input(Input::Find {
            call: call.into(),
            id: id.map(ByteString::from),
        });
    }

    #[napi(catch_unwind)]
    pub fn ready(&self, call: u32) {
        self.input(Input::Ready { call: call.into() });
    }

    #[napi(catch_unwind)]
    pub fn close(&self, call: u32, within: Option<f64>) {
        let call = call.into();
        let within = within.map(|ms| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default());
        self.input(match within {
            Some(within) => Input::CloseWithin { call, within },
            None => Input::Close { call },
        });
    }

    #[napi(catch_unwind)]
    pub fn disconnect(&self, key: String) {
        self.input(Input::Disconnect { key: key.into() });
    }

    #[napi(catch_unwind)]
    pub fn cancel_timer(&self, key: String) {
        self.input(Input::CancelTimer { key: key.into() });
    }

    #[napi(catch_unwind)]
    pub fn set_url(&self, url: Option<String>) {
        self.input(Input::SetUrl(url.map(ByteString::from)));
    }

    #[napi(catch_unwind)]
    pub fn set_network_id(&self, json: Option<String>) {
        self.input(Input::SetNetworkId(json.map(ByteString::from)));
    }

    #[napi(catch_unwind)]
    pub fn configure(&self, options: String) {
        let (config, limits) = options::read(&options);
        self.handle.set_limits(limits);
        self.input(Input::Configure(config));
    }

    /// Writes what can be written without waiting: the process is about to exit.
    #[napi(catch_unwind)]
    pub fn write_now(&self) {
        self.handle.write_now();
    }

    /// Ends everything at once. All later calls do nothing.
    #[napi(catch_unwind)]
    pub fn shutdown(&self) {
        self.handle.shutdown();
        self.doorbell.lock().take();
        #[cfg(unix)]
        if let Some(callback) = &self.callback {
            callback.release();
        }
    }
}

impl Drop for NativeHost {
    fn drop(&mut self) {
        self.shutdown();
    }
}
