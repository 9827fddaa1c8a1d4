//! After the handshake: sessions, tickets, bodies and their ends.

use super::*;

#[tokio::test]
async fn a_later_connection_resumes_a_session_of_its_own_dialer_only() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (address, mut seen) = serve(versions_config(&certificate, None, &[], &[version]), answering).await;
        let transport = transport(Wire::Http1, Trust::Anyone, None);
        for _ in 0..2 {
            let dialer = dialer("a.test", address, &transport);
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
                let mut conn = connection(&dialer).await;
                assert_eq!(get(&mut conn).await.outcome, Outcome::http(200));
                assert_eq!(seen.recv().await.unwrap().unwrap().1, kind, "{version:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_keeps_no_sessions_gets_full_handshakes() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    let mut config = server_config(&certificate, None, &[]);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    let (address, mut seen) = serve(config, answering).await;
    let dialer = dialer("a.test", address, &transport(Wire::Http1, Trust::Anyone, None));
    for _ in 0..2 {
        assert_eq!(get(&mut connection(&dialer).await).await.outcome, Outcome::http(200));
        assert_eq!(seen.recv().await.unwrap().unwrap().1, HandshakeKind::Full);
    }
}

#[tokio::test]
async fn tickets_do_not_spoil_an_idle_connection_and_its_end_does() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    // Greets with tickets, and goes with its farewell after the first answer.
    let (address, _) = serve(server_config(&certificate, None, &[]), |mut stream| async move {
        if request(&mut stream).await {
            let _ = stream.write_all(OK).await;
        }
        let _ = stream.shutdown().await;
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let dialer = dialer("a.test", address, &transport(Wire::Http1, Trust::Anyone, None));
    let mut stream = dialer.connect(SOON, &Coarse::new()).await.result.unwrap();
    while !stream.has_news() {
        tokio::task::yield_now().await;
    }
    assert!(!stream.is_spoiled(), "a ticket is nothing that we asked for, and no answer");

    let mut conn = connection(&dialer).await;
    let reply = get(&mut conn).await;
    assert_eq!((reply.outcome, reply.after), (Outcome::http(200), After::Keep));
    let next = loop {
        // The farewell may take a moment to arrive.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        if conn.has_news() {
            break get(&mut conn).await;
        }
    };
    assert_eq!(
        (next.written, next.unprocessed, next.after),
        (None, true, After::Close),
        "seen before anything went out"
    );
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_a_farewell_and_is_truncated_without() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nabc";
    let (polite, _) = serve(server_config(&certificate, None, &[]), |mut stream| async move {
        let _ = (request(&mut stream).await, stream.write_all(ENDLESS).await, stream.shutdown().await);
    })
    .await;
    let (rude, _) = serve(server_config(&certificate, None, &[]), |mut stream| async move {
        let _ = (request(&mut stream).await, stream.write_all(ENDLESS).await, stream.flush().await);
        let _ = stream.get_mut().0.shutdown().await;
    })
    .await;
    let anyone = transport(Wire::Http1, Trust::Anyone, None);
    for (address, outcome) in [(polite, Outcome::http(200)), (rude, Outcome::http(200).with(Fault::Truncated))] {
        let reply = get(&mut connection(&dialer("a.test", address, &anyone)).await).await;
        assert_eq!((reply.outcome, reply.bytes, reply.after), (outcome, 3, After::Close));
    }
}

#[tokio::test]
async fn a_large_body_arrives_whole_before_the_answer_is_asked_for() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    const LENGTH: usize = 3 << 20;
    let (address, _) = serve(server_config(&certificate, None, &[]), |mut stream| async move {
        let mut bytes = Vec::new();
        let body = loop {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(body) = head.map(|end| &bytes[end + 4..]).filter(|body| body.len() == LENGTH) {
                break body;
            }
        };
        if body.iter().all(|byte| *byte == 7) {
            let _ = stream.write_all(OK).await;
        }
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let dialer = dialer("a.test", address, &transport(Wire::Http1, Trust::Anyone, None));
    let reply = exchange(&mut connection(&dialer).await, "PUT", &vec![7; LENGTH]).await;
    assert_eq!((reply.outcome, reply.after), (Outcome::http(200), After::Keep));
}
