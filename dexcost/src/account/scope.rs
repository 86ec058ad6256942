//! The stretch of code in which a task is current.
//!
//! A scope follows code, never the process: a future carries it to whichever thread polls it, a
//! guard holds it in synchronous code. Scopes nest; each is a link of a chain that is captured when
//! the scope is made, so a scope that moves to another thread brings its whole chain along.
//!
//! Entering costs a thread-local swap and no allocation.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;

use parking_lot::Mutex;
use pin_project_lite::pin_project;

use crate::account::cell::TaskCell;
use crate::account::context::Context;
use crate::account::tracked_task::TaskHandle;
use crate::error::Error;

/// A link of the chain of scopes.
#[derive(Debug)]
struct Link {
    id: u64,
    task: Option<Arc<TaskCell>>,
    context: Arc<Mutex<Option<Context>>>,
    claim: Option<Claim>,
    left: AtomicBool,
    parent: Option<Arc<Link>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Link>>> = const { RefCell::new(None) };
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Link {
    fn new(task: Option<Arc<TaskCell>>, context: Option<Context>, claim: Option<Claim>) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            task,
            context: Arc::new(Mutex::new(context)),
            claim,
            left: AtomicBool::new(false),
            parent: current(),
        })
    }
}

impl Drop for Link {
    /// One link after the other: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.parent.take();
        }
    }
}

fn current() -> Option<Arc<Link>> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

fn swap(link: Option<Arc<Link>>) -> Option<Arc<Link>> {
    CURRENT.try_with(|current| current.replace(link)).ok().flatten()
}

/// Looks for something along the chain, innermost first.
fn find<T>(mut look: impl FnMut(&Arc<Link>) -> Option<T>) -> Option<T> {
    CURRENT
        .try_with(|current| {
            let current = current.borrow();
            let mut next = current.as_ref();
            while let Some(link) = next {
                if !link.left.load(Ordering::Relaxed)
                    && let Some(found) = look(link)
                {
                    return Some(found);
                }
                next = link.parent.as_ref();
            }
            None
        })
        .ok()
        .flatten()
}

/// The current task of one tracker.
pub(super) fn current_task(tracker_id: u64) -> Option<Arc<TaskCell>> {
    find(|link| {
        link.task
            .as_ref()
            .filter(|task| task.tracker_id() == tracker_id)
            .cloned()
    })
}

/// The current task, whichever tracker it belongs to.
pub(crate) fn current_task_of_any_tracker() -> Option<TaskHandle> {
    find(|link| link.task.clone()).map(TaskHandle::from_cell)
}

/// Which scope is the innermost.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// 0 outside any scope.
    pub(super) id: u64,
    life: Option<Weak<Mutex<Option<Context>>>>,
}

impl Place {
    /// Whether no code can be in this scope any more.
    pub(super) fn is_gone(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.strong_count() == 0)
    }
}

pub(super) fn place() -> Place {
    let here = find(|link| {
        link.claim.is_none().then(|| Place {
            id: link.id,
            // What all links of one scope share lives as long as the scope does.
            life: Some(Arc::downgrade(&link.context)),
        })
    });
    here.unwrap_or_default()
}

pub(super) fn effective_context() -> Option<Context> {
    find(|link| link.context.lock().clone())
}

/// What the code at hand may inherit.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// The current task of the tracker.
    pub(super) parent: Option<Arc<TaskCell>>,
    /// The context of the innermost scope that has one.
    pub(super) context: Option<Context>,
    /// Whether the context was set within the parent task, and so beats it.
    pub(super) is_nearer: bool,
}

pub(super) fn surroundings(tracker_id: u64) -> Surroundings {
    let mut around = Surroundings::default();
    find(|link| {
        if around.context.is_none() {
            around.context.clone_from(&link.context.lock());
            around.is_nearer = around.context.is_some() && around.parent.is_none();
        }
        if around.parent.is_none() {
            let task = link.task.as_ref();
            around.parent = task.filter(|task| task.tracker_id() == tracker_id).cloned();
        }
        (around.parent.is_some() && around.context.is_some()).then_some(())
    });
    around
}

