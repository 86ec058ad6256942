//! The stretch of code in which a task is current.
//!
//! A scope follows code, never the process: a future carries it to whichever thread polls it, a
//! guard holds it in synchronous code. Scopes nest; each is a link of a chain that is captured when
//! the scope is made, so a scope that moves to another thread brings its whole chain along.
//!
//! Entering costs a thread-local swap and no allocation.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// Identifies the innermost scope; 0 outside any.
pub(super) fn scope_id() -> u64 {
    find(|link| link.claim.is_none().then_some(link.id)).unwrap_or(0)
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
/// only if nobody inside [took](Self::take_enclosing) it: the innermost adapter counts.
#[derive(Clone, Debug, Default)]
pub struct Claim(Arc<AtomicBool>);

impl Claim {
    /// A claim that nobody has taken.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes every claim around the code that calls this.
    pub fn take_enclosing() {
        find(|link| {
            if let Some(claim) = &link.claim {
                claim.take();
            }
            None::<()>
        });
    }

    /// Takes this claim.
    pub fn take(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody inside took it.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
