//! What a connection may have: streams, calls, windows, patience.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn streams_beyond_the_most_allowed_are_refused_and_counted() {
    let practice = start(&[("max-streams", "1"), ("hang-all", "")]);
    tokio::task::block_in_place(|| {
        let mut raw = Raw::new(&practice);
        let (_, _, settings) = raw.frame_of(4);
        assert!(settings.windows(6).any(|entry| entry == [0, 3, 0, 0, 0, 1]), "{settings:?}");
        // The limit holds once it is acknowledged.
        raw.0.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0]).unwrap();
        raw.get(1);
        raw.get(3);
        let (_, stream, code) = raw.frame_of(3);
        assert_eq!((stream, &code[..]), (3, &[0, 0, 0, 7][..]));
        let truth = truth_when(&practice, |truth| truth.refused_streams == 1 && truth.received > 0);
        assert_eq!(truth.received, 1);
    });
    let mut client = Client::new(&practice).await;
    client.get("/__truth").await;
    assert_eq!(client.sender.current_max_send_streams(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn goaway_names_the_last_request_and_refuses_what_comes_after_it() {
    let practice = start(&[("goaway", "2"), ("latency", "20ms")]);
    tokio::task::block_in_place(|| {
        let mut raw = Raw::new(&practice);
        for stream in [1, 3, 5, 7] {
            raw.get(stream);
        }
        let (_, stream, payload) = raw.frame_of(7);
        assert_eq!((stream, &payload[..]), (0, &[0, 0, 0, 3, 0, 0, 0, 0][..]));
        let mut refused = [raw.frame_of(3), raw.frame_of(3)];
        refused.sort_unstable();
        assert_eq!(refused.map(|(_, stream, code)| (stream, code)), [5, 7].map(|at| (at, vec![0, 0, 0, 7])));
        assert_eq!([raw.frame_of(1).1, raw.frame_of(1).1], [1, 3]);
        while raw.frame().is_some() {}
    });
    let truth = seen(&practice, |truth| truth.connections.open == 0).await;
    assert_eq!((accounts(&truth), truth.refused_streams), ([2, 2, 2, 0, 0, 0, 0], 2));

    let mut client = Client::new(&practice).await;
    client.get("/").await;
    client.get("/").await;
    timeout(PATIENCE, client.connection).await.unwrap().unwrap().expect("the connection ends without an error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_that_has_served_enough_ends_with_notice_and_without_loss() {
    for (settings, served) in
        [([("keep-alive-max", "3"), ("seed", "1")], 3), ([("connection-close", ""), ("latency", "1ms")], 1)]
    {
        let practice = start(&settings);
        let mut client = Client::new(&practice).await;
        let answers: Vec<_> = (0..served).map(|_| client.send("GET", "/", "text/plain", None)).collect();
        for response in answers {
            assert_eq!(answer(response).await.status, Some(200));
        }
        timeout(PATIENCE, client.connection).await.unwrap().unwrap().expect("the connection ends without an error");
        let truth = seen(&practice, |truth| truth.connections.open == 0).await;
        assert_eq!(accounts(&truth), [served, served, served, 0, 0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_small_window_lets_bodies_dribble_and_none_at_all_holds_them() {
    let practice = start(&[("window", "8")]);
    let mut client = Client::new(&practice).await;
    client.get("/__truth").await;
    let request = || Request::post("http://practice/").body(()).unwrap();
    let (response, mut stream) = client.sender.send_request(request(), false).unwrap();
    stream.reserve_capacity(100);
    let mut left = 100;
    while left > 0 {
        let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap().unwrap();
        assert!((1..=8).contains(&room), "{room}");
        left -= room;
        stream.send_data(Bytes::from(vec![b'b'; room]), left == 0).unwrap();
        stream.reserve_capacity(left);
    }
    assert_eq!(answer(response).await.status, Some(200));

    let practice = start(&[("window", "0")]);
    let mut client = Client::new(&practice).await;
    client.get("/__truth").await;
    let (response, mut stream) = client.sender.send_request(request(), false).unwrap();
    stream.reserve_capacity(1);
    seen(&practice, |truth| truth.pending == 1).await;
    assert_eq!((client.get("/").await.status, stream.capacity()), (Some(200), 0), "other requests go on");
    stream.send_reset(Reason::CANCEL);
    let truth = seen(&practice, |truth| truth.pending == 0).await;
    assert_eq!(accounts(&truth), [2, 1, 1, 0, 0, 0, 1]);
    drop(response);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn floods_last_until_the_client_has_had_enough() {
    for (key, kind) in [("settings-flood", 4), ("endless-headers", 9)] {
        let practice = start(&[(key, "100%")]);
        tokio::task::block_in_place(|| {
            let mut raw = Raw::new(&practice);
            raw.get(1);
            for _ in 0..10_000 {
                let (_, stream, _) = raw.frame_of(kind);
                assert_eq!(stream, u32::from(kind == 9));
            }
            drop(raw);
        });
        let truth = seen(&practice, |truth| truth.connections.open == 0).await;
        assert_eq!(accounts(&truth), [1, 0, 0, 1, 0, 0, 0], "--{key}");
    }
}