pub(super) fn set_context(context: Context) -> Result<(), Error> {
    let link = find(|link| link.claim.is_none().then(|| Arc::clone(link))).ok_or(Error::NoScope)?;
    if let Some(task) = &link.task {
        task.fill_attribution(&context.attribution());
    }
    let before = link.context.lock().replace(context);
    drop(before);
    Ok(())
}

/// A scope that can be carried to other code: another thread, another future.
///
/// ```
/// let scope = dexcost::Scope::current();
/// let inside = std::thread::spawn(move || scope.run(|| dexcost::current_task().is_some()));
/// assert!(!inside.join().unwrap());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing until code runs in it"]
pub struct Scope(Option<Arc<Link>>);

impl Scope {
    /// The scope of the code that calls this.
    pub fn current() -> Self {
        Self(current())
    }

    /// A scope within the present one in which `task` is current.
    pub fn with_task(task: &TaskHandle) -> Self {
        Self(Some(Link::new(Some(Arc::clone(task.cell())), None, None)))
    }

    /// A scope within the present one with a context of its own.
    pub fn with_context(context: Context) -> Self {
        Self(Some(Link::new(None, Some(context), None)))
    }

    /// A scope within the present one in which an outbound call is claimed; see [`Claim`].
    pub fn with_claim(claim: Claim) -> Self {
        Self(Some(Link::new(None, None, Some(claim))))
    }

    /// Runs a closure in the scope.
    pub fn run<T>(&self, closure: impl FnOnce() -> T) -> T {
        let _restore = Restore(swap(self.0.clone()));
        closure()
    }

    /// A future that runs in the scope, whichever thread polls it.
    pub fn attach<F>(self, future: F) -> InScope<F> {
        InScope {
            future: Some(future),
            scope: self,
        }
    }

    /// Enters the scope until the guard is dropped, for synchronous code.
    ///
    /// In asynchronous code a guard would leak to whatever the thread polls next; use
    /// [`attach`](Self::attach) there.
    pub fn enter(self) -> ScopeGuard {
        let link = match self.0 {
            Some(link) => Link::rejoined(&link),
            None => {
                return ScopeGuard {
                    link: None,
                    before: swap(None),
                    _not_send: std::marker::PhantomData,
                };
            }
        };
        let before = swap(Some(Arc::clone(&link)));
        ScopeGuard {
            link: Some(link),
            before,
            _not_send: std::marker::PhantomData,
        }
    }
}

impl Link {
    /// The same scope as a link of its own, for a guard: leaving it does not end other uses.
    fn rejoined(link: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            id: link.id,
            task: link.task.clone(),
            context: Arc::clone(&link.context),
            claim: link.claim.clone(),
            left: AtomicBool::new(false),
            parent: link.parent.clone(),
        })
    }
}

struct Restore(Option<Arc<Link>>);

impl Drop for Restore {
    fn drop(&mut self) {
        drop(swap(self.0.take()));
    }
}

/// Keeps a scope entered until it is dropped.
#[derive(Debug)]
#[must_use = "the scope is left when the guard is dropped"]
pub struct ScopeGuard {
    link: Option<Arc<Link>>,
    before: Option<Arc<Link>>,
    _not_send: std::marker::PhantomData<*const ()>,
}

impl Drop for ScopeGuard {
    /// Leaves the scope. Guards that are dropped out of order leave the right ones entered.
    fn drop(&mut self) {
        let Some(link) = self.link.take() else {
            drop(swap(self.before.take()));
            return;
        };
        link.left.store(true, Ordering::Relaxed);
        if current().is_some_and(|current| Arc::ptr_eq(&current, &link)) {
            let mut back = self.before.take();
            while let Some(left) = back.clone().filter(|link| link.left.load(Ordering::Relaxed)) {
                back.clone_from(&left.parent);
            }
            drop(swap(back));
        }
    }
}

