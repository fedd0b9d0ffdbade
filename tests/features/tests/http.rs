//! hyper serves and asks on this runtime.

#[path = "../../common/mod.rs"]
mod common;

use common::{Count, FLAVOURS, on_each, within};
use gristmill::hyper::{HyperExecutor, HyperIo, HyperTimer};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::sync::Notify;
use gristmill::task::JoinSet;
use gristmill::time::{Duration, Instant, sleep};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, client, server};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

type Answer = Result<Response<Full<Bytes>>, Infallible>;

/// Accepts for good, and answers each request by `answer`.
async fn serve<F>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let connection = server::conn::http1::Builder::new()
            .timer(HyperTimer::new())
            .serve_connection(HyperIo::new(stream), service_fn(answer.clone()));
        drop(gristmill::spawn(connection));
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

async fn client_of(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (requests, connection) = client::conn::http1::handshake(HyperIo::new(stream))
        .await
        .expect("a handshake");
    drop(gristmill::spawn(connection));
    requests
}

fn request(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "localhost")
        .body(Full::new(body.into()))
        .expect("a request")
}

async fn body_of(response: Response<Incoming>) -> Bytes {
    let body = response.into_body().collect().await;
    body.expect("a body").to_bytes()
}

/// Gives path and body back.
async fn echo(request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let body = body_of(Response::new(request.into_body())).await;
    let response = Response::builder().header("path", path);
    Ok(response.body(Full::new(body)).expect("a response"))
}

#[test]
fn a_get_is_answered() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (listener, address) = listener().await;
            let server = gristmill::spawn(serve(listener, |request| async move {
                Ok(Response::new(Full::from(request.uri().path().to_owned())))
            }));
            let stream = TcpStream::connect(address).await.expect("a connection");
            let (mut requests, connection) = client::conn::http1::handshake(HyperIo::new(stream))
                .await
                .expect("a handshake");
            let connection = gristmill::spawn(connection);
            let get = Request::get("/page").body(Empty::<Bytes>::new());
            let response = requests
                .send_request(get.expect("a request"))
                .await
                .expect("a response");
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(body_of(response).await, "/page");
            drop(requests);
            connection.await.expect("no panic").expect("a clean end");
            server.abort();
        });
    });
}

#[test]
fn one_connection_is_kept_for_many_requests_with_bodies_of_every_size() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (listener, address) = listener().await;
            let server = gristmill::spawn(serve(listener, echo));
            let mut requests = client_of(address).await;
            for (number, size) in [0, 1, 100, 8192, 65_536, 70_000, 1_000_000]
                .iter()
                .enumerate()
            {
                let sent = vec![number as u8; *size];
                let path = format!("/{number}");
                requests.ready().await.expect("kept alive");
                let response = requests
                    .send_request(request(&path, sent.clone()))
                    .await
                    .expect("a response");
                assert_eq!(response.headers()["path"], path);
                assert!(body_of(response).await == sent);
            }
            server.abort();
        });
    });
}

/// How many connections the limit on descriptors leaves room for, two of them each, once it is raised as far as needed.
fn room_for_connections(wanted: usize) -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    const OTHERS: u64 = 200;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("readable");
    let needed = 2 * wanted as u64 + OTHERS;
    let limit = soft.max(needed.min(hard));
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("up to the hard limit");
    wanted.min(((limit - OTHERS) / 2) as usize)
}

#[test]
fn a_thousand_connections_are_served_at_once() {
    const WANTED: usize = 1000;
    let count = room_for_connections(WANTED);
    // A thousand, wherever the hard limit on descriptors is that of any usual system.
    assert!(
        count >= 400,
        "the hard limit leaves room for {count} connections only"
    );
    eprintln!("{count} connections at once");
    for flavour in FLAVOURS {
        within(format!("{flavour:?}"), move || {
            let runtime = flavour.runtime();
            runtime.block_on(all_at_once(count));
        });
    }
}