pin_project! {
    /// A future that runs in a [`Scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InScope<F> {
        #[pin]
        future: Option<F>,
        scope: Scope,
    }

    impl<F> PinnedDrop for InScope<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _restore = Restore(swap(this.scope.0.clone()));
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _restore = Restore(swap(this.scope.0.clone()));
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}

/// Puts futures into the scope of a task.
pub trait TaskFutureExt: Future + Sized {
    /// This future with `task` as its current task.
    fn in_task(self, task: &TaskHandle) -> InScope<Self> {
        Scope::with_task(task).attach(self)
    }

    /// This future in the scope that calls this; needed across spawns.
    ///
    /// ```
    /// use dexcost::TaskFutureExt;
    ///
    /// let work = async { dexcost::current_task().is_some() }.in_current_task();
    /// // tokio::spawn(work)
    /// # drop(work);
    /// ```
    fn in_current_task(self) -> InScope<Self> {
        Scope::current().attach(self)
    }
}

impl<F: Future> TaskFutureExt for F {}

/// One outbound call, so that instrumentation inside instrumentation counts it once.
///
/// An adapter opens a claim, runs whatever is inside it within [`Scope::with_claim`], and records
/// only if nobody inside took it: the innermost adapter counts.
///
/// Within a call other calls may be made: a middleware fetches a token, a guard asks another model. An
/// adapter that sees requests therefore opens its claim [for one](Self::for_request) and takes
/// [by one](Self::take_enclosing_for), and each of those calls counts beside the one around it.
///
/// ```
/// use dexcost::capture::RequestFacts;
/// use dexcost::{Claim, Scope};
///
/// let identity = |url| RequestFacts::to_url("POST", url, &()).identity();
/// let chat = identity("https://api.openai.com/v1/chat/completions");
/// let claim = Claim::for_request(chat);
/// Scope::with_claim(claim.clone()).run(|| {
///     Claim::take_enclosing_for(identity("https://login.example/token"));
///     assert!(!claim.is_taken());
///     Claim::take_enclosing_for(identity("https://gateway.example/v1/chat/completions"));
///     assert!(claim.is_taken());
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Claim {
    is_taken: Arc<AtomicBool>,
    /// Which request it is for, where its adapter saw one.
    request: Option<u64>,
}

impl Claim {
    /// A claim that nobody has taken, for whatever call is made inside.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A claim that nobody has taken, for the request of this
    /// [identity](crate::capture::RequestFacts::identity).
    #[must_use]
    pub fn for_request(identity: u64) -> Self {
        Self {
            is_taken: Arc::default(),
            request: Some(identity),
        }
    }

    /// Takes every claim around the code that calls this, whatever request it is for.
    ///
    /// It is for an adapter that does not see requests. One that does uses
    /// [`take_enclosing_for`](Self::take_enclosing_for): this would also take the claim of a call within
    /// which its own is only made on the way.
    pub fn take_enclosing() {
        take_enclosing(|_| true);
    }

    /// Takes the claims around the code that calls this which are for the request of this identity, and
    /// those that are for no request in particular.
    pub fn take_enclosing_for(identity: u64) {
        take_enclosing(|claim| claim.request.is_none_or(|request| request == identity));
    }

    /// Takes this claim.
    pub fn take(&self) {
        self.is_taken.store(true, Ordering::Release);
    }

    /// Whether somebody inside took it.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Acquire)
    }
}

fn take_enclosing(is_mine: impl Fn(&Claim) -> bool) {
    find(|link| {
        if let Some(claim) = link.claim.as_ref().filter(|claim| is_mine(claim)) {
            claim.take();
        }
        None::<()>
    });
}