/// No request is answered before all have come, each on its connection.
async fn all_at_once(count: usize) {
    let (listener, address) = listener().await;
    let (here, all_here) = (Count::default(), Arc::new(Notify::new()));
    let arrived = here.clone();
    let server = gristmill::spawn(serve(listener, move |request| {
        let (here, all_here) = (arrived.clone(), Arc::clone(&all_here));
        async move {
            let opened = all_here.notified();
            here.add();
            if here.get() >= count {
                all_here.notify_waiters();
            } else {
                opened.await;
            }
            echo(request).await
        }
    }));
    let mut clients = JoinSet::new();
    for number in 0..count {
        clients.spawn(async move {
            let mut requests = client_of(address).await;
            let path = format!("/{number}");
            for round in ["first", "second"] {
                requests.ready().await.expect("kept alive");
                let sent = request(&path, format!("{round} {number}"));
                let response = requests.send_request(sent).await.expect("a response");
                assert_eq!(response.headers()["path"], path);
                assert_eq!(body_of(response).await, format!("{round} {number}"));
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("no panic");
    }
    assert_eq!(here.get(), 2 * count);
    server.abort();
}

#[test]
fn a_graceful_shutdown_answers_the_request_at_hand_and_closes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (listener, address) = listener().await;
            let (came, at_hand) = async_channel::bounded::<()>(1);
            let (go_on, may_answer) = async_channel::bounded::<()>(1);
            let server = gristmill::spawn(async move {
                let (stream, _) = listener.accept().await.expect("a connection");
                let answer = service_fn(move |request| {
                    let (came, may_answer) = (came.clone(), may_answer.clone());
                    async move {
                        came.send(()).await.expect("awaited");
                        may_answer.recv().await.expect("sent");
                        echo(request).await
                    }
                });
                let connection = server::conn::http1::Builder::new()
                    .serve_connection(HyperIo::new(stream), answer);
                let mut connection = pin!(connection);
                let asked = futures_lite::future::or(
                    async {
                        at_hand.recv().await.expect("sent");
                        true
                    },
                    async {
                        let _ = connection.as_mut().await;
                        false
                    },
                );
                assert!(asked.await, "the connection ended before its request");
                connection.as_mut().graceful_shutdown();
                go_on.send(()).await.expect("awaited");
                connection.await
            });
            let mut requests = client_of(address).await;
            let response = requests
                .send_request(request("/last", "words"))
                .await
                .expect("a response");
            assert_eq!(response.headers()["connection"], "close");
            assert_eq!(body_of(response).await, "words");
            server.await.expect("no panic").expect("a clean end");
            assert!(requests.ready().await.is_err());
        });
    });
}

#[test]
fn hypers_timeouts_run_on_this_runtimes_clock() {
    within("a paused clock", || {
        let runtime = gristmill::runtime::Builder::new_current_thread()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (listener, address) = listener().await;
            let start = Instant::now();
            let silent = TcpStream::connect(address).await.expect("a connection");
            let (stream, _) = listener.accept().await.expect("a connection");
            let served = server::conn::http1::Builder::new()
                .timer(HyperTimer::new())
                .header_read_timeout(Duration::from_secs(3600))
                .serve_connection(HyperIo::new(stream), service_fn(echo))
                .await;
            assert!(served.expect_err("no header came").is_timeout());
            let waited = start.elapsed();
            assert!(waited >= Duration::from_secs(3600), "{waited:?}");
            drop(silent);
        });
    });
}

#[test]
fn the_timer_sleeps_and_moves_its_deadline() {
    use hyper::rt::Timer;
    within("a paused clock", || {
        let runtime = gristmill::runtime::Builder::new_current_thread()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let timer = HyperTimer::new();
            let start = timer.now();
            timer.sleep(Duration::from_secs(1)).await;
            assert_eq!(timer.now() - start, Duration::from_secs(1));
            let mut sleep = timer.sleep_until(start + Duration::from_secs(2));
            timer.reset(&mut sleep, start + Duration::from_secs(5));
            sleep.await;
            assert_eq!(timer.now() - start, Duration::from_secs(5));
        });
    });
}

#[test]
fn http_2_runs_on_the_executor() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (listener, address) = listener().await;
            let server = gristmill::spawn(async move {
                let (stream, _) = listener.accept().await.expect("a connection");
                server::conn::http2::Builder::new(HyperExecutor::new())
                    .timer(HyperTimer::new())
                    .serve_connection(HyperIo::new(stream), service_fn(echo))
                    .await
            });
            let stream = TcpStream::connect(address).await.expect("a connection");
            let (requests, connection) =
                client::conn::http2::handshake(HyperExecutor::new(), HyperIo::new_joining(stream))
                    .await
                    .expect("a handshake");
            let connection = gristmill::spawn(connection);
            let mut streams = JoinSet::new();
            for number in 0..50 {
                let mut requests = requests.clone();
                streams.spawn(async move {
                    // Streams of one connection overtake each other.
                    sleep(Duration::from_micros(number % 7 * 100)).await;
                    let sent = vec![number as u8; 10_000];
                    let request = Request::post("http://localhost/")
                        .body(Full::new(Bytes::from(sent.clone())))
                        .expect("a request");
                    let response = requests.send_request(request).await.expect("a response");
                    assert!(body_of(response).await == sent);
                });
            }
            while let Some(stream) = streams.join_next().await {
                stream.expect("no panic");
            }
            drop(requests);
            connection.await.expect("no panic").expect("a clean end");
            server.await.expect("no panic").expect("a clean end");
        });
    });
}
